# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""Row conversion: multiplies inputs by what squeeze-out divided their weights by."""

from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .block_memory import BlockMemory
from .params import HardwareParams, index_bits
from .sharing import shared
from .weight_sets import delayed_set, of_set, per_set, set_address, set_field, set_of

__all__ = ["ConvertedBeat", "InputBeat", "RowConversion", "input_payload", "inputs_of"]


class InputBeat(data.ArrayLayout):
    """One transfer of inputs of consecutive rows, lowest first."""

    def __init__(self, hardware: HardwareParams):
        kind = signed if hardware.signed_inputs else unsigned
        super().__init__(kind(hardware.input_bits), hardware.inputs_per_beat)


def input_payload(hardware: HardwareParams) -> data.Layout:
    """Return the payload of the input stream.

    An :class:`InputBeat`; with several weight sets it is the field ``inputs``, and ``set`` is the
    set of the vector, the same for all its beats.
    """
    beat, field = InputBeat(hardware), set_field(hardware)
    return data.StructLayout({"inputs": beat, **field}) if field else beat


def inputs_of(payload: data.View) -> data.View:
    """Return the inputs in a payload of the input stream."""
    return payload if isinstance(payload.shape(), InputBeat) else payload.inputs


class ConvertedBeat(data.StructLayout):
    """Inputs of consecutive physical rows after row conversion.

    Fields
    ------
    values : ArrayLayout(converted_bits, inputs_per_beat)
        Inputs times ``2**shift`` of their rows, two's complement.
    last : 1
        The vector's last beat.
    set : range(weight_sets)
        The vector's set; only with several.
    """

    def __init__(self, hardware: HardwareParams):
        values = data.ArrayLayout(unsigned(hardware.converted_bits), hardware.inputs_per_beat)
        super().__init__({"values": values, "last": unsigned(1), **set_field(hardware)})


class RowConversion(wiring.Component):
    """Multiply every input by ``2**s``, s being the shift of its row.

    Squeeze-out moved the weights of a row s planes down; the bit-serial stream of its input is
    delayed by s bit-cycles to make up for it (the paper's section III-C). The Row Conversion Mask
    Register is a memory that holds ``s / shift_step`` of every physical row, one word per beat
    and weight set (reconstructed).

    Accepts one beat a clock; latency :data:`sme_hw.cycles.ROW_CONVERSION_LATENCY`.

    Parameters
    ----------
    hardware : HardwareParams
        Widths, shifts and inputs per beat.

    Members
    -------
    write : In(Signature(enable, address, data))
        Loads a word of the RCMR; only while no vector is under way. Absent without shifts.
    last_beat : In(range(row_beats)), one per set
        Index of a vector's last beat.
    i : In(stream.Signature(input_payload))
        Inputs in physical row order.
    o : Out(stream.Signature(ConvertedBeat))
        Shifted inputs.
    mid_vector : Out(1)
        Some but not all beats of a vector were accepted.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        members = {
            "last_beat": In(per_set(hardware, index_bits(hardware.row_beats))),
            "i": In(stream.Signature(input_payload(hardware))),
            "o": Out(stream.Signature(ConvertedBeat(hardware))),
            "mid_vector": Out(1),
        }
        if hardware.rcmr_bits:
            members["write"] = In(
                wiring.Signature(
                    {
                        "enable": Out(1),
                        "address": Out(index_bits(hardware.in_sets(hardware.row_beats))),
                        "data": Out(hardware.inputs_per_beat * hardware.rcmr_bits),
                    }
                )
            )
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the RCMR and one shifter per lane, between registers."""
        m = Module()
        hardware = self.hardware
        beat = Signal(index_bits(hardware.row_beats))
        last = Signal()
        # Three stages: the RCMR is read, leaves its memory, and tells how far to shift.
        valid = [self.i.valid, Signal(name="valid_1"), Signal(name="valid_2"), self.o.valid]
        moves = [Signal(name=f"moves_{stage}") for stage in range(4)]
        m.d.comb += [
            last.eq(beat == of_set(self.last_beat, set_of(self.i.payload))),
            moves[3].eq(self.o.ready),
            self.i.ready.eq(moves[0]),
        ]
        for stage in (2, 1, 0):
            m.d.comb += moves[stage].eq(~valid[stage + 1] | moves[stage + 1])
            with m.If(moves[stage]):
                m.d.sync += valid[stage + 1].eq(valid[stage])
        with m.If(self.i.valid & moves[0]):
            m.d.sync += [beat.eq(Mux(last, 0, beat + 1)), self.mid_vector.eq(~last)]

        inputs, lasts = [inputs_of(self.i.payload)], [last]
        weight_set = set_of(self.i.payload)
        for stage in (1, 2):
            inputs.append(Signal(InputBeat(hardware), name=f"inputs_{stage}", reset_less=True))
            lasts.append(Signal(name=f"last_{stage}", reset_less=True))
            with m.If(moves[stage - 1]):
                m.d.sync += [
                    inputs[stage].eq(inputs[stage - 1]),
                    lasts[stage].eq(lasts[stage - 1]),
                ]
            weight_set = delayed_set(m, weight_set, f"set_{stage}", moves[stage - 1])
        codes = self._look_up(m, platform, beat, moves) if hardware.rcmr_bits else None
        with m.If(moves[2]):
            m.d.sync += self.o.payload.last.eq(lasts[2])
            if len(weight_set):
                m.d.sync += self.o.payload.set.eq(weight_set)
        for lane in range(hardware.inputs_per_beat):
            value = Signal(hardware.converted_bits, name=f"converted_{lane}")
            m.d.comb += value.eq(inputs[2][lane])
            if codes is not None:
                with m.Switch(codes[lane]):
                    for code in range(1, hardware.shift_codes):
                        with m.Case(code):
                            m.d.comb += value.eq(inputs[2][lane] << code * hardware.shift_step)
            with m.If(moves[2]):
                m.d.sync += self.o.payload["values"][lane].eq(value)
        return m

    def _look_up(self, m: Module, platform: object, beat: Signal, moves: list[Signal]) -> data.View:
        """Return the shifts of a beat's rows, in shift steps, two stages later."""
        hardware = self.hardware
        rcmr = BlockMemory(
            width=hardware.inputs_per_beat * hardware.rcmr_bits,
            depth=hardware.in_sets(hardware.row_beats),
        )
        m.submodules.rcmr = shared(rcmr, platform)
        m.d.comb += [
            rcmr.write_enable.eq(self.write.enable),
            rcmr.write_address.eq(self.write.address),
            rcmr.write_data.eq(self.write.data),
            rcmr.read_address.eq(set_address(beat, hardware.row_beats, set_of(self.i.payload))),
            rcmr.read_enable.eq(moves[0]),
            rcmr.output_enable.eq(moves[1]),
        ]
        return data.View(data.ArrayLayout(hardware.rcmr_bits, hardware.inputs_per_beat), rcmr.data)
