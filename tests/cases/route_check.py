"""Cases of :class:`sme_hw.route_check.RouteCheck`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.route_check import ArrayWrite, route_check
from sme_hw.array_program import ROUTE_FINAL, ROUTE_LAST_BEAT_OFFSET, ROUTE_RESULTS, ArrayRegion
from sme_hw.params import HardwareParams
from sme_hw.program import MODE_ENABLE, Control, Region, entry_bits
from sme_hw.route_check import RouteCheck

from .case import SEED, Case, Clocked, Expected, Values
from .hardware import HARDWARE
from .values import lanes, pipeline

__all__ = ["cases"]

ARRAYS = (("slc", 1), ("sets", 5), ("sets-quick", 3))

LATENCY = 2
"""As the component's docstring says."""

STOP = ArrayWrite(Region.CONTROL, entry=Control.MODE, value=0)
ENABLE = ArrayWrite(Region.CONTROL, entry=Control.MODE, value=MODE_ENABLE)


def _table(masks: list[int], weight_set: int = 0, results: bool = False) -> list[ArrayWrite]:
    """Return the writes of one table of routes."""
    flags = [ROUTE_RESULTS * results | ROUTE_FINAL * (m is masks[-1]) for m in masks]
    return [
        ArrayWrite(ArrayRegion.ROUTES, weight_set, number, mask | flag)
        for number, (mask, flag) in enumerate(zip(masks, flags, strict=True))
    ]


def _tables(masks: list[int], weight_set: int = 0) -> list[ArrayWrite]:
    return [*_table(masks, weight_set), *_table(masks[::-1], weight_set, results=True)]


def _right(hardware: HardwareParams, units: int) -> list[ArrayWrite]:
    """Return programs that are right, inside the borders, all sets written in turns."""
    singles = [1 << unit for unit in range(units)]
    sets = range(hardware.weight_sets)
    programs = [_tables(singles), _tables([(1 << units) - 1])]
    # Set by set, and in turns.
    of_sets = [_tables(singles, s) for s in sets]
    programs.append([write for part in of_sets for write in part])
    programs.append([write for turn in zip(*of_sets, strict=True) for write in turn])
    longest = hardware.input_beats - 1 << ROUTE_LAST_BEAT_OFFSET | 1 | ROUTE_FINAL
    programs.append([ArrayWrite(ArrayRegion.ROUTES, 0, 0, longest), *_table([1], results=True)])
    choices = [ArrayWrite(ArrayRegion.UNITS, entry=m, choice=True) for m in (1, (1 << units) - 1)]
    other = ArrayWrite(Region.GROUPS, entry=1, value=1 << 31, all_units=False)
    register = ArrayWrite(Region.CONTROL, entry=Control.ROW_LAST, value=1, all_units=False)
    writes: list[ArrayWrite] = []
    for program in programs:
        writes += [STOP, *choices, *program, other, register, ENABLE]
    return writes


def _wrong(hardware: HardwareParams, units: int) -> list[list[ArrayWrite]]:
    """Return programs that each are wrong in one way."""
    everyone = (1 << units) - 1
    routes = ArrayRegion.ROUTES
    beat = hardware.input_beats << ROUTE_LAST_BEAT_OFFSET
    programs = [
        [ArrayWrite(routes, 0, 1, 1 | ROUTE_FINAL)],
        [ArrayWrite(routes, 0, 0, ROUTE_FINAL)],
        [ArrayWrite(routes, 0, 0, 1 << units | 1 | ROUTE_FINAL)],
        [ArrayWrite(routes, 0, 0, beat | 1 | ROUTE_FINAL)],
        [ArrayWrite(routes, 0, 0, 1 << 29 | 1 | ROUTE_FINAL)],
        [ArrayWrite(routes, 0, 0, 1 << ROUTE_LAST_BEAT_OFFSET | 1 | ROUTE_RESULTS | ROUTE_FINAL)],
        [*_table([1]), ArrayWrite(routes, 0, 1, 2 | ROUTE_FINAL)],
        [ArrayWrite(routes, 0, 0, 1), ArrayWrite(routes, 0, 1, 1 | ROUTE_FINAL)],
        [ArrayWrite(ArrayRegion.UNITS, entry=0, value=1)],
        [ArrayWrite(ArrayRegion.UNITS, entry=0, choice=True)],
        [ArrayWrite(ArrayRegion.UNITS, entry=1 << units | 1, choice=True)],
        [ArrayWrite(ArrayRegion.UNITS, entry=1 << 27 | 1, choice=True)],
        [*_tables([everyone]), ArrayWrite(Region.CONTROL, 0, Control.MODE, 1, all_units=False)],
        [ArrayWrite(Region.CONTROL, 0, Control.MODE, 0, all_units=False)],
        # Not complete, on one side or the other.
        [ArrayWrite(routes, 0, 0, everyone), *_table([everyone], results=True), ENABLE],
        [*_table([everyone]), ArrayWrite(routes, 0, 0, everyone | ROUTE_RESULTS), ENABLE],
    ]
    if units > 1:
        programs.append([*_table([1, everyone - 1]), *_table([1], results=True), ENABLE])
        programs.append([*_table([1]), *_table([2], results=True), ENABLE])
    if hardware.weight_sets > 1:
        last = hardware.weight_sets - 1
        programs += [[*_table([2], last, results), ENABLE] for results in (False, True)]
    if hardware.weight_sets < 1 << hardware.set_bits:
        programs.append([ArrayWrite(routes, hardware.weight_sets, 0, 1 | ROUTE_FINAL)])
    return programs


