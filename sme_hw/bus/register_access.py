"""Reads or writes registers one after the other, a byte at a time."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .link_format import ADDRESS_BYTES, BYTE_BITS, WORD_BYTES
from .link_params import LinkParams
from .register_bus import WORD_BITS, RegisterBus

__all__ = ["RegisterAccess"]


class RegisterAccess(wiring.Component):
    """Take the number of a register and, to write, the words; give the words that were read.

    The lowest byte is the first. Accesses end with the first one that fails; a register whose
    number is too large is not asked.

    Parameters
    ----------
    link : LinkParams

    Members
    -------
    start : In(1)
        Begin in the next clock; not between a ``start`` and its ``done``.
    write : In(1)
        Write, from the clock after ``start`` until ``done``.
    last : In(1)
        The word under way is the last one.
    accessed : Out(1)
        It has been read or written; ``last`` says in this clock whether there is another.
    i : In(stream.Signature(8))
        The first register's number, in two bytes, then words.
    o_valid : Out(1)
        Here is a byte of a word that was read; there must be room.
    o_data : Out(8)
        The byte.
    done : Out(1)
        This is the last clock of a request.
    error : Out(1)
        With ``done``: an access failed.
    registers : Out(RegisterBus)
    """

    def __init__(self, *, link: LinkParams):
        self.link = link
        super().__init__(
            {
                "start": In(1),
                "write": In(1),
                "last": In(1),
                "accessed": Out(1),
                "i": In(stream.Signature(BYTE_BITS)),
                "o_valid": Out(1),
                "o_data": Out(BYTE_BITS),
                "done": Out(1),
                "error": Out(1),
                "registers": Out(RegisterBus(address_bits=link.address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the sequence of address, words and accesses."""
        m = Module()
        registers = self.registers
        address = Signal(ADDRESS_BYTES * BYTE_BITS)
        word = Signal(WORD_BITS)
        ends = Signal()
        lane = Signal(range(WORD_BYTES))
        taken = self.i.valid & self.i.ready
        beyond = address[self.link.address_bits :].any()
        m.d.comb += [
            registers.write.eq(self.write),
            registers.address.eq(address),
            registers.data.eq(word),
            registers.strobe.eq(-1),
            self.o_data.eq(word),
        ]
        with m.FSM():
            with m.State("idle"):
                m.d.sync += lane.eq(0)
                with m.If(self.start):
                    m.next = "address"

            with m.State("address"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(taken):
                    m.d.sync += [
                        address.eq(Cat(address[BYTE_BITS:], self.i.payload)),
                        lane.eq(lane + 1),
                    ]
                    with m.If(lane == ADDRESS_BYTES - 1):
                        m.d.sync += lane.eq(0)
                        m.next = "access"
                        with m.If(self.write):
                            m.next = "word"

            with m.State("word"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(taken):
                    m.d.sync += [
                        word.eq(Cat(word[BYTE_BITS:], self.i.payload)),
                        lane.eq(lane + 1),
                    ]
                    with m.If(lane == WORD_BYTES - 1):
                        m.next = "access"

            with m.State("access"):
                m.d.comb += registers.valid.eq(~beyond)
                with m.If(beyond | (registers.done & registers.error)):
                    m.d.comb += [self.done.eq(1), self.error.eq(1)]
                    m.next = "idle"
                with m.Elif(registers.done):
                    m.d.comb += self.accessed.eq(1)
                    m.d.sync += [address.eq(address + 1), ends.eq(self.last)]
                    with m.If(~self.write):
                        m.d.sync += word.eq(registers.read_data)
                        m.next = "read"
                    with m.Elif(self.last):
                        m.d.comb += self.done.eq(1)
                        m.next = "idle"
                    with m.Else():
                        m.next = "word"

            with m.State("read"):
                m.d.comb += self.o_valid.eq(1)
                m.d.sync += [word.eq(word >> BYTE_BITS), lane.eq(lane + 1)]
                with m.If(lane == WORD_BYTES - 1):
                    m.next = "access"
                    with m.If(ends):
                        m.d.comb += self.done.eq(1)
                        m.next = "idle"
        return m
