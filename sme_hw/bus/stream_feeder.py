"""Forms words of a program and beats of inputs from bytes."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..params import index_bits
from .beats import InputBytes
from .link_format import BYTE_BITS, HEADER_BYTES, WORD_BYTES
from .link_params import LinkParams
from .register_bus import WORD_BITS

__all__ = ["StreamFeeder"]


class StreamFeeder(wiring.Component):
    """Ask for the bytes of a frame, and send what they make up, one word or beat at a time.

    Parameters
    ----------
    link : LinkParams

    Members
    -------
    load : In(1)
        A frame has been accepted; never while ``frame`` is set.
    units : In(range(frame_bytes))
        Its words or beats, at least one, while ``load`` is set.
    input : In(1)
        They are beats of inputs, while ``load`` is set.
    dest : In(range(2**dest_bits))
        For this weight set, while ``load`` is set.
    frame : In(1)
        The frame can be read; until ``drained``.
    drained : Out(1)
        All has been taken or flushed.
    wants : Out(1)
        A byte is wanted.
    address : Out(range(frame_bytes))
        Its number.
    byte_valid : In(1)
        Here it is.
    byte : In(8)
        The byte.
    flush : In(1)
        Drop what has not been taken; streams may be withdrawn.
    program : Out(stream.Signature(32))
        Program words.
    i : Out(stream.Signature(InputBytes))
        Input vectors.
    """

    def __init__(self, *, link: LinkParams):
        self.link = link
        self.count_bits = index_bits(link.frame_bytes)
        super().__init__(
            {
                "load": In(1),
                "units": In(self.count_bits),
                "input": In(1),
                "dest": In(index_bits(1 << link.dest_bits)),
                "frame": In(1),
                "drained": Out(1),
                "wants": Out(1),
                "address": Out(self.count_bits),
                "byte_valid": In(1),
                "byte": In(BYTE_BITS),
                "flush": In(1),
                "program": Out(stream.Signature(WORD_BITS)),
                "i": Out(
                    stream.Signature(
                        InputBytes(beat_bytes=link.input_beat_bytes, dest_bits=link.dest_bits)
                    )
                ),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the shift register that both streams share."""
        m = Module()
        beat_bytes = self.link.input_beat_bytes
        beat_bits = BYTE_BITS * beat_bytes
        left = Signal(self.count_bits)
        is_input = Signal()
        lane = Signal(range(max(WORD_BYTES, beat_bytes)))
        # Bytes come in at the top, so the lowest one of a shorter word is not at the bottom.
        unit = Signal(max(WORD_BITS, beat_bits), reset_less=True)
        complete = Signal()
        taken = Signal()
        m.d.comb += [
            self.program.payload.eq(unit[-WORD_BITS:]),
            self.i.payload.data.eq(unit[-beat_bits:]),
            complete.eq(self.byte_valid & (lane == Mux(is_input, beat_bytes - 1, WORD_BYTES - 1))),
            taken.eq((self.program.valid & self.program.ready) | (self.i.valid & self.i.ready)),
            self.drained.eq(self.flush | (taken & (left == 0))),
            self.wants.eq(self.frame & ~self.program.valid & ~self.i.valid),
        ]
        with m.If(self.byte_valid):
            m.d.sync += [
                unit.eq(Cat(unit[BYTE_BITS:], self.byte)),
                lane.eq(Mux(complete, 0, lane + 1)),
                self.address.eq(self.address + 1),
            ]
        with m.If(complete):
            m.d.sync += [
                left.eq(left - 1),
                self.program.valid.eq(~is_input),
                self.i.valid.eq(is_input),
            ]
        with m.If(taken | self.flush):
            m.d.sync += [self.program.valid.eq(0), self.i.valid.eq(0)]
        with m.If(self.flush):
            m.d.sync += lane.eq(0)
        with m.If(self.load):
            m.d.sync += [
                left.eq(self.units),
                is_input.eq(self.input),
                self.address.eq(HEADER_BYTES),
            ]
            if self.link.dest_bits:
                m.d.sync += self.i.payload.dest.eq(self.dest)
        return m
