"""Watches the routes in a program, so that the host learns of those that make no sense."""

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .array_program import (
    ROUTE_FINAL,
    ROUTE_LAST_BEAT_OFFSET,
    ROUTE_RESULTS,
    UNITS_MAX,
    ArrayRegion,
)
from .compare import at_least
from .params import PROGRAM_BITS, HardwareParams, index_bits
from .program import MODE_ENABLE, Control, Region
from .program_port import EntryWrite
from .weight_sets import set_of

__all__ = ["RouteCheck"]


def _given(units: int) -> data.StructLayout:
    """Return what is noted of one kind of packets of a set: units so far, packets, and the end.

    After a wrong route it is complete and without units, so that the set cannot be used.
    """
    return data.StructLayout(
        {"units": unsigned(units), "count": index_bits(units + 1), "complete": unsigned(1)}
    )


class RouteCheck(wiring.Component):
    """Raise a flag at a write that makes no sense to an array; it stays until it is disabled.

    Flagged are: a route that is not the next one of its kind (a first one always may come), that
    has no unit, one that does not exist or one that has a packet already, or a last beat that a
    vector of a unit cannot have; an entry of the region that chooses units, a choice of none or of
    units that do not exist; a mode that does not go to all units; enabling without any routes, or
    while the routes of a set are incomplete or take other units for results than for inputs; an
    overlong record (reconstructed). The flag follows the write by two clocks.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Units of the array.

    Members
    -------
    write : In(EntryWrite)
        Decoded writes of the array's program port.
    all_units : In(1)
        They go to all units.
    choice : In(1)
        A record that chooses units begins.
    chosen : In(28)
        The mask of these units.
    overlong : In(1)
        A record announces far too many entries.
    usable : Out(weight_sets)
        Sets whose routes are complete and right, two clocks after the write.
    restarts : Out(1)
        For one clock: a program disabled the array.
    error : Out(1)
        A write made no sense.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        self.hardware = hardware
        self.units = units
        super().__init__(
            {
                "write": In(EntryWrite(hardware=hardware, width=PROGRAM_BITS)),
                "all_units": In(1),
                "choice": In(1),
                "chosen": In(28),
                "overlong": In(1),
                "usable": Out(hardware.weight_sets),
                "restarts": Out(1),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the comparators, and the memory of what was written."""
        m = Module()
        write = self.write
        mode = (write.region == Region.CONTROL) & (write.entry == Control.MODE)
        enables = (write.data & MODE_ENABLE) != 0
        wrong_choice = ~self.chosen.any() | self.chosen[self.units :].any()
        wrong_route, unready = self._routes(m)
        wrong = Signal()
        m.d.sync += [
            wrong.eq(
                (self.choice & wrong_choice)
                | self.overlong
                | (
                    write.enable
                    & (
                        ((write.region == ArrayRegion.ROUTES) & wrong_route)
                        | (write.region == ArrayRegion.UNITS)
                        | (mode & (~self.all_units | (enables & unready)))
                    )
                )
            ),
            self.restarts.eq(write.enable & mode & ~enables),
        ]
        with m.If(wrong):
            m.d.sync += self.error.eq(1)
        with m.Elif(self.restarts):
            m.d.sync += self.error.eq(0)
        return m

    def _routes(self, m: Module) -> tuple[Value, Value]:
        """Return whether the route written is wrong, and whether those there are not usable."""
        write, units, sets = self.write, self.units, self.hardware.weight_sets
        layout = _given(units)
        given = [Signal(layout, name=f"given_{s}_{kind}") for s in range(sets) for kind in range(2)]
        results = write.data[ROUTE_RESULTS.bit_length() - 1]
        final = write.data[ROUTE_FINAL.bit_length() - 1]
        mask = write.data[:units]
        there = Array(given)[Cat(results, set_of(write))]
        first = write.entry == 0
        before = Signal(layout)
        m.d.comb += before.eq(Mux(first, 0, there.as_value()))
        last_beat = write.data[ROUTE_LAST_BEAT_OFFSET : ROUTE_RESULTS.bit_length() - 1]
        wrong = (
            (write.entry != before.count)
            | before.complete
            | ~mask.any()
            | write.data[units:UNITS_MAX].any()
            | (mask & before.units).any()
            | Mux(results, last_beat.any(), at_least(last_beat, self.hardware.input_beats))
        )
        if sets < 1 << self.hardware.set_bits:
            wrong |= at_least(set_of(write), sets)
        with m.If(write.enable & (write.region == ArrayRegion.ROUTES)):
            m.d.sync += [
                there.units.eq(Mux(wrong, 0, before.units | mask)),
                there.count.eq(before.count + 1),
                there.complete.eq(wrong | final),
            ]
        ready, some = Const(1), Const(0)
        for number, (inputs, outputs) in enumerate(zip(given[::2], given[1::2], strict=True)):
            used = inputs.as_value().any() | outputs.as_value().any()
            good = Signal(name=f"good_{number}")
            m.d.comb += good.eq(
                (inputs.complete & outputs.complete)
                & (inputs.units == outputs.units)
                & inputs.units.any()
            )
            m.d.sync += self.usable[number].eq(good)
            ready &= good | ~used
            some |= good
        return wrong, ~(ready & some)
