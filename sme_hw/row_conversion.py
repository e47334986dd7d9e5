"""Row conversion: the squeeze-out index decode of the inputs."""

from typing import Any

from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .params import HardwareParams, index_bits
from .program import decode_fields

__all__ = ["ConvertedInput", "InputBeat", "RowConversion"]


class InputBeat(data.ArrayLayout):
    """One transfer of the input stream: inputs of consecutive rows, lowest first."""

    def __init__(self, hardware: HardwareParams):
        kind = signed if hardware.signed_inputs else unsigned
        super().__init__(kind(hardware.input_bits), hardware.inputs_per_beat)


class ConvertedInput(data.StructLayout):
    """An input after row conversion.

    Fields
    ------
    value : converted_bits
        The input times ``2**shift`` of its row, two's complement.
    row : range(rows)
        Physical row that it drives; only with ``input_index``.
    keep : 1
        It drives a row at all; only with ``input_index``.
    """

    def __init__(self, hardware: HardwareParams):
        fields = {"value": unsigned(hardware.converted_bits)}
        if hardware.input_index:
            fields |= {"row": unsigned(index_bits(hardware.rows)), "keep": unsigned(1)}
        super().__init__(fields)


class RowConversion(wiring.Component):
    """Multiply every input by ``2**s``, s being the shift of its row, and look up its place.

    Squeeze-out moved the weights of a row s planes down; the bit-serial stream of its input is
    delayed by s bit-cycles to make up for it (the paper's section III-C). The Row Conversion Mask
    Register is a memory that holds ``s / shift_step`` for every input, one word per input beat;
    with ``input_index`` it also holds the physical row of each (reconstructed).

    Accepts one beat a clock; a beat leaves one clock after it came.

    Parameters
    ----------
    hardware : HardwareParams
        Widths, shifts and inputs per beat.

    Members
    -------
    write : In(Signature(enable, address, data))
        Loads a word of the memory; only while no vector is under way. Absent when there is
        nothing to decode.
    last_beat : In(range(input_beats))
        Index of a vector's last beat.
    i : In(stream.Signature(InputBeat))
        Inputs in row order.
    o : Out(stream.Signature(ArrayLayout(ConvertedInput, inputs_per_beat)))
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
            "o": Out(stream.Signature(data.ArrayLayout(ConvertedInput(hardware), lanes))),
            "mid_vector": Out(1),
        }
        if hardware.decode_bits:
            members["write"] = In(
                wiring.Signature(
                    {
                        "enable": Out(1),
                        "address": Out(index_bits(hardware.input_beats)),
                        "data": Out(lanes * hardware.decode_bits),
                    }
                )
            )
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the memory and one shifter per lane."""
        m = Module()
        hardware = self.hardware
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
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(accept):
            m.d.sync += self.o.valid.eq(1)

        decoded = self._decode(m, next_beat)
        for lane in range(hardware.inputs_per_beat):
            value = Signal(hardware.converted_bits, name=f"converted_{lane}")
            if hardware.rcmr_bits:
                with m.Switch(decoded[lane].shift_code):
                    for code in range(hardware.shift_codes):
                        with m.Case(code):
                            shift = code * hardware.shift_step
                            m.d.comb += value.eq(self.i.payload[lane] << shift)
            else:
                m.d.comb += value.eq(self.i.payload[lane])
            converted = self.o.payload[lane]
            with m.If(accept):
                m.d.sync += converted.value.eq(value)
                if hardware.input_index:
                    m.d.sync += [
                        converted.row.eq(decoded[lane].row),
                        converted.keep.eq(decoded[lane].keep),
                    ]
        return m

    def _decode(self, m: Module, next_beat: Signal) -> Any:
        """Build the memory; returns its entry for the beat that may be accepted."""
        hardware = self.hardware
        if not hardware.decode_bits:
            return None
        lanes = hardware.inputs_per_beat
        m.submodules.rcmr = rcmr = memory.Memory(
            shape=lanes * hardware.decode_bits, depth=hardware.input_beats, init=[], attrs={"no_rw_check": 1}
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
        fields = {k: unsigned(n) for k, n in decode_fields(hardware).items() if n}
        return data.View(data.ArrayLayout(data.StructLayout(fields), lanes), read_port.data)
