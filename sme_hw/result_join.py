# amaranth: UnusedElaboratable=no
# Equal buffers are emitted once (see sharing.py), so most of them are never elaborated.
"""Adds the results of several units, beat by beat."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .array_cycles import adder_levels
from .array_program import Route
from .params import HardwareParams
from .result_buffer import ResultBeat
from .sharing import shared
from .skid_buffer import SkidBuffer

__all__ = ["ArrayResultBeat", "ResultJoin"]


class ArrayResultBeat(data.StructLayout):
    """One transfer of the result stream of an array.

    Fields
    ------
    results : ArrayLayout(signed(result_bits + adder_levels(units)), results_per_beat)
        Results of consecutive columns, lowest first; 0 beyond the packet's last column.
    last : 1
        The vector's last beat.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        result = signed(hardware.result_bits + adder_levels(units))
        super().__init__(
            {"results": data.ArrayLayout(result, hardware.results_per_beat), "last": 1}
        )


class ResultJoin(wiring.Component):
    """Add the results of the units that a packet's route names, beat by beat.

    A beat is taken when all these units have one, and the sum is on offer
    :func:`sme_hw.array_cycles.join_latency` clocks after the last of them came: a register for each
    unit, one for the beats that are added, one for each level of the adder tree, and one behind it.
    One beat a clock; there is no bubble between packets or vectors. A packet ends with the units'
    mark of a vector's last beat.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Units of the array.

    Members
    -------
    i : In(stream.Signature(ResultBeat)), one per unit
        Results of the units.
    routes : In(stream.Signature(Route))
        Units of every packet.
    o : Out(stream.Signature(ArrayResultBeat))
        Sums.
    uneven : Out(1)
        Of units that are added, some ended their vector in the clock before and some did not.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        self.hardware = hardware
        self.units = units
        beat = ArrayResultBeat(hardware=hardware, units=units)
        super().__init__(
            {
                "i": In(stream.Signature(ResultBeat(hardware))).array(units),
                "routes": In(stream.Signature(Route(hardware=hardware, units=units))),
                "o": Out(stream.Signature(beat)),
                "uneven": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the buffers, what waits for all units, and the tree."""
        m = Module()
        layout = ResultBeat(self.hardware)
        route = self.routes.payload
        # All stages pause together.
        advance = Signal()
        complete = Signal()
        last = Signal()
        lasts = Signal(self.units)
        m.d.comb += [complete.eq(self.routes.valid & advance), last.eq((lasts & route.units).any())]
        captured = []
        for unit in range(self.units):
            buffer = SkidBuffer(width=layout.size)
            m.submodules[f"buffer_{unit}"] = shared(buffer, platform)
            beat = data.View(layout, buffer.o.payload)
            m.d.comb += [
                buffer.i.payload.eq(self.i[unit].payload),
                buffer.i.valid.eq(self.i[unit].valid),
                self.i[unit].ready.eq(buffer.i.ready),
                buffer.o.ready.eq(complete & route.units[unit]),
                lasts[unit].eq(beat.last),
            ]
            with m.If(route.units[unit] & ~buffer.o.valid):
                m.d.comb += complete.eq(0)
            results = []
            for lane in range(self.hardware.results_per_beat):
                result = Signal(
                    signed(self.hardware.result_bits),
                    name=f"result_{unit}_{lane}",
                    reset_less=True,
                )
                with m.If(advance):
                    m.d.sync += result.eq(Mux(route.units[unit], beat.results[lane], 0))
                results.append(result)
            captured.append(results)
        m.d.comb += self.routes.ready.eq(complete & last)
        m.d.sync += self.uneven.eq(complete & (~lasts & route.units).any() & last)

        valid = Signal()
        ends = Signal(reset_less=True)
        with m.If(advance):
            m.d.sync += [valid.eq(complete), ends.eq(last & route.final)]
        level = 0
        while len(captured) > 1:
            level += 1
            later_valid = Signal(name=f"valid_{level}")
            later_ends = Signal(name=f"ends_{level}", reset_less=True)
            with m.If(advance):
                m.d.sync += [later_valid.eq(valid), later_ends.eq(ends)]
            valid, ends = later_valid, later_ends
            captured = self._add_pairs(m, captured, level, advance)
        behind = SkidBuffer(width=self.o.payload.shape().size)
        m.submodules.behind = shared(behind, platform)
        sums = data.View(self.o.payload.shape(), behind.i.payload)
        m.d.comb += [
            advance.eq(behind.i.ready),
            behind.i.valid.eq(valid),
            sums.last.eq(ends),
            *(sums.results[lane].eq(value) for lane, value in enumerate(captured[0])),
            self.o.payload.eq(behind.o.payload),
            self.o.valid.eq(behind.o.valid),
            behind.o.ready.eq(self.o.ready),
        ]
        return m

    def _add_pairs(
        self, m: Module, beats: list[list[Signal]], level: int, advance: Signal
    ) -> list[list[Signal]]:
        """Return the sums of two beats each, a clock later; of an odd number, one goes on alone."""
        width = signed(self.hardware.result_bits + level)
        added = []
        for pair in range(0, len(beats), 2):
            sums = []
            for lane, values in enumerate(zip(*beats[pair : pair + 2], strict=True)):
                total = Signal(width, name=f"sum_{level}_{pair}_{lane}", reset_less=True)
                with m.If(advance):
                    m.d.sync += total.eq(sum(values[1:], values[0]))
                sums.append(total)
            added.append(sums)
        return added