def _driven(write: ArrayWrite, hardware: HardwareParams) -> dict[str, int]:
    """Return the ports of a write or choice."""
    ports = {"write__enable": int(not write.choice), "choice": int(write.choice)}
    ports["all_units"] = int(write.all_units)
    if write.choice:
        return ports | {"chosen": write.entry}
    ports |= {"write__region": write.region, "write__data": write.value}
    ports["write__entry"] = min(write.entry, 1 << entry_bits(hardware))
    return ports | ({"write__set": write.weight_set} if hardware.weight_sets > 1 else {})


def _shown(error: bool, usable: list[bool]) -> Expected:
    return {"error": int(error), "usable": lanes(map(int, usable), 1)}


def _phase(hardware: HardwareParams, units: int) -> Clocked:
    rng = np.random.default_rng(SEED)
    # Enabling without any routes.
    writes = [STOP, ENABLE, STOP, *_right(hardware, units)]
    assert not any(error for error, _ in route_check(writes[2:], hardware, units))
    for program in _wrong(hardware, units):
        # All routes are right before, and the flag stays until the array is disabled.
        good = [w for s in range(hardware.weight_sets) for w in _tables([1], s)]
        again = ArrayWrite(Region.CONTROL, entry=Control.ROW_LAST)
        before = [STOP, *good]
        writes += [*before, *program, again]
        assert route_check([*before, *program], hardware, units)[-1][0], program
    shown = [_shown(*flags) for flags in route_check(writes, hardware, units)]
    stimuli: list[Values] = []
    responses: list[Expected] = []
    for write, before, after in zip(writes, [{}, *shown], shown, strict=False):
        while rng.random() < 0.3:
            other = _driven(writes[rng.integers(len(writes))], hardware)
            stimuli.append(other | {"write__enable": 0, "choice": 0})
            responses.append(before)
        stimuli.append(_driven(write, hardware))
        responses.append(after)
    stop = _driven(STOP, hardware)
    for driven, flag in ((stop, 0), ({"write__enable": 0, "overlong": 1}, 1), ({"overlong": 0}, 1)):
        stimuli.append(driven)
        responses.append({"error": flag})
    return pipeline("writes", stimuli, responses, LATENCY)


def _restarts(hardware: HardwareParams) -> Clocked:
    """Look at the mark of a disabled array, which comes a clock after the write."""
    clocks: list[tuple[Values, Expected]] = []
    for write in (STOP, ENABLE, ArrayWrite(Region.GROUPS), STOP):
        stops = int(write is STOP)
        clocks.append((_driven(write, hardware), {}))
        clocks.append(({"write__enable": 0}, {"restarts": stops}))
        clocks.append(({}, {"restarts": 0}))
    return Clocked("restarts", clocks)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set and number of units."""
    for name, units in ARRAYS:
        hardware = HARDWARE[name]
        yield Case(
            f"route_check-{name}-{units}",
            lambda hardware=hardware, units=units: RouteCheck(hardware=hardware, units=units),
            [_phase(hardware, units), _restarts(hardware)],
        )
