# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""The compute unit: one tile of a layer, from activations to dot products."""

from typing import Any

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .array_macro import ArrayMacro
from .clip_counter import ClipCounter
from .configuration import Configuration
from .cycles import INPUT_BUFFERS, INPUT_REGISTER_LATENCY, macro_latency, splice_latency
from .group_scheduler import GroupScheduler
from .input_gather import InputGather
from .input_register import InputRegister
from .params import CLIP_COUNTER_BITS, PROGRAM_BITS, HardwareParams, index_bits
from .program import GROUP_LAST_OFFSET, GROUP_SLOT_OFFSET, Region, cell_fields
from .program_check import ProgramCheck
from .program_port import ProgramPort
from .result_buffer import ResultBeat, ResultBuffer
from .row_conversion import InputBeat, RowConversion
from .sharing import shared
from .shift_add import ShiftAdd
from .splice import Splice

__all__ = ["ComputeUnit"]


class ComputeUnit(wiring.Component):
    """Multiply input vectors by the matrix in one XB group: the paper's in-situ computation unit.

    ========================= ============================================================
    stage                     module
    ========================= ============================================================
    program                   ProgramPort, ProgramCheck, Configuration
    squeeze-out index decode  InputGather (reordered rows only), RowConversion
    bit-serial word lines     InputRegister, stepped by GroupScheduler
    crossbar, S&H, MUX, ADC   ArrayMacro, one per built plane and sign
    splice                    Splice, one per ADC of a crossbar
    shift-and-add             ShiftAdd, one per ADC of a crossbar
    output register           ResultBuffer
    ========================= ============================================================

    A program is loaded first; it enables the input stream. A further program is taken as soon as
    all vectors under way have left. Clock counts: :mod:`sme_hw.cycles`.

    Parameters
    ----------
    hardware : HardwareParams
        Everything the unit is built for.

    Members
    -------
    program : In(stream.Signature(32))
        Program words (:mod:`sme_hw.program`).
    i : In(stream.Signature(InputBeat))
        Input vectors in row order.
    o : Out(stream.Signature(ResultBeat))
        Results in column order, in code steps times input steps.
    clips : Out(ArrayLayout(32, planes))
        Clipped conversions per built plane, most significant plane in the lowest bits.
    busy : Out(1)
        A vector or a program is under way.
    error : Out(1)
        The program made no sense (ProgramCheck); results mean nothing.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        super().__init__(
            {
                "program": In(stream.Signature(PROGRAM_BITS)),
                "i": In(stream.Signature(InputBeat(hardware))),
                "o": Out(stream.Signature(ResultBeat(hardware))),
                "clips": Out(data.ArrayLayout(unsigned(CLIP_COUNTER_BITS), hardware.planes)),
                "busy": Out(1),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the stages."""
        m = Module()
        hardware = self.hardware
        port = ProgramPort(hardware=hardware)
        configuration = Configuration(hardware=hardware)
        conversion = RowConversion(hardware=hardware)
        inputs = InputRegister(hardware=hardware)
        scheduler = GroupScheduler(hardware=hardware)
        results = ResultBuffer(hardware=hardware)
        m.submodules.program_port = shared(port, platform)
        check = ProgramCheck(hardware=hardware, data_bits=len(port.write.data))
        m.submodules.program_check = shared(check, platform)
        m.d.comb += [
            check.write.enable.eq(port.write.enable),
            check.write.region.eq(port.write.region),
            check.write.entry.eq(port.write.entry),
            check.write.data.eq(port.write.data),
            check.overlong.eq(port.overlong),
            self.error.eq(check.error),
        ]
        m.submodules.configuration = shared(configuration, platform)
        m.submodules.row_conversion = shared(conversion, platform)
        m.submodules.input_register = shared(inputs, platform)
        m.submodules.group_scheduler = shared(scheduler, platform)
        m.submodules.result_buffer = shared(results, platform)

        # Input side. Rows that are reordered pass the gather first.
        front: InputGather | RowConversion = conversion
        if hardware.input_index:
            front = gather = InputGather(hardware=hardware)
            m.submodules.input_gather = shared(gather, platform)
            wiring.connect(m, gather.o, conversion.i)
            m.d.comb += [
                gather.last_beat.eq(configuration.input_last),
                gather.last_row_beat.eq(configuration.row_last),
            ]
        # A vector is let in while there is a place for it, and no program waits.
        # One that begins is counted a clock later: what decides on it comes late in its clock.
        under_way = Signal(range(INPUT_BUFFERS + 1))
        begun, full, empty = Signal(), Signal(), Signal()
        accept, begins = Signal(), Signal()
        quiet, idle = Signal(init=1), Signal(init=1)
        may_begin = configuration.enable & ~self.program.valid & ~port.busy
        m.d.comb += [
            accept.eq(front.mid_vector | (may_begin & ~full)),
            full.eq((under_way == INPUT_BUFFERS) | ((under_way == INPUT_BUFFERS - 1) & begun)),
            begins.eq(self.i.valid & self.i.ready & ~front.mid_vector),
            front.i.payload.eq(self.i.payload),
            front.i.valid.eq(self.i.valid & accept),
            self.i.ready.eq(front.i.ready & accept),
            conversion.last_beat.eq(configuration.row_last),
            scheduler.last_group.eq(configuration.group_last),
            scheduler.last_column_step.eq(configuration.column_last),
            results.last_column_step.eq(configuration.column_last),
            results.last_beat.eq(configuration.result_last),
            empty.eq((under_way == 0) & ~begun),
            self.busy.eq(~idle | port.busy),
        ]
        m.d.sync += [
            begun.eq(begins),
            under_way.eq(under_way + begun - scheduler.done),
            # A clock late: the results of a vector that is done are reserved by then.
            quiet.eq(results.empty & empty),
            idle.eq(quiet & empty & ~begins),
        ]
        wiring.connect(m, conversion.o, inputs.i)
        wiring.connect(m, inputs.vector, scheduler.vector)
        if hardware.zero_skip:
            m.d.comb += scheduler.vector_masks.eq(inputs.vector_masks)
        m.d.comb += [
            inputs.select.bit_cycle.eq(scheduler.step.bit_cycle),
            inputs.select.slot.eq(scheduler.step.slot),
            scheduler.room.eq(results.room),
            results.reserve.eq(scheduler.step_valid & scheduler.step.last),
        ]

        tables: dict[Region, Any] = {}
        if hardware.rcmr_bits:
            tables[Region.RCMR] = conversion
        if hardware.input_index:
            tables[Region.INDEX] = front
        self._connect_program(m, port, configuration, scheduler, tables)
        m.d.comb += port.idle.eq(idle)

        # The step travels beside the samples.
        step = {0: (scheduler.step_valid, scheduler.step)}
        at_codes = INPUT_REGISTER_LATENCY + macro_latency(hardware)
        at_samples = at_codes + splice_latency(hardware)
        for clock in range(1, at_samples + 1):
            valid = Signal(name=f"step_valid_{clock}")
            payload = Signal(scheduler.step.shape(), name=f"step_{clock}", reset_less=True)
            m.d.sync += [valid.eq(step[clock - 1][0]), payload.eq(step[clock - 1][1])]
            step[clock] = valid, payload

        macros = self._array_macros(
            m, platform, port, inputs.grounded, step[INPUT_REGISTER_LATENCY - 1][1]
        )
        self._clip_counters(m, platform, macros, step[at_codes][0], configuration.clear)

        for a in range(hardware.adcs_per_crossbar):
            splice = Splice(hardware=hardware)
            shift_add = ShiftAdd(hardware=hardware)
            m.submodules[f"splice_{a}"] = shared(splice, platform)
            m.submodules[f"shift_add_{a}"] = shared(shift_add, platform)
            for j, (positive, negative) in enumerate(macros):
                m.d.comb += [
                    splice.positive[f"plane_{j}"].eq(positive.codes[a]),
                    splice.negative[f"plane_{j}"].eq(negative.codes[a]),
                ]
            valid, payload = step[at_samples]
            m.d.comb += [
                shift_add.valid.eq(valid),
                shift_add.sample.eq(splice.sample),
                shift_add.column_step.eq(payload.column_step),
                shift_add.bit_cycle.eq(payload.bit_cycle),
                shift_add.subtract.eq(payload.subtract),
                shift_add.first.eq(payload.first),
                shift_add.last.eq(payload.last),
                results.i[a].eq(shift_add.result),
            ]
            if a == 0:
                m.d.comb += results.i_valid.eq(shift_add.result_valid)

        wiring.connect(m, results.o, wiring.flipped(self.o))
        return m

    def _connect_program(
        self,
        m: Module,
        port: ProgramPort,
        configuration: Configuration,
        scheduler: GroupScheduler,
        tables: dict[Region, Any],
    ) -> None:
        """Lead decoded writes to the registers and small tables."""
        write = port.write
        wiring.connect(m, wiring.flipped(self.program), port.i)
        m.d.comb += [
            configuration.write_enable.eq(write.enable & (write.region == Region.CONTROL)),
            configuration.entry.eq(write.entry),
            configuration.data.eq(write.data),
            scheduler.write.enable.eq(write.enable & (write.region == Region.GROUPS)),
            scheduler.write.address.eq(write.entry),
            scheduler.write.data.first.eq(write.data),
            scheduler.write.data.last.eq(write.data[GROUP_LAST_OFFSET:GROUP_SLOT_OFFSET]),
            scheduler.write.data.slot.eq(write.data[GROUP_SLOT_OFFSET:]),
        ]
        for region, table in tables.items():
            m.d.comb += [
                table.write.enable.eq(write.enable & (write.region == region)),
                table.write.address.eq(write.entry),
                table.write.data.eq(write.data),
            ]

    def _array_macros(
        self, m: Module, platform: object, port: ProgramPort, grounded: Any, step: Any
    ) -> list[tuple[ArrayMacro, ArrayMacro]]:
        """Build the crossbar pair of every plane; returns (positive, negative) pairs."""
        # A program's cells take the way of the conversions' address.
        field, offset = {}, 0
        for name, width in cell_fields(self.hardware).items():
            field[name] = port.write.entry[offset : offset + width]
            offset += width
        writing = port.write.enable & (port.write.region == Region.CELLS)
        data = Signal(self.hardware.group_rows * self.hardware.cell_bits, name="cell_data")
        adc = Signal(index_bits(self.hardware.adcs_per_crossbar), name="cell_adc")
        slot, column_step = (Signal.like(step[k], name=k) for k in ("slot", "column_step"))
        m.d.sync += [data.eq(port.write.data), adc.eq(field["adc"])]
        with m.If(writing):
            m.d.sync += [slot.eq(field["slot"]), column_step.eq(field["column_step"])]
        with m.Else():
            m.d.sync += [slot.eq(step.slot), column_step.eq(step.column_step)]
        pairs = []
        for j, adc_bits in enumerate(self.hardware.plane_adc_bits):
            pair = []
            for sign, sign_name in enumerate(("positive", "negative")):
                macro = ArrayMacro(hardware=self.hardware, adc_bits=adc_bits)
                m.submodules[f"macro_{j}_{sign_name}"] = shared(macro, platform)
                m.d.sync += macro.write.enable.eq(
                    writing & (field["plane"] == j) & (field["sign"] == sign)
                )
                m.d.comb += [
                    macro.write.adc.eq(adc),
                    macro.write.data.eq(data),
                    macro.slot.eq(slot),
                    macro.column_step.eq(column_step),
                    macro.grounded.eq(grounded),
                ]
                pair.append(macro)
            pairs.append((pair[0], pair[1]))
        return pairs

    def _clip_counters(
        self,
        m: Module,
        platform: object,
        macros: list[tuple[ArrayMacro, ArrayMacro]],
        valid: Any,
        clear: Any,
    ) -> None:
        """Count the clips of each plane, both signs together."""
        for j, (positive, negative) in enumerate(macros):
            counter = ClipCounter(
                flags=2 * self.hardware.adcs_per_crossbar, width=CLIP_COUNTER_BITS
            )
            m.submodules[f"clip_counter_{j}"] = shared(counter, platform)
            m.d.comb += [
                counter.clear.eq(clear),
                counter.valid.eq(valid),
                counter.clips.eq(Cat(positive.clips, negative.clips)),
                self.clips[j].eq(counter.count),
            ]
