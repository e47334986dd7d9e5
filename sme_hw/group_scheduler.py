"""The sequencer: steps through the groups of rows, their bit-cycles and the columns."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .input_register import VectorHandshake
from .params import HardwareParams, index_bits

__all__ = ["GroupEntry", "GroupScheduler", "Step"]


class GroupEntry(data.StructLayout):
    """The bit-cycles of one slot.

    Fields
    ------
    first, last : range(converted_bits)
        First and last bit-cycle; the word lines are silent outside.
    """

    def __init__(self, hardware: HardwareParams):
        super().__init__(
            {
                "first": index_bits(hardware.converted_bits),
                "last": index_bits(hardware.converted_bits),
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

    There is no bubble between columns, bit-cycles, groups or vectors while vectors wait and there
    is room for results. A vector that is taken in one clock has its first step in the next one.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry and widths.

    Members
    -------
    write : In(GroupWrite)
        Loads an entry of the group table; only while idle.
    last_group : In(range(slots))
        Index of the last group in use.
    last_column_step : In(range(column_steps))
        Index of the last column step in use.
    vector : In(VectorHandshake)
        The next vector to compute.
    room : In(1)
        One more result can be buffered; without it, the last bit-cycle of a vector waits.
    step_valid : Out(1)
        A step is issued in this clock; it cannot be held back.
    step : Out(Step)
        The step.
    active : Out(1)
        A vector is under way.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        super().__init__(
            {
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
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the table and the nested counters."""
        m = Module()
        hardware = self.hardware
        m.submodules.table = table = memory.Memory(
            shape=GroupEntry(hardware), depth=hardware.slots, init=[]
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

        group = Signal(index_bits(hardware.slots))
        first_group, final_group = Signal(), Signal()
        bit_cycle = Signal(index_bits(hardware.converted_bits))
        first_bit, last_bit = Signal(), Signal.like(bit_cycle)
        column = Signal(index_bits(hardware.column_steps))
        column_ends, bits_end, ends, begins = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            first_group.eq(group == 0),
            final_group.eq(group == self.last_group),
            self.step.bit_cycle.eq(bit_cycle),
            self.step.slot.eq(group),
            self.step.column_step.eq(column),
            self.step.subtract.eq(int(hardware.signed_inputs) & (bit_cycle == last_bit)),
            self.step.first.eq(first_group & first_bit),
            self.step.last.eq(final_group & (bit_cycle == last_bit)),
            self.step_valid.eq(self.active & (self.room | ~self.step.last)),
            column_ends.eq(self.step_valid & (column == self.last_column_step)),
            bits_end.eq(column_ends & (bit_cycle == last_bit)),
            ends.eq(bits_end & final_group),
            self.vector.ready.eq(~self.active | ends),
            begins.eq(self.vector.valid & self.vector.ready),
            advance.eq(begins | (bits_end & ~final_group)),
        ]
        with m.If(self.step_valid):
            m.d.sync += column.eq(column + 1)
        with m.If(column_ends):
            m.d.sync += [column.eq(0), bit_cycle.eq(bit_cycle + 1), first_bit.eq(0)]
        with m.If(ends):
            m.d.sync += self.active.eq(0)
        with m.If(advance):
            m.d.sync += [
                group.eq(fetched),
                bit_cycle.eq(read_port.data.first),
                last_bit.eq(read_port.data.last),
                first_bit.eq(1),
            ]
        with m.If(begins):
            m.d.sync += self.active.eq(1)
        return m
