"""The program port: turns program words into writes of table, mask and cell entries."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .params import PROGRAM_BITS, HardwareParams, index_bits
from .program import Region, entry_words

__all__ = ["EntryWrite", "ProgramPort"]

_ENTRY_BITS = 28


class EntryWrite(wiring.Signature):
    """One write of a whole entry; lasts one clock and cannot be held back.

    Members
    -------
    enable : Out(1)
    region : Out(Region)
        What is written.
    entry : Out(28)
        Number of the entry in its region.
    data : Out(width)
        Its bits, from the least significant.
    """

    def __init__(self, width: int):
        super().__init__(
            {
                "enable": Out(1),
                "region": Out(4),
                "entry": Out(_ENTRY_BITS),
                "data": Out(width),
            }
        )


class ProgramPort(wiring.Component):
    """Decode the records of :mod:`sme_hw.program`, one word a clock.

    A write follows the last word of its entry by one clock. A record is refused (its first header
    word is not taken) unless ``idle``; once begun, it is taken to its end.

    Parameters
    ----------
    hardware : HardwareParams
        Widths of the entries.

    Members
    -------
    i : In(stream.Signature(32))
        Program words.
    idle : In(1)
        Nothing is being computed.
    write : Out(EntryWrite)
        Decoded writes.
    busy : Out(1)
        A record has begun and not ended, or its last write has not taken effect everywhere:
        tables that are read ahead show it two clocks later.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        self.words = {region: entry_words(hardware, region) for region in Region}
        self.data_words = max(self.words.values())
        super().__init__(
            {
                "i": In(stream.Signature(PROGRAM_BITS)),
                "idle": In(1),
                "write": Out(EntryWrite(self.data_words * PROGRAM_BITS)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the header decoder and the word assembly."""
        m = Module()
        write = self.write
        region = Signal(4)
        entry = Signal(_ENTRY_BITS)
        remaining = Signal(_ENTRY_BITS)
        word = Signal(index_bits(self.data_words))
        last_word = Signal.like(word)
        in_header, in_data = Signal(), Signal()
        ends_entry = Signal()
        taking_effect = Signal(2)
        with m.Switch(region):
            for kind in Region:
                with m.Case(kind):
                    m.d.comb += last_word.eq(self.words[kind] - 1)
        m.d.comb += [
            self.i.ready.eq(in_header | in_data | self.idle),
            self.busy.eq(in_header | in_data | write.enable | taking_effect.any()),
            ends_entry.eq(in_data & self.i.valid & (word == last_word)),
        ]
        m.d.sync += [
            write.enable.eq(ends_entry),
            write.region.eq(region),
            write.entry.eq(entry),
            taking_effect.eq(Cat(write.enable, taking_effect)),
        ]
        with m.If(self.i.valid & self.i.ready):
            with m.If(in_data):
                with m.Switch(word):
                    for w in range(self.data_words):
                        with m.Case(w):
                            m.d.sync += write.data.word_select(w, PROGRAM_BITS).eq(self.i.payload)
                m.d.sync += word.eq(Mux(ends_entry, 0, word + 1))
                with m.If(ends_entry):
                    m.d.sync += [
                        entry.eq(entry + 1),
                        remaining.eq(remaining - 1),
                        in_data.eq(remaining != 1),
                    ]
            with m.Elif(in_header):
                m.d.sync += [
                    in_header.eq(0),
                    in_data.eq(self.i.payload[:_ENTRY_BITS] != 0),
                    remaining.eq(self.i.payload),
                ]
            with m.Else():
                m.d.sync += [
                    in_header.eq(1),
                    entry.eq(self.i.payload),
                    region.eq(self.i.payload[_ENTRY_BITS:]),
                ]
        return m
