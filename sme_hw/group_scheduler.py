"""The group scheduler: steps through groups of rows, their bit-cycles and the columns."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .input_register import VectorHandshake, vector_masks
from .params import HardwareParams, index_bits
from .weight_sets import delayed_set, of_set, per_set, set_address, set_field, set_of

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
    bit_block : range(bit_blocks)
        Block of bit-cycles; without emulation lanes, the bit-cycle: the binary weight of the input
        bits on the word lines.
    lanes : emulation_lanes
        Bit-cycles of the block that take place.
    slot : range(slots)
        Rows that are active.
    column_step : range(column_steps)
        Columns that are converted.
    subtract : emulation_lanes
        The bit-cycle that carries sign bits.
    first, last : 1
        First and last block of a vector.
    set : range(weight_sets)
        The vector's set; only with several.
    """

    def __init__(self, hardware: HardwareParams):
        super().__init__(
            {
                "bit_block": index_bits(hardware.bit_blocks),
                "lanes": hardware.emulation_lanes,
                "slot": index_bits(hardware.slots),
                "column_step": index_bits(hardware.column_steps),
                "subtract": hardware.emulation_lanes,
                "first": 1,
                "last": 1,
                **set_field(hardware),
            }
        )


class GroupScheduler(wiring.Component):
    """Emit one step a clock: for every group, for every block of bit-cycles, for every column step.

    A block is one bit-cycle, or as many as there are emulation lanes. With ``zero_skip``, a block
    in which no row of the group has a 1 is left out, but one is always done. There is no bubble
    between columns, bit-cycles, groups or vectors while vectors wait and there is room for results.
    A vector that is taken in one clock has its first step in the next one.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry and widths.

    Members
    -------
    write : In(Signature(enable, address, data))
        Loads an entry of the group table of a set (upper address bits); only while idle.
    last_group : In(range(slots)), one per set
        Index of the last group in use.
    last_column_step : In(range(column_steps)), one per set
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
                        "address": Out(index_bits(hardware.in_sets(hardware.slots))),
                        "data": Out(GroupEntry(hardware)),
                    }
                )
            ),
            "last_group": In(per_set(hardware, index_bits(hardware.slots))),
            "last_column_step": In(per_set(hardware, index_bits(hardware.column_steps))),
            "vector": In(VectorHandshake(hardware)),
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
            shape=GroupEntry(hardware),
            depth=hardware.in_sets(hardware.slots),
            init=[],
            attrs={"no_rw_check": 1},
        )
        write_port = table.write_port()
        read_port = table.read_port()
        m.d.comb += [
            write_port.en.eq(self.write.enable),
            write_port.addr.eq(self.write.address),
            write_port.data.eq(self.write.data),
        ]

        # The table is read ahead: its output is always the entry of group `fetched`, the next one.
        # Group 0 is that of the next vector, which may be of another set.
        fetched = Signal(index_bits(hardware.slots))
        advance = Signal()
        column_ends = Signal()
        bits_end = Signal()
        ends = Signal()
        begins = Signal()
        next_set = set_of(self.vector)
        present_set = delayed_set(m, next_set, "present_set", begins)
        last_group = self._limit(m, self.last_group, begins, "last_group_of_set")
        last_column_step = self._limit(m, self.last_column_step, begins, "last_column_of_set")
        last_fetched = fetched == last_group
        set_stays, set_goes_on = next_set, next_set
        if len(next_set):
            new = fetched == 0
            last_fetched = Mux(new, of_set(self.last_group, next_set) == 0, last_fetched)
            set_behind = Mux(last_fetched, self.vector.set_behind, next_set)
            set_stays = Mux(new, next_set, present_set)
            set_goes_on = Mux(new, set_behind, Mux(last_fetched, next_set, present_set))
        following = Mux(last_fetched, 0, fetched + 1)
        m.d.comb += read_port.addr.eq(set_address(fetched, hardware.slots, set_stays))
        with m.If(advance):
            m.d.comb += read_port.addr.eq(set_address(following, hardware.slots, set_goes_on))
        m.d.comb += read_port.en.eq(1)
        m.d.sync += fetched.eq(read_port.addr[: (hardware.slots - 1).bit_length()])

        slot = Signal(index_bits(hardware.slots))
        first_bit = Signal()
        last_bit = Signal()
        # Whether a column is the last one, and a group the first or last, is known a clock ahead.
        column, next_column = (
            Signal(index_bits(hardware.column_steps), name=n) for n in ("column", "next_column")
        )
        final_column = Signal()
        first_group = Signal()
        final_group = Signal()
        active = Signal()
        entry = read_port.data
        bit_counter = self._skipping_bits if hardware.zero_skip else self._all_bits
        bit_block = bit_counter(m, entry, begins, advance, column_ends, last_bit)
        # The last bit-cycle of a group is that of the sign bits, and perhaps ends amid a block.
        final_bit = Signal(index_bits(hardware.converted_bits))
        in_final_block = bit_block == final_bit >> hardware.lane_bits
        final_lane = final_bit[: hardware.lane_bits]
        lanes = range(hardware.emulation_lanes)
        m.d.comb += [
            self.step.bit_block.eq(bit_block),
            self.step.lanes.eq(Cat(~in_final_block | (final_lane >= lane) for lane in lanes)),
            self.step.slot.eq(slot),
            self.step.column_step.eq(column),
            self.step.subtract.eq(
                Cat(
                    Const(int(hardware.signed_inputs), 1) & in_final_block & (final_lane == lane)
                    for lane in lanes
                )
            ),
            self.step.first.eq(first_group & first_bit),
            self.step.last.eq(final_group & last_bit),
            self.step_valid.eq(active & (self.room | ~self.step.last)),
            column_ends.eq(self.step_valid & final_column),
            next_column.eq(column),
            bits_end.eq(column_ends & last_bit),
            ends.eq(bits_end & final_group),
            self.done.eq(ends),
            self.vector.ready.eq(~active | ends),
            begins.eq(self.vector.valid & self.vector.ready),
            advance.eq(begins | (bits_end & ~final_group)),
        ]
        with m.If(self.step_valid):
            m.d.comb += next_column.eq(Mux(final_column, 0, column + 1))
        m.d.sync += [
            column.eq(next_column),
            final_column.eq(next_column == last_column_step),
        ]
        if len(next_set):
            with m.If(begins):
                m.d.sync += final_column.eq(of_set(self.last_column_step, next_set) == 0)
        with m.If(column_ends):
            m.d.sync += first_bit.eq(0)
        with m.If(ends):
            m.d.sync += active.eq(0)
        with m.If(advance):
            m.d.sync += [
                first_group.eq(fetched == 0),
                final_group.eq(last_fetched),
                slot.eq(entry.slot),
                final_bit.eq(entry.last),
                first_bit.eq(1),
            ]
        with m.If(begins):
            m.d.sync += active.eq(1)
        if len(present_set):
            m.d.comb += self.step.set.eq(present_set)
        return m

    def _limit(self, m: Module, limits: Any, begins: Value, name: str) -> Value:
        """Return a limit of the set that is computed; choosing it takes no time of a step."""
        if not self.hardware.set_bits:
            return limits
        limit = Signal(limits.shape().elem_shape, name=name)
        with m.If(begins):
            m.d.sync += limit.eq(of_set(limits, self.vector.set))
        return limit

    def _all_bits(
        self, m: Module, entry: Any, begins: Any, advance: Any, column_ends: Any, last_bit: Any
    ) -> Signal:
        """Count through the blocks of a group; returns the present one."""
        bit_block = Signal(index_bits(self.hardware.bit_blocks))
        last = Signal.like(bit_block)
        first_of_entry, last_of_entry = (
            bits >> self.hardware.lane_bits for bits in (entry.first, entry.last)
        )
        # Compared a clock before it counts, as is the column.
        final = Signal()
        m.d.comb += last_bit.eq(final)
        with m.If(column_ends):
            m.d.sync += [bit_block.eq(bit_block + 1), final.eq(bit_block + 1 == last)]
        with m.If(advance):
            m.d.sync += [
                bit_block.eq(first_of_entry),
                last.eq(last_of_entry),
                final.eq(first_of_entry == last_of_entry),
            ]
        return bit_block

    def _skipping_bits(
        self, m: Module, entry: Any, begins: Any, advance: Any, column_ends: Any, last_bit: Any
    ) -> Signal:
        """Step through the blocks in which some row has a 1; the first one if none has."""
        hardware = self.hardware
        width, lanes = hardware.converted_bits, hardware.emulation_lanes
        bit_block = Signal(index_bits(hardware.bit_blocks))
        masks = Signal(vector_masks(hardware))
        mask = Signal(width)
        wanted, source, remaining = (
            Signal(hardware.bit_blocks, name=name) for name in ("wanted", "source", "remaining")
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
            wanted.eq(
                Mux(
                    mask.any(),
                    Cat(mask[t : t + lanes].any() for t in range(0, width, lanes)),
                    1 << (entry.first >> hardware.lane_bits),
                )
            ),
            source.eq(Mux(advance, wanted, remaining)),
            last_bit.eq(~remaining.any()),
        ]
        with m.If(column_ends | advance):
            # The lowest bit that is left comes next.
            for block in reversed(range(hardware.bit_blocks)):
                with m.If(source[block]):
                    m.d.sync += bit_block.eq(block)
            m.d.sync += remaining.eq(source & (source - 1))
        return bit_block
