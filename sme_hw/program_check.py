"""Watches a program for writes that make no sense, so that the host learns of them."""

from amaranth import Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .compare import at_least
from .params import HardwareParams, index_bits
from .program import (
    GROUP_LAST_OFFSET,
    GROUP_SLOT_OFFSET,
    Control,
    Region,
    cell_limits,
    control_limits,
    region_entries,
)
from .program_port import EntryWrite
from .weight_sets import of_set, per_set, set_of

__all__ = ["ProgramCheck"]


class ProgramCheck(wiring.Component):
    """Raise a flag at a write that makes no sense; it stays until the unit is disabled.

    Flagged are: an unknown region; a set or an entry that its region does not have; a control value
    out of range; a group whose last bit-cycle comes before its first one or does not exist, whose
    slot does not exist, or whose slot was already given since entry 0 of its set's table was
    written (reconstructed). The flag follows the write by one clock; a program begins by disabling
    the unit, which clears it. A record that is overlong is flagged, too.

    Parameters
    ----------
    hardware : HardwareParams
        What is in range.
    data_bits : int
        Width of the writes' data.

    Members
    -------
    write : In(EntryWrite)
        Decoded writes of the program port.
    overlong : In(1)
        A record announces far too many entries.
    error : Out(1)
        A write made no sense.
    """

    def __init__(self, *, hardware: HardwareParams, data_bits: int):
        self.hardware = hardware
        self.data_bits = data_bits
        write = EntryWrite(hardware=hardware, width=data_bits)
        super().__init__({"write": In(write), "overlong": In(1), "error": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Build the comparators and the set of slots that were given."""
        m = Module()
        write = self.write
        wrong, starts = Signal(), Signal()
        entries = region_entries(self.hardware)
        with m.Switch(write.region):
            with m.Case(Region.CONTROL):
                m.d.comb += starts.eq((write.entry == Control.MODE) & ~write.data[0])
                m.d.comb += wrong.eq(at_least(write.entry, len(Control)))
                for register, limit in control_limits(self.hardware).items():
                    with m.If((write.entry == register) & at_least(write.data[:32], limit)):
                        m.d.comb += wrong.eq(1)
            with m.Case(Region.GROUPS):
                m.d.comb += wrong.eq(self._group_is_wrong(m))
            for region in (Region.RCMR, Region.INDEX):
                with m.Case(region):
                    m.d.comb += wrong.eq(at_least(write.entry, entries[region]))
            with m.Case(Region.CELLS):
                m.d.comb += wrong.eq(self._cell_is_wrong())
            with m.Default():
                m.d.comb += wrong.eq(1)
        if 1 << self.hardware.set_bits > self.hardware.weight_sets:
            with m.If(at_least(set_of(write), self.hardware.weight_sets)):
                m.d.comb += wrong.eq(1)
        with m.If((write.enable & wrong) | self.overlong):
            m.d.sync += self.error.eq(1)
        with m.Elif(write.enable & starts):
            m.d.sync += self.error.eq(0)
        return m

    def _group_is_wrong(self, m: Module) -> Value:
        hardware, write = self.hardware, self.write
        first = write.data[:GROUP_LAST_OFFSET]
        last = write.data[GROUP_LAST_OFFSET:GROUP_SLOT_OFFSET]
        bits = index_bits(hardware.converted_bits)
        slot = write.data[GROUP_SLOT_OFFSET : 2 * GROUP_SLOT_OFFSET]
        # The tables of several weight sets may be written in turns.
        given_in_sets = Signal(per_set(hardware, hardware.slots), name="given")
        given = of_set(given_in_sets, set_of(write))
        before = Signal(hardware.slots)
        here = Signal(hardware.slots)
        m.d.comb += here.eq(Const(1, 1) << slot[: index_bits(hardware.slots)])
        with m.If(write.entry != 0):
            m.d.comb += before.eq(given)
        with m.If(write.enable & (write.region == Region.GROUPS)):
            m.d.sync += given.eq(before | here)
        return (
            at_least(write.entry, hardware.slots)
            | at_least(slot, hardware.slots)
            | at_least(first, hardware.converted_bits)
            | at_least(last, hardware.converted_bits)
            | (last[:bits] < first[:bits])
            | (before & here).any()
        )

    def _cell_is_wrong(self) -> Value:
        wrong: Value = Const(0)
        offset = 0
        for width, limit in cell_limits(self.hardware):
            wrong |= at_least(self.write.entry[offset : offset + width], limit)
            offset += width
        return wrong | self.write.entry[offset:].any()
