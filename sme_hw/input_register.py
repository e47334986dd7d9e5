"""The input register: collects a vector and drives the word lines bit by bit."""

from amaranth import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .params import HardwareParams, index_bits

__all__ = ["BitSelect", "InputRegister", "VectorHandshake"]


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
    i : In(stream.Signature(ArrayLayout(converted_bits, inputs_per_beat)))
        Converted inputs in row order.
    vector : Out(VectorHandshake)
        Hands a complete vector over to computing.
    select : In(BitSelect)
        Bit-cycle and slot to drive.
    word_lines : Out(group_rows)
        Input bits of the slot's rows.
    mid_vector : Out(1)
        Some but not all beats of a vector were accepted.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        lanes = hardware.inputs_per_beat
        super().__init__(
            {
                "last_beat": In(index_bits(hardware.input_beats)),
                "i": In(stream.Signature(data.ArrayLayout(hardware.converted_bits, lanes))),
                "vector": Out(VectorHandshake()),
                "select": In(BitSelect(hardware)),
                "word_lines": Out(hardware.group_rows),
                "mid_vector": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build both buffers and the word-line selection."""
        m = Module()
        hardware = self.hardware
        lanes = hardware.inputs_per_beat
        beat = Signal(index_bits(hardware.input_beats))
        # A vector that is handed over in this clock makes room for the next one's first beat.
        m.d.comb += [
            self.i.ready.eq(~self.vector.valid | self.vector.ready),
            self.mid_vector.eq(beat != 0),
        ]
        loading = [
            Signal(lanes * hardware.converted_bits, name=f"loading_{j}", reset_less=True)
            for j in range(hardware.input_beats)
        ]
        with m.If(self.vector.ready):
            m.d.sync += self.vector.valid.eq(0)
        accept = Signal()
        m.d.comb += accept.eq(self.i.valid & self.i.ready)
        for j, register in enumerate(loading):
            with m.If(accept & (beat == j)):
                m.d.sync += register.eq(self.i.payload)
        with m.If(accept):
            m.d.sync += beat.eq(beat + 1)
            with m.If(beat == self.last_beat):
                m.d.sync += [beat.eq(0), self.vector.valid.eq(1)]

        # The computing buffer holds bit planes: bit t of all physical rows is one register.
        rows = [
            loading[r // lanes].word_select(r % lanes, hardware.converted_bits)
            for r in range(hardware.rows)
        ]
        padded_rows = hardware.slots * hardware.group_rows
        planes = [
            Signal(padded_rows, name=f"bits_{t}", reset_less=True)
            for t in range(hardware.converted_bits)
        ]
        with m.If(self.vector.valid & self.vector.ready):
            m.d.sync += [plane.eq(Cat(row[t] for row in rows)) for t, plane in enumerate(planes)]
        lines = Signal(padded_rows)
        with m.Switch(self.select.bit_cycle):
            for t, plane in enumerate(planes):
                with m.Case(t):
                    m.d.comb += lines.eq(plane)
        if hardware.slots > 1:
            lines = lines.word_select(self.select.slot, hardware.group_rows)
        m.d.sync += self.word_lines.eq(lines)
        return m
