# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""Several compute units as one: a layer that is larger than a crossbar, at once."""

from itertools import pairwise

from amaranth import Array, Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .array_cycles import ARRAY_VECTORS
from .array_program import (
    ROUTE_FINAL,
    ROUTE_LAST_BEAT_OFFSET,
    ROUTE_RESULTS,
    ArrayRegion,
    check_units,
)
from .broadcast import Broadcast
from .compare import at_least
from .compute_unit import ComputeUnit
from .input_router import InputRouter
from .params import CLIP_COUNTER_BITS, PROGRAM_BITS, HardwareParams, index_bits
from .program import MODE_ENABLE, Control, Region
from .program_router import ProgramRouter
from .result_join import ArrayResultBeat, ResultJoin
from .result_router import ResultRouter
from .route_check import RouteCheck
from .row_conversion import input_payload
from .sharing import shared
from .weight_sets import delayed_set, set_address, set_of

__all__ = ["TileArray"]


class TileArray(wiring.Component):
    """Multiply input vectors by a matrix of up to as many tiles as there are units.

    ========= =======================================================================
    way       modules
    ========= =======================================================================
    program   ProgramPort (what is the array's own), RouteCheck, Broadcast
    inputs    InputRouter, Broadcast: a packet goes to the units that share its rows
    tiles     ComputeUnit, one per tile
    results   ResultRouter, ResultJoin: a packet is the sum of tiles of equal columns
    ========= =======================================================================

    An input vector is packets, one after the other, each for the units of its mask; a result vector
    is packets, each the sum of the results of the units of its mask. The masks are programmed
    (:mod:`sme_hw.array_program`), for every weight set its own, so any arrangement of tiles works
    (reconstructed). A program is taken, and vectors are let in, as by one compute unit; a vector of
    a set without routes is not let in.

    A reset has to last for :data:`sme_hw.array_cycles.ARRAY_RESET_CLOCKS`. Units leave it one after
    the other, and nothing is taken until the last one did.

    Parameters
    ----------
    hardware : HardwareParams
        What each unit is built for.
    units : int
        Compute units, 1..8.

    Members
    -------
    program : In(stream.Signature(32))
        Program words.
    i : In(stream.Signature(input_payload))
        Input vectors, packet by packet.
    o : Out(stream.Signature(ArrayResultBeat))
        Result vectors, packet by packet, in code steps times input steps.
    clip_unit : In(range(units))
    clip_plane : In(range(planes))
        Unit and built plane, the most significant first, whose clips are shown.
    clips : Out(32)
        Clipped conversions, :func:`sme_hw.array_cycles.array_clip_settle_cycles` later; 0 with
        lossless ADCs.
    busy : Out(1)
        A vector or a program is under way.
    error : Out(1)
        The program made no sense (RouteCheck, and ProgramCheck of any unit), or results of
        different lengths were added: results mean nothing. Or a vector waits that names a set
        without routes. Cleared when a program disables the array.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        check_units(units)
        self.hardware = hardware
        self.units = units
        super().__init__(
            {
                "program": In(stream.Signature(PROGRAM_BITS)),
                "i": In(stream.Signature(input_payload(hardware))),
                "o": Out(stream.Signature(ArrayResultBeat(hardware=hardware, units=units))),
                "clip_unit": In(index_bits(units)),
                "clip_plane": In(index_bits(hardware.planes)),
                "clips": Out(CLIP_COUNTER_BITS),
                "busy": Out(1),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the units with what distributes and collects."""
        m = Module()
        hardware, count = self.hardware, self.units
        units = [ComputeUnit(hardware=hardware) for _ in range(count)]
        programs = ProgramRouter(hardware=hardware, units=count)
        check = RouteCheck(hardware=hardware, units=count)
        router = InputRouter(hardware=hardware, units=count)
        inputs = Broadcast(width=self.i.payload.shape().size, units=count)
        results = ResultRouter(hardware=hardware, units=count)
        join = ResultJoin(hardware=hardware, units=count)
        # One register would have to reach all over the FPGA, and equal ones would become one.
        resets = [Signal(name=f"reset_{k}", init=1) for k in range(count + 1)]
        m.d.sync += [resets[0].eq(0), *(b.eq(a) for a, b in pairwise(resets))]
        closed = resets[-1]
        m.submodules.program_router = shared(programs, platform, closed)
        m.submodules.route_check = shared(check, platform, closed)
        m.submodules.input_router = shared(router, platform, closed)
        m.submodules.inputs = shared(inputs, platform, closed)
        m.submodules.result_router = shared(results, platform, closed)
        m.submodules.result_join = shared(join, platform, closed)
        for number, unit in enumerate(units):
            m.submodules[f"unit_{number}"] = shared(unit, platform, resets[number])
            wiring.connect(m, programs.o[number], unit.program)
            m.d.comb += [
                unit.i.payload.eq(inputs.o[number].payload),
                unit.i.valid.eq(inputs.o[number].valid),
                inputs.o[number].ready.eq(unit.i.ready),
            ]
            wiring.connect(m, unit.o, join.i[number])
        for source, target in ((self.program, programs.i), (self.i, router.i)):
            m.d.comb += [
                target.payload.eq(source.payload),
                target.valid.eq(source.valid & ~closed),
                source.ready.eq(target.ready & ~closed),
            ]
        wiring.connect(m, router.o, inputs.i)
        wiring.connect(m, results.o, join.routes)
        wiring.connect(m, join.o, wiring.flipped(self.o))
        enable = self._programmed(m, programs, check, router, results)

        # Vectors under way. One that begins or is done is counted a clock later.
        under_way = Signal(range(ARRAY_VECTORS + 1))
        begun, done, room, idle, usable = (
            Signal(name=name) for name in ("begun", "done", "room", "idle", "usable")
        )
        m.d.comb += [
            idle.eq((under_way == 0) & ~begun),
            programs.idle.eq(idle),
            usable.eq(check.usable.bit_select(set_of(self.i.payload), 1)),
            router.may_begin.eq(enable & usable & room & ~self.program.valid & ~programs.busy),
            results.begun.eq(begun),
        ]
        m.d.sync += [
            begun.eq(router.begins),
            done.eq(self.o.valid & self.o.ready & self.o.payload.last),
            under_way.eq(under_way + begun - done),
            # Two more may have begun, and a third one may be let in with this.
            room.eq(~at_least(under_way, ARRAY_VECTORS - 2)),
        ]
        weight_set = delayed_set(m, set_of(self.i.payload), "begun_set")
        if len(weight_set):
            m.d.comb += results.set.eq(weight_set)
        unusable = self.i.valid & enable & ~usable
        self._report(m, units, check, join, ~idle | programs.busy, unusable)
        return m

    def _programmed(
        self,
        m: Module,
        programs: ProgramRouter,
        check: RouteCheck,
        router: InputRouter,
        results: ResultRouter,
    ) -> Value:
        """Lead writes to the tables of routes and to the check; returns whether it is enabled."""
        write = programs.write
        enable = Signal()
        m.d.comb += [
            check.write.enable.eq(write.enable),
            check.write.region.eq(write.region),
            check.write.entry.eq(write.entry),
            check.write.data.eq(write.data),
            check.all_units.eq(programs.all_units),
            check.choice.eq(programs.choice),
            check.chosen.eq(programs.chosen),
            check.overlong.eq(programs.overlong),
        ]
        if self.hardware.set_bits:
            m.d.comb += check.write.set.eq(write.set)
        of_results = write.data[ROUTE_RESULTS.bit_length() - 1]
        for table, chosen in ((router, ~of_results), (results, of_results)):
            m.d.comb += [
                table.write.enable.eq(write.enable & (write.region == ArrayRegion.ROUTES) & chosen),
                table.write.address.eq(set_address(write.entry, self.units, set_of(write))),
                table.write.data.units.eq(write.data),
                table.write.data.last_beat.eq(write.data[ROUTE_LAST_BEAT_OFFSET:]),
                table.write.data.final.eq(write.data[ROUTE_FINAL.bit_length() - 1]),
            ]
        mode = (write.region == Region.CONTROL) & (write.entry == Control.MODE)
        with m.If(write.enable & mode):
            m.d.sync += enable.eq((write.data & MODE_ENABLE) != 0)
        return enable

    def _report(
        self,
        m: Module,
        units: list[ComputeUnit],
        check: RouteCheck,
        join: ResultJoin,
        busy: Value,
        unusable: Value,
    ) -> None:
        """Collect what the units report, through registers as it comes from all over the FPGA."""
        plane = Signal.like(self.clip_plane)
        number = Signal.like(self.clip_unit)
        unit_error = Signal()
        unit_busy = Signal()
        misrouted = Signal()
        m.d.sync += [
            plane.eq(self.clip_plane),
            number.eq(self.clip_unit),
            self.clips.eq(Array(unit.clips for unit in units)[number]),
            unit_error.eq(Cat(unit.error for unit in units).any()),
            unit_busy.eq(Cat(unit.busy for unit in units).any()),
        ]
        m.d.comb += [
            *(unit.clip_plane.eq(plane) for unit in units),
            self.error.eq(unit_error | check.error | misrouted),
            self.busy.eq(busy | unit_busy),
        ]
        with m.If(join.uneven | unusable):
            m.d.sync += misrouted.eq(1)
        with m.Elif(check.restarts):
            m.d.sync += misrouted.eq(0)
