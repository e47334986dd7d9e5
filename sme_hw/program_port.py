"""The program port: turns program words into writes of table, mask and cell entries."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .params import PROGRAM_BITS, HardwareParams
from .program import REGION_OFFSET, SET_OFFSET, Region, entry_bits, entry_words
from .weight_sets import delayed_set, set_field

__all__ = ["EntryWrite", "ProgramPort"]


class EntryWrite(wiring.Signature):
    """One write of a whole entry; lasts one clock and cannot be held back.

    Members
    -------
    enable : Out(1)
    region : Out(Region)
        What is written.
    entry : Out(entry_bits + 1)
        Number of the entry in its region. The highest bit tells that the number is too large for
        any region; the others then mean nothing.
    data : Out(width)
        Its bits, from the least significant.
    set : Out(range(weight_sets))
        The set that the entry belongs to; only with several.
    """

    def __init__(self, *, hardware: HardwareParams, width: int):
        super().__init__(
            {
                "enable": Out(1),
                "region": Out(4),
                "entry": Out(entry_bits(hardware) + 1),
                "data": Out(width),
                **{name: Out(bits) for name, bits in set_field(hardware).items()},
            }
        )


class ProgramPort(wiring.Component):
    """Decode the records of :mod:`sme_hw.program`, one word a clock.

    A write follows the last word of its entry by one clock. A record is refused (its first header
    word is not taken) unless ``idle``; once begun, it is taken to its end. A record of far more
    entries than any region has is taken for empty.

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
    overlong : Out(1)
        The header word that is taken in this clock announces far too many entries.
    between : Out(1)
        The next word is the first one of a record.
    busy : Out(1)
        A record has begun and not ended, or its last write has not taken effect everywhere:
        tables that are read ahead show it two clocks later.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        self.words = {region: entry_words(hardware, region) for region in Region}
        self.data_words = max(self.words.values())
        self.entry_bits = entry_bits(hardware)
        super().__init__(
            {
                "i": In(stream.Signature(PROGRAM_BITS)),
                "idle": In(1),
                "write": Out(EntryWrite(hardware=hardware, width=self.data_words * PROGRAM_BITS)),
                "overlong": Out(1),
                "between": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the header decoder and the word assembly."""
        m = Module()
        write = self.write
        region = Signal(4)
        entry = Signal(self.entry_bits)
        too_large = Signal()
        remaining = Signal(self.entry_bits + 1)
        set_field_ends = SET_OFFSET + self.hardware.set_bits
        number = self.i.payload[SET_OFFSET:set_field_ends]
        address_field = Cat(
            self.i.payload[:SET_OFFSET], self.i.payload[set_field_ends:REGION_OFFSET]
        )
        # One-hot, as is the last word of an entry of this region.
        word = Signal(self.data_words, init=1)
        last_word = Signal(self.data_words)
        in_header = Signal()
        in_data = Signal()
        # Known a clock ahead, as much hangs on it.
        final_word = Signal()
        moves = Signal()
        ends_entry = Signal()
        next_word = Mux(moves, Mux(final_word, 1, word << 1), word)[: len(word)]
        writing = Signal()
        taking_effect = Signal()
        with m.Switch(region):
            for kind in Region:
                with m.Case(kind):
                    m.d.comb += last_word.eq(1 << self.words[kind] - 1)
            # ProgramCheck flags it; it must not wait for ever.
            with m.Default():
                m.d.comb += last_word.eq(1)
        m.d.comb += [
            self.i.ready.eq(in_header | in_data | self.idle),
            self.busy.eq(in_header | in_data | taking_effect),
            moves.eq(in_data & self.i.valid),
            ends_entry.eq(moves & final_word),
            self.overlong.eq(in_header & self.i.valid & self.i.payload[len(remaining) :].any()),
        ]
        m.d.sync += [
            write.enable.eq(ends_entry),
            write.region.eq(region),
            write.entry.eq(Cat(entry, too_large)),
            writing.eq(write.enable),
            # In the clock of a write, and two more.
            taking_effect.eq(ends_entry | write.enable | writing),
            word.eq(next_word),
            final_word.eq((next_word & last_word).any()),
        ]
        # Registers take what the stream shows until it is valid and the next word is awaited.
        # This way, the many of an entry's data do not hang on its handshake.
        data = Signal.like(write.data, reset_less=True)
        m.d.comb += write.data.eq(data)
        for w in range(self.data_words):
            with m.If(word[w]):
                m.d.sync += data.word_select(w, PROGRAM_BITS).eq(self.i.payload)
        m.d.comb += self.between.eq(~in_header & ~in_data)
        with m.If(self.between):
            m.d.sync += [
                entry.eq(address_field),
                too_large.eq(address_field[len(entry) :].any()),
                region.eq(self.i.payload[REGION_OFFSET:]),
                in_header.eq(self.i.valid & self.idle),
            ]
        with m.If(in_header):
            m.d.sync += remaining.eq(self.i.payload)
            with m.If(self.i.valid):
                m.d.sync += [
                    in_header.eq(0),
                    in_data.eq(self.i.payload[: len(remaining)].any() & ~self.overlong),
                ]
        with m.If(ends_entry):
            m.d.sync += [
                entry.eq(entry + 1),
                too_large.eq(too_large | entry.all()),
                remaining.eq(remaining - 1),
                in_data.eq(remaining != 1),
            ]
        number = delayed_set(m, number, "set", self.between)
        if len(number):
            m.d.sync += write.set.eq(number)
        return m
