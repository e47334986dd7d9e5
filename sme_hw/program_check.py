"""Watches a program for writes that make no sense, so that the host learns of them."""

from amaranth import Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .compare import at_least
from .params import PROGRAM_BITS, HardwareParams, index_bits
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

    Flagged are: an overlong record; an unknown region; a set or an entry that its region does not
    have; a control value out of range; a group whose last bit-cycle comes before its first one or
    does not exist, whose slot does not exist, or whose slot was already given since entry 0 of its
    set's table was written (reconstructed). The flag follows the write by two clocks; a program
    begins by disabling the unit, which clears it.

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
        entries = region_entries(self.hardware)
        # What is wrong if the write is to a region, and a clock later, whether it is.
        wrong_in = {
            Region.CONTROL: self._control_is_wrong(),
            Region.GROUPS: self._group_is_wrong(m),
            Region.RCMR: at_least(write.entry, entries[Region.RCMR]),
            Region.INDEX: at_least(write.entry, entries[Region.INDEX]),
            Region.CELLS: self._cell_is_wrong(),
        }
        enable, starts, overlong, other_set = (
            Signal(name=name) for name in ("enable", "starts", "overlong_late", "other_set")
        )
        region = Signal.like(write.region, name="region", reset_less=True)
        m.d.sync += [
            enable.eq(write.enable),
            region.eq(write.region),
            overlong.eq(self.overlong),
            starts.eq(
                (write.region == Region.CONTROL) & (write.entry == Control.MODE) & ~write.data[0]
            ),
        ]
        if 1 << self.hardware.set_bits > self.hardware.weight_sets:
            m.d.sync += other_set.eq(at_least(set_of(write), self.hardware.weight_sets))
        wrong = Signal()
        m.d.comb += wrong.eq(1)
        found = {
            kind: Signal(name=f"wrong_{kind.name.lower()}", reset_less=True) for kind in wrong_in
        }
        m.d.sync += [found[kind].eq(value) for kind, value in wrong_in.items()]
        with m.Switch(region):
            for kind, flag in found.items():
                with m.Case(kind):
                    m.d.comb += wrong.eq(flag | other_set)
        with m.If((enable & wrong) | overlong):
            m.d.sync += self.error.eq(1)
        with m.Elif(enable & starts):
            m.d.sync += self.error.eq(0)
        return m

    def _control_is_wrong(self) -> Value:
        write = self.write
        wrong = at_least(write.entry, len(Control))
        for register, limit in control_limits(self.hardware).items():
            wrong |= (write.entry == register) & at_least(write.data[:PROGRAM_BITS], limit)
        return wrong

    def _group_is_wrong(self, m: Module) -> Value:
        hardware, write = self.hardware, self.write
        first = write.data[:GROUP_LAST_OFFSET]
        last = write.data[GROUP_LAST_OFFSET:GROUP_SLOT_OFFSET]
        bits = index_bits(hardware.converted_bits)
        slot = write.data[GROUP_SLOT_OFFSET:PROGRAM_BITS]
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
            # Upper bits are wrong anyway.
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
