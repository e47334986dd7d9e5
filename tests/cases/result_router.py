"""Cases of :class:`sme_hw.result_router.ResultRouter`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.result_router import result_router
from sme_hw.array_cycles import ARRAY_VECTORS
from sme_hw.params import HardwareParams
from sme_hw.result_router import ResultRouter

from .case import SEED, Case, Clocked, Expected, Phase, Streams, Values
from .hardware import HARDWARE
from .routes import ARRAYS, load_routes, random_masks, route_pattern

__all__ = ["cases"]

LATENCY = 2
"""Clocks from the begin of a vector to its first route, as the component's docstring says."""


def _phases(hardware: HardwareParams, units: int) -> Iterator[Phase]:
    rng = np.random.default_rng(SEED + units)
    sets = hardware.weight_sets
    masks = [random_masks(rng, units, int(rng.integers(1, units + 1))) for _ in range(sets)]
    masks[-1] = random_masks(rng, units, units)
    yield load_routes(hardware, units, [[(mask, 0) for mask in part] for part in masks])
    # As many as may be under way, before any route is taken; then they are taken.
    order = rng.integers(sets, size=ARRAY_VECTORS).tolist()
    routes = [
        route_pattern(hardware, units, mask, 0, final)
        for mask, final in result_router(order, masks)
    ]
    named = [{"set": weight_set} if sets > 1 else {} for weight_set in order]
    clocks: list[tuple[Values, Expected]] = [
        ({"begun": 1, "o__ready": 0} | named[0], {"o__valid": 0})
    ]
    clocks += [({"begun": 0}, {"o__valid": 0})] * (LATENCY - 1)
    clocks += [({"begun": 1} | one, {"o__valid": 1, "o__payload": routes[0]}) for one in named[1:]]
    yield Clocked("all begin", [*clocks, ({"begun": 0}, {})])
    yield Streams("routes", receives={"o": routes})
    # One clock after the other, each with its routes at once.
    alone = [s for s in range(sets) for _ in range(3)]
    clocks = []
    for weight_set in alone:
        begun = {"begun": 1, "o__ready": 1} | ({"set": weight_set} if sets > 1 else {})
        clocks.append((begun, {"o__valid": 0}))
        clocks += [({"begun": 0}, {"o__valid": 0})] * (LATENCY - 1)
        for mask, final in result_router([weight_set], masks):
            pattern = route_pattern(hardware, units, mask, 0, final)
            clocks.append(({}, {"o__valid": 1, "o__payload": pattern}))
    yield Clocked("one by one", [*clocks, ({}, {"o__valid": 0})])


def cases() -> Iterator[Case]:
    """Yield one case per parameter set and number of units."""
    for name, units in ARRAYS:
        hardware = HARDWARE[name]
        yield Case(
            f"result_router-{name}-{units}",
            lambda hardware=hardware, units=units: ResultRouter(hardware=hardware, units=units),
            list(_phases(hardware, units)),
        )
