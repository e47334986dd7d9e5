# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""The compute unit: one tile of a layer, from activations to dot products."""

from typing import Any

import numpy as np
from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .clip_counters import ClipCounters
from .configuration import Configuration
from .cycles import (
    INPUT_BUFFERS,
    INPUT_REGISTER_LATENCY,
    group_latency,
    macro_latency,
    shift_add_latency,
)
from .group_scheduler import GroupScheduler
from .input_gather import InputGather
from .input_register import InputRegister
from .merged_xb_group import MergedXbGroup
from .params import CLIP_COUNTER_BITS, PROGRAM_BITS, HardwareParams, index_bits
from .program import (
    GROUP_LAST_OFFSET,
    GROUP_SLOT_OFFSET,
    Region,
    cell_fields,
)
from .program_check import ProgramCheck
from .program_port import ProgramPort
from .result_buffer import ResultBeat, ResultBuffer
from .row_conversion import RowConversion, input_payload
from .sharing import shared
from .shift_add import ShiftAdd
from .weight_sets import delayed_set, set_address, set_of
from .xb_group import XbGroup

__all__ = ["ComputeUnit"]


class ComputeUnit(wiring.Component):
    """Multiply input vectors by the matrix in one XB group: the paper's in-situ computation unit.

    ========================= ============================================================
    stage                     module
    ========================= ============================================================
    program                   ProgramPort, ProgramCheck, Configuration
    squeeze-out index decode  InputGather (reordered rows only), RowConversion
    bit-serial word lines     InputRegister, stepped by GroupScheduler
    crossbars, ADCs, splice   XbGroup; MergedXbGroup with lossless ADCs
    shift-and-add             ShiftAdd, one per ADC of a crossbar
    output register           ResultBuffer
    ========================= ============================================================

    A program is loaded first; it enables the input stream. A further program is taken as soon as
    all vectors under way have left. With several weight sets the program loads as many tiles, and
    every vector names the one that it is for. Clock counts: :mod:`sme_hw.cycles`
    and :mod:`sme_hw.run_cycles`.

    Parameters
    ----------
    hardware : HardwareParams
        Everything the unit is built for.

    Members
    -------
    program : In(stream.Signature(32))
        Program words (:mod:`sme_hw.program`).
    i : In(stream.Signature(input_payload))
        Input vectors in row order.
    o : Out(stream.Signature(ResultBeat))
        Results in column order, in code steps times input steps.
    clip_plane : In(range(planes))
        Built plane, the most significant first, whose clips are shown.
    clips : Out(32)
        Its clipped conversions, :func:`sme_hw.cycles.clip_settle_cycles` later; 0 with lossless
        ADCs.
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
                "i": In(stream.Signature(input_payload(hardware))),
                "o": Out(stream.Signature(ResultBeat(hardware))),
                "clip_plane": In(index_bits(hardware.planes)),
                "clips": Out(CLIP_COUNTER_BITS),
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
        # One that begins or is done is counted a clock later: either comes late in its clock.
        under_way, next_under_way = (
            Signal(range(INPUT_BUFFERS + 1), name=n) for n in ("under_way", "next_under_way")
        )
        none = Signal(init=1)
        one_place = Signal()
        full = Signal()
        begun = Signal()
        done = Signal()
        empty = Signal()
        accept = Signal()
        begins = Signal()
        quiet = Signal(init=1)
        idle = Signal(init=1)
        may_begin = configuration.enable & ~self.program.valid & ~port.busy
        m.d.comb += [
            accept.eq(front.mid_vector | (may_begin & ~full & ~(one_place & begun))),
            next_under_way.eq(under_way + begun - done),
            begins.eq(self.i.valid & self.i.ready & ~front.mid_vector),
            front.i.payload.eq(self.i.payload),
            front.i.valid.eq(self.i.valid & accept),
            self.i.ready.eq(front.i.ready & accept),
            conversion.last_beat.eq(configuration.row_last),
            scheduler.last_group.eq(configuration.group_last),
            scheduler.last_column_step.eq(configuration.column_last),
            results.last_column_step.eq(configuration.column_last),
            results.last_beat.eq(configuration.result_last),
            empty.eq(none & ~begun),
            # A vector that has begun in the last clock is not in `idle` yet.
            port.idle.eq(idle & ~begun),
            self.busy.eq(~port.idle | port.busy),
        ]
        m.d.sync += [
            begun.eq(begins),
            done.eq(scheduler.done),
            under_way.eq(next_under_way),
            none.eq(next_under_way == 0),
            one_place.eq(next_under_way == INPUT_BUFFERS - 1),
            full.eq(next_under_way == INPUT_BUFFERS),
            # A clock late: the results of a vector that is done are reserved by then.
            quiet.eq(results.empty & empty),
            idle.eq(quiet & empty),
        ]
        wiring.connect(m, conversion.o, inputs.i)
        wiring.connect(m, inputs.vector, scheduler.vector)
        if hardware.zero_skip:
            m.d.comb += scheduler.vector_masks.eq(inputs.vector_masks)
        m.d.comb += [
            inputs.select.bit_block.eq(scheduler.step.bit_block),
            inputs.select.lanes.eq(scheduler.step.lanes),
            inputs.select.slot.eq(scheduler.step.slot),
            scheduler.room.eq(results.room),
            results.reserve.eq(scheduler.step_valid & scheduler.step.last),
        ]

        tables: dict[Region, Any] = {}
        if hardware.rcmr_bits:
            tables[Region.RCMR] = conversion
        if hardware.input_index:
            tables[Region.INDEX] = front
        if hardware.set_bits:
            m.d.comb += [
                check.write.set.eq(port.write.set),
                configuration.set.eq(port.write.set),
            ]
        self._connect_program(m, port, configuration, scheduler, tables)

        # The step travels beside the samples.
        step = {0: (scheduler.step_valid, scheduler.step)}
        at_samples = INPUT_REGISTER_LATENCY + group_latency(hardware)
        for clock in range(1, at_samples + 1):
            valid = Signal(name=f"step_valid_{clock}")
            payload = Signal(scheduler.step.shape(), name=f"step_{clock}", reset_less=True)
            m.d.sync += [valid.eq(step[clock - 1][0]), payload.eq(step[clock - 1][1])]
            step[clock] = valid, payload

        result_set = set_of(step[at_samples][1])
        # It reaches the buffer a clock before the results.
        for clock in range(shift_add_latency(hardware) - 1):
            result_set = delayed_set(m, result_set, f"result_set_{clock + 1}")
        if len(result_set):
            m.d.comb += results.i_set.eq(result_set)

        group = self._xb_group(m, platform, port, step[INPUT_REGISTER_LATENCY - 1][1])
        m.d.comb += group.grounded.eq(inputs.grounded)
        if isinstance(group, XbGroup):
            at_codes = INPUT_REGISTER_LATENCY + macro_latency(hardware)
            self._clip_counters(m, platform, group, step[at_codes][0], configuration.clear)

        for a in range(hardware.adcs_per_crossbar):
            shift_add = ShiftAdd(hardware=hardware)
            m.submodules[f"shift_add_{a}"] = shared(shift_add, platform)
            valid, payload = step[at_samples]
            m.d.comb += [
                shift_add.valid.eq(valid),
                shift_add.samples.eq(group.samples[a]),
                shift_add.column_step.eq(payload.column_step),
                shift_add.bit_block.eq(payload.bit_block),
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
            scheduler.write.address.eq(
                set_address(write.entry, self.hardware.slots, set_of(write))
            ),
            scheduler.write.data.first.eq(write.data),
            scheduler.write.data.last.eq(write.data[GROUP_LAST_OFFSET:GROUP_SLOT_OFFSET]),
            scheduler.write.data.slot.eq(write.data[GROUP_SLOT_OFFSET:]),
        ]
        for region, table in tables.items():
            m.d.comb += [
                table.write.enable.eq(write.enable & (write.region == region)),
                table.write.address.eq(
                    set_address(write.entry, self.hardware.row_beats, set_of(write))
                ),
                table.write.data.eq(write.data),
            ]

    def _xb_group(
        self, m: Module, platform: object, port: ProgramPort, step: Any
    ) -> XbGroup | MergedXbGroup:
        """Build the crossbars, with the way of a program's cells to them."""
        hardware = self.hardware
        field, offset = {}, 0
        for name, width in cell_fields(hardware).items():
            field[name] = port.write.entry[offset : offset + width]
            offset += width
        # Cells are written where a conversion would read them.
        writing = port.write.enable & (port.write.region == Region.CELLS)
        group: XbGroup | MergedXbGroup
        if hardware.merged:
            group = MergedXbGroup(hardware=hardware)
            enable = writing
        else:
            group = XbGroup(hardware=hardware)
            # Decoded before it crosses the FPGA.
            enable = Cat(
                writing & (field["plane"] == plane) & (field["sign"] == sign)
                for plane, sign in np.ndindex(hardware.planes, 2)
            )
        m.submodules.xb_group = shared(group, platform)
        # A reset would have to reach every block RAM.
        cells = Signal.like(group.write.data, reset_less=True)
        m.d.comb += group.write.data.eq(cells)
        m.d.sync += [
            group.write.enable.eq(enable),
            group.write.adc.eq(field["adc"]),
            cells.eq(port.write.data),
            group.slot.eq(Mux(writing, field["slot"], step.slot)),
            group.column_step.eq(Mux(writing, field["column_step"], step.column_step)),
        ]
        if hardware.set_bits:
            m.d.sync += group.set.eq(Mux(writing, port.write.set, step.set))
        return group

    def _clip_counters(
        self, m: Module, platform: object, group: XbGroup, valid: Any, clear: Any
    ) -> None:
        """Count the clips of each plane, both signs together."""
        counters = ClipCounters(
            planes=self.hardware.planes,
            flags=self.hardware.clip_flags,
            width=CLIP_COUNTER_BITS,
        )
        m.submodules.clip_counters = shared(counters, platform)
        m.d.comb += [
            counters.clear.eq(clear),
            counters.valid.eq(valid),
            counters.clips.eq(group.clips),
            counters.select.eq(self.clip_plane),
            self.clips.eq(counters.count),
        ]
