"""The input register: collects a vector and drives the word lines bit by bit."""

from functools import reduce
from operator import or_

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .params import HardwareParams, index_bits
from .row_conversion import ConvertedInput

__all__ = ["BitSelect", "InputRegister", "VectorHandshake", "vector_masks"]


class VectorHandshake(wiring.Signature):
    """Hands a whole vector over; the rules of a stream without payload.

    Members
    -------
    valid : Out(1)
        A vector is complete.
    ready : In(1)
        It is taken in this clock.
    """

    def __init__(self) -> None:
        super().__init__({"valid": Out(1), "ready": In(1)})


class BitSelect(data.StructLayout):
    """Names one bit-cycle of one slot.

    Fields
    ------
    bit_cycle : range(converted_bits)
        Bit t of the converted inputs.
    slot : range(slots)
        Group of physical rows.
    """

    def __init__(self, hardware: HardwareParams):
        super().__init__(
            {
                "bit_cycle": index_bits(hardware.converted_bits),
                "slot": index_bits(hardware.slots),
            }
        )


def vector_masks(hardware: HardwareParams) -> data.ArrayLayout:
    """Return the layout of a vector's bit masks: one bit per bit-cycle, for every slot."""
    return data.ArrayLayout(unsigned(hardware.converted_bits), hardware.slots)


class InputRegister(wiring.Component):
    """Collect converted inputs and present bit t of one slot's rows on the word lines.

    Double-buffered: while one vector computes, the next one loads, one beat a clock. The word
    lines follow ``select`` by :data:`sme_hw.cycles.INPUT_REGISTER_LATENCY` clock; the selection in
    the clock of a hand-over still refers to the vector before.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry and widths.

    Members
    -------
    last_beat : In(range(input_beats))
        Index of a vector's last beat.
    i : In(stream.Signature(ArrayLayout(ConvertedInput, inputs_per_beat)))
        Converted inputs.
    vector : Out(VectorHandshake)
        Hands a complete vector over to computing.
    select : In(BitSelect)
        Bit-cycle and slot to drive.
    word_lines : Out(group_rows)
        Input bits of the slot's rows.
    vector_masks : Out(ArrayLayout(converted_bits, slots))
        With ``vector.valid``: the bit-cycles in which any row of a slot has a 1; only with
        ``zero_skip``.
    mid_vector : Out(1)
        Some but not all beats of a vector were accepted.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        lanes = hardware.inputs_per_beat
        members = {
            "last_beat": In(index_bits(hardware.input_beats)),
            "i": In(stream.Signature(data.ArrayLayout(ConvertedInput(hardware), lanes))),
            "vector": Out(VectorHandshake()),
            "select": In(BitSelect(hardware)),
            "word_lines": Out(hardware.group_rows),
            "mid_vector": Out(1),
        }
        if hardware.zero_skip:
            members["vector_masks"] = Out(vector_masks(hardware))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build both buffers, the word-line selection and the masks."""
        m = Module()
        hardware = self.hardware
        lanes = hardware.inputs_per_beat
        beat = Signal(index_bits(hardware.input_beats))
        accept, hand_over = Signal(), Signal()
        # A vector that is handed over in this clock makes room for the next one's first beat.
        m.d.comb += [
            self.i.ready.eq(~self.vector.valid | self.vector.ready),
            self.mid_vector.eq(beat != 0),
            accept.eq(self.i.valid & self.i.ready),
            hand_over.eq(self.vector.valid & self.vector.ready),
        ]
        with m.If(self.vector.ready):
            m.d.sync += self.vector.valid.eq(0)
        with m.If(accept):
            m.d.sync += beat.eq(beat + 1)
            with m.If(beat == self.last_beat):
                m.d.sync += [beat.eq(0), self.vector.valid.eq(1)]

        # takes[r][lane]: this lane of the beat drives physical row r.
        takes = [self._lanes_of_row(beat, r) for r in range(hardware.rows)]
        rows = []
        for r, drivers in enumerate(takes):
            row = Signal(hardware.converted_bits, name=f"loading_{r}", reset_less=True)
            for lane, condition in drivers.items():
                with m.If(accept & condition):
                    m.d.sync += row.eq(self.i.payload[lane].value)
            rows.append(row)

        # The computing buffer holds bit planes: bit t of all physical rows is one register.
        padded_rows = hardware.slots * hardware.group_rows
        planes = [
            Signal(padded_rows, name=f"bits_{t}", reset_less=True)
            for t in range(hardware.converted_bits)
        ]
        with m.If(hand_over):
            m.d.sync += [plane.eq(Cat(row[t] for row in rows)) for t, plane in enumerate(planes)]
        lines = Signal(padded_rows)
        with m.Switch(self.select.bit_cycle):
            for t, plane in enumerate(planes):
                with m.Case(t):
                    m.d.comb += lines.eq(plane)
        if hardware.slots > 1:
            lines = lines.word_select(self.select.slot, hardware.group_rows)
        m.d.sync += self.word_lines.eq(lines)

        if hardware.zero_skip:
            for slot in range(hardware.slots):
                first = slot * hardware.group_rows
                members = takes[first : first + hardware.group_rows]
                arriving = Signal(hardware.converted_bits, name=f"arriving_{slot}")
                beats = [
                    Mux(
                        Cat(d[lane] for d in members if lane in d).any(),
                        self.i.payload[lane].value,
                        0,
                    )
                    for lane in range(lanes)
                ]
                m.d.comb += arriving.eq(Mux(accept, reduce(or_, beats), 0))
                kept = Mux(hand_over, 0, self.vector_masks[slot])
                m.d.sync += self.vector_masks[slot].eq(kept | arriving)
        return m

    def _lanes_of_row(self, beat: Signal, row: int) -> dict[int, Value]:
        """Return which lanes of a beat may drive a physical row, and when."""
        hardware = self.hardware
        lanes = hardware.inputs_per_beat
        if not hardware.input_index:
            return {row % lanes: beat == row // lanes}
        return {
            lane: self.i.payload[lane].keep & (self.i.payload[lane].row == row)
            for lane in range(lanes)
        }
