"""The group scheduler: steps through groups of rows, their bit-cycles and the columns."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .input_register import VectorHandshake, vector_masks
from .params import HardwareParams, index_bits

__all__ = ["GroupEntry", "GroupScheduler", "Step"]


class GroupEntry(data.StructLayout):
    """An entry of the group table.

    Fields
    ------
    first, last : range(converted_bits)
        First and last bit-cycle; the word lines are silent outside.
    slot : range(slots)
        Physical rows of the group.
    """

    def __init__(self, hardware: HardwareParams):
        super().__init__(
            {
                "first": index_bits(hardware.converted_bits),
                "last": index_bits(hardware.converted_bits),
                "slot": index_bits(hardware.slots),
            }
        )


class Step(data.StructLayout):
    """One conversion of all planes.

    Fields
    ------
    bit_cycle : range(converted_bits)
        Binary weight of the input bits on the word lines.
    slot : range(slots)
        Rows that are active.
    column_step : range(column_steps)
        Columns that are converted.
    subtract : 1
        The bit-cycle carries sign bits.
    first, last : 1
        First and last bit-cycle of a vector.
    """

    def __init__(self, hardware: HardwareParams):
        super().__init__(
            {
                "bit_cycle": index_bits(hardware.converted_bits),
                "slot": index_bits(hardware.slots),
                "column_step": index_bits(hardware.column_steps),
                "subtract": 1,
                "first": 1,
                "last": 1,
            }
        )


class GroupScheduler(wiring.Component):
    """Emit one step a clock: for every group, for every bit-cycle, for every column step.

    With ``zero_skip``, a bit-cycle in which no row of the group has a 1 is left out, but one is
    always done. There is no bubble between columns, bit-cycles, groups or vectors while vectors
    wait and there is room for results. A vector that is taken in one clock has its first step in
    the next one.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry and widths.

    Members
    -------
    write : In(Signature(enable, address, data))
        Loads an entry of the group table; only while idle.
    last_group : In(range(slots))
        Index of the last group in use.
    last_column_step : In(range(column_steps))
        Index of the last column step in use.
    vector : In(VectorHandshake)
        The next vector to compute.
    vector_masks : In(ArrayLayout(converted_bits, slots))
        Its bit-cycles in which any row of a slot has a 1; only with ``zero_skip``.
    room : In(1)
        One more result can be buffered; without it, the last bit-cycle of a vector waits.
    step_valid : Out(1)
        A step is issued in this clock; it cannot be held back.
    step : Out(Step)
        The step.
    done : Out(1)
        This step is the last one of its vector.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        members = {
            "write": In(
                wiring.Signature(
                    {
                        "enable": Out(1),
                        "address": Out(index_bits(hardware.slots)),
                        "data": Out(GroupEntry(hardware)),
                    }
                )
            ),
            "last_group": In(index_bits(hardware.slots)),
            "last_column_step": In(index_bits(hardware.column_steps)),
            "vector": In(VectorHandshake()),
            "room": In(1),
            "step_valid": Out(1),
            "step": Out(Step(hardware)),
            "done": Out(1),
        }
        if hardware.zero_skip:
            members["vector_masks"] = In(vector_masks(hardware))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the table and the nested counters."""
        m = Module()
        hardware = self.hardware
        m.submodules.table = table = memory.Memory(
            shape=GroupEntry(hardware), depth=hardware.slots, init=[], attrs={"no_rw_check": 1}
        )
        write_port = table.write_port()
        read_port = table.read_port()
        m.d.comb += [
            write_port.en.eq(self.write.enable),
            write_port.addr.eq(self.write.address),
            write_port.data.eq(self.write.data),
        ]

        # The table is read ahead: its output is always the entry of group `fetched`, the next one.
        fetched = Signal(index_bits(hardware.slots))
        advance = Signal()
        m.d.comb += read_port.addr.eq(fetched)
        with m.If(advance):
            m.d.comb += read_port.addr.eq(Mux(fetched == self.last_group, 0, fetched + 1))
        m.d.comb += read_port.en.eq(1)
        m.d.sync += fetched.eq(read_port.addr)

        slot = Signal(index_bits(hardware.slots))
        first_bit, last_bit = Signal(), Signal()
        column = Signal(index_bits(hardware.column_steps))
        active = Signal()
        column_ends, bits_end, ends, begins = Signal(), Signal(), Signal(), Signal()
        # Compared a clock before they count: whatever ends here decides on all that follows.
        final_column, first_group, final_group = Signal(), Signal(), Signal()
        entry = read_port.data
        bit_counter = self._skipping_bits if hardware.zero_skip else self._all_bits
        bit_cycle = bit_counter(m, entry, begins, advance, column_ends, last_bit)
        sign_bit = Signal.like(bit_cycle)
        m.d.comb += [
            self.step.bit_cycle.eq(bit_cycle),
            self.step.slot.eq(slot),
            self.step.column_step.eq(column),
            self.step.subtract.eq(int(hardware.signed_inputs) & (bit_cycle == sign_bit)),
            self.step.first.eq(first_group & first_bit),
            self.step.last.eq(final_group & last_bit),
            self.step_valid.eq(active & (self.room | ~self.step.last)),
            column_ends.eq(self.step_valid & final_column),
            bits_end.eq(column_ends & last_bit),
            ends.eq(bits_end & final_group),
            self.done.eq(ends),
            self.vector.ready.eq(~active | ends),
            begins.eq(self.vector.valid & self.vector.ready),
            advance.eq(begins | (bits_end & ~final_group)),
        ]
        with m.If(self.step_valid):
            m.d.sync += [
                column.eq(column + 1),
                final_column.eq(column + 1 == self.last_column_step),
            ]
        with m.If(column_ends | ~active):
            m.d.sync += [column.eq(0), final_column.eq(self.last_column_step == 0)]
        with m.If(column_ends):
            m.d.sync += first_bit.eq(0)
        with m.If(ends):
            m.d.sync += active.eq(0)
        with m.If(advance):
            m.d.sync += [
                first_group.eq(fetched == 0),
                final_group.eq(fetched == self.last_group),
                slot.eq(entry.slot),
                sign_bit.eq(entry.last),
                first_bit.eq(1),
            ]
        with m.If(begins):
            m.d.sync += active.eq(1)
        return m

    def _all_bits(
        self, m: Module, entry: Any, begins: Any, advance: Any, column_ends: Any, last_bit: Any
    ) -> Signal:
        """Count through the bit-cycles of a group; returns the present one."""
        bit_cycle = Signal(index_bits(self.hardware.converted_bits))
        last = Signal.like(bit_cycle)
        final = Signal()
        m.d.comb += last_bit.eq(final)
        with m.If(column_ends):
            m.d.sync += [bit_cycle.eq(bit_cycle + 1), final.eq(bit_cycle + 1 == last)]
        with m.If(advance):
            m.d.sync += [
                bit_cycle.eq(entry.first),
                last.eq(entry.last),
                final.eq(entry.first == entry.last),
            ]
        return bit_cycle

    def _skipping_bits(
        self, m: Module, entry: Any, begins: Any, advance: Any, column_ends: Any, last_bit: Any
    ) -> Signal:
        """Step through the bit-cycles in which some row has a 1; the first one if none has."""
        hardware = self.hardware
        width = hardware.converted_bits
        bit_cycle = Signal(index_bits(width))
        masks = Signal(vector_masks(hardware))
        mask, wanted, source, remaining = (
            Signal(width, name=name) for name in ("mask", "wanted", "source", "remaining")
        )
        with m.If(begins):
            m.d.sync += masks.eq(self.vector_masks)
        chosen = [
            Mux(begins, self.vector_masks[s], masks[s]) & Mux(entry.slot == s, 2**width - 1, 0)
            for s in range(hardware.slots)
        ]
        in_range = Cat((entry.first <= t) & (entry.last >= t) for t in range(width))
        m.d.comb += [
            mask.eq(reduce(or_, chosen) & in_range),
            wanted.eq(Mux(mask.any(), mask, 1 << entry.first)),
            source.eq(Mux(advance, wanted, remaining)),
            last_bit.eq(~remaining.any()),
        ]
        with m.If(column_ends | advance):
            # The lowest bit that is left comes next.
            for t in reversed(range(width)):
                with m.If(source[t]):
                    m.d.sync += bit_cycle.eq(t)
            m.d.sync += remaining.eq(source & (source - 1))
        return bit_cycle
