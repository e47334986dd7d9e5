"""Row conversion: the RCMR tells by how much each row was shifted; its input makes up for it."""

from amaranth import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .params import HardwareParams, index_bits

__all__ = ["InputBeat", "RowConversion"]


class InputBeat(data.ArrayLayout):
    """One transfer of the input stream: inputs of consecutive rows, lowest first."""

    def __init__(self, hardware: HardwareParams):
        kind = signed if hardware.signed_inputs else unsigned
        super().__init__(kind(hardware.input_bits), hardware.inputs_per_beat)


class RowConversion(wiring.Component):
    """Multiply every input by ``2**s``, s being the shift of its row (the paper's section III-C).

    Squeeze-out moved the weights of a row s planes down; the bit-serial stream of its input is
    delayed by s bit-cycles to make up for it. The Row Conversion Mask Register is a memory that
    holds ``s / shift_step`` for every row, one word per input beat.

    Accepts one beat a clock; a beat leaves one clock after it came.

    Parameters
    ----------
    hardware : HardwareParams
        Widths, shifts and inputs per beat.

    Members
    -------
    write : In(RcmrWrite)
        Loads a word of the RCMR; only while no vector is under way. Absent when no row is shifted.
    last_beat : In(range(input_beats))
        Index of a vector's last beat.
    i : In(stream.Signature(InputBeat))
        Inputs in row order.
    o : Out(stream.Signature(ArrayLayout(converted_bits, inputs_per_beat)))
        Shifted inputs.
    mid_vector : Out(1)
        Some but not all beats of a vector were accepted.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        lanes = hardware.inputs_per_beat
        members = {
            "last_beat": In(index_bits(hardware.input_beats)),
            "i": In(stream.Signature(InputBeat(hardware))),
            "o": Out(stream.Signature(data.ArrayLayout(hardware.converted_bits, lanes))),
            "mid_vector": Out(1),
        }
        if hardware.rcmr_bits:
            members["write"] = In(
                wiring.Signature(
                    {
                        "enable": Out(1),
                        "address": Out(index_bits(hardware.input_beats)),
                        "data": Out(lanes * hardware.rcmr_bits),
                    }
                )
            )
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the RCMR and one shifter per lane."""
        m = Module()
        hardware = self.hardware
        lanes = hardware.inputs_per_beat
        beat = Signal(index_bits(hardware.input_beats))
        next_beat = Signal.like(beat)
        accept = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            accept.eq(self.i.valid & self.i.ready),
            next_beat.eq(beat),
            self.mid_vector.eq(beat != 0),
        ]
        with m.If(accept):
            m.d.comb += next_beat.eq(Mux(beat == self.last_beat, 0, beat + 1))
        m.d.sync += beat.eq(next_beat)

        if hardware.rcmr_bits:
            m.submodules.rcmr = rcmr = memory.Memory(
                shape=lanes * hardware.rcmr_bits, depth=hardware.input_beats, init=[]
            )
            write_port = rcmr.write_port()
            read_port = rcmr.read_port()
            m.d.comb += [
                write_port.en.eq(self.write.enable),
                write_port.addr.eq(self.write.address),
                write_port.data.eq(self.write.data),
                # Reads ahead, so that the word is there together with its beat.
                read_port.addr.eq(next_beat),
                read_port.en.eq(1),
            ]

        converted = []
        for lane in range(lanes):
            value = Signal(hardware.converted_bits, name=f"converted_{lane}")
            if hardware.rcmr_bits:
                code = read_port.data.word_select(lane, hardware.rcmr_bits)
                with m.Switch(code):
                    for c in range(hardware.shift_codes):
                        with m.Case(c):
                            shift = c * hardware.shift_step
                            m.d.comb += value.eq(self.i.payload[lane] << shift)
            else:
                m.d.comb += value.eq(self.i.payload[lane])
            converted.append(value)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(accept):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(Cat(converted))]
        return m
