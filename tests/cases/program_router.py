"""Cases of :class:`sme_hw.program_router.ProgramRouter`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.program_router import program_router
from sme_hw.array_pack import pack_array
from sme_hw.array_program import ArrayRegion
from sme_hw.params import HardwareParams
from sme_hw.program import REGION_OFFSET, Control, Region, entry_bits
from sme_hw.program_router import ProgramRouter

from .array_run import random_array
from .case import SEED, Case, Clocked, Expected, Phase, Span, Streams, Values
from .hardware import HARDWARE
from .values import pattern

__all__ = ["cases"]

ARRAYS = (("slc", 1), ("sets", 5), ("tall", 3))

LATENCY = 2
"""Clocks from a word to that for the units, as the component's docstring says."""


def _header(region: int, entry: int, count: int) -> list[int]:
    return [region << REGION_OFFSET | entry, count]


def _stream(name: str, program: list[int], hardware: HardwareParams, units: int) -> Streams:
    parts = program_router(program, hardware, units)
    return Streams(
        name,
        sends={"i": program},
        receives={f"o__{u}": part for u, part in enumerate(parts)},
        random=["idle"],
        spans=[Span(("i", 0), ("i", -1), len(program) - 1)],
    )


def _odd(hardware: HardwareParams, units: int) -> list[int]:
    """Return records of regions that nobody knows, empty ones, overlong ones, for some units."""
    last = 1 << units - 1
    return [
        *_header(ArrayRegion.UNITS, last, 0),
        *_header(9, 3, 2),
        *(7, 8),
        *_header(Region.CELLS, 0, 0),
        *_header(Region.GROUPS, 0, 2 << entry_bits(hardware)),
        # Of the array's own regions, neither headers nor entries go to a unit.
        *_header(ArrayRegion.ROUTES, 0, 1),
        *_header(ArrayRegion.UNITS, 0, 0),
        *_header(ArrayRegion.UNITS, (1 << units) - 1, 2),
        *_header(ArrayRegion.UNITS, last, 0),
        *_header(Region.CONTROL, Control.ROW_LAST, 1),
        1,
    ]


def _shown(hardware: HardwareParams, units: int) -> Clocked:
    """Look at what is shown of records for all units, and for one of them."""
    one = _header(ArrayRegion.UNITS, 1, 0)
    everyone = _header(ArrayRegion.UNITS, (1 << units) - 1, 0)
    mode = [*_header(Region.CONTROL, Control.MODE, 1), 3]
    write = {
        "write__enable": 1,
        "write__region": int(Region.CONTROL),
        "write__entry": int(Control.MODE),
        "write__data": 3,
    }
    words = [*everyone, *mode, *one, *mode]
    expected: list[Expected] = [{} for _ in range(len(words) + 1)]
    for first, mask in ((0, (1 << units) - 1), (5, 1)):
        expected[first] = {
            "choice": 1,
            "chosen": pattern(everyone[0] if first == 0 else one[0], 28),
        }
        expected[first + 1] = {"choice": 0}
        expected[first + 5] = write | {"all_units": int(mask == (1 << units) - 1)}
    clocks: list[tuple[Values, Expected]] = [
        ({"idle": 1, "i__valid": 1, "i__payload": word}, {"i__ready": 1} | shown)
        for word, shown in zip(words, expected, strict=False)
    ]
    clocks.append(({"i__valid": 0}, expected[-1] | {"busy": 1}))
    for unit in range(units):
        clocks[0] = (clocks[0][0] | {f"o__{unit}__ready": 1}, clocks[0][1])
    return Clocked("shown to the array", clocks)


def _phases(hardware: HardwareParams, units: int) -> Iterator[Phase]:
    rng = np.random.default_rng(SEED + units)
    images = [random_array(rng, hardware, units) for _ in range(hardware.weight_sets)]
    program = pack_array(images, hardware, units).tolist()
    # After reset, records go to all units.
    first = [*_header(Region.CONTROL, Control.MODE, 1), 0]
    parts = program_router(first, hardware, units)
    yield Streams(
        "after reset",
        sends={"i": first},
        receives={f"o__{u}": part for u, part in enumerate(parts)},
        levels={"idle": 1},
        spans=[Span(("i", 0), (f"o__{u}", 0), LATENCY) for u in range(units)],
    )
    yield _stream("program of an array", program, hardware, units)
    yield Clocked("refuse unless idle", [({"idle": 0, "i__valid": 1}, {"i__ready": 0, "busy": 0})])
    yield Clocked("idle", [({"i__valid": 0}, {"busy": 0})])
    yield _stream("odd records", _odd(hardware, units), hardware, units)
    yield _shown(hardware, units)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set and number of units."""
    for name, units in ARRAYS:
        hardware = HARDWARE[name]
        yield Case(
            f"program_router-{name}-{units}",
            lambda hardware=hardware, units=units: ProgramRouter(hardware=hardware, units=units),
            list(_phases(hardware, units)),
        )
