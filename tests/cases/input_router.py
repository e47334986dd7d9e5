"""Cases of :class:`sme_hw.input_router.InputRouter`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.input_router import input_router
from sme_hw.input_router import InputRouter
from sme_hw.params import HardwareParams
from sme_hw.program import input_fields

from .case import SEED, Case, Clocked, Phase, Span, Streams
from .hardware import HARDWARE, input_beat, random_order
from .routes import ARRAYS, load_routes, random_masks
from .values import join

__all__ = ["cases"]

VECTORS = 6


def _phases(hardware: HardwareParams, units: int) -> Iterator[Phase]:
    rng = np.random.default_rng(SEED + units)
    width = sum(input_fields(hardware).values())
    routes = []
    for weight_set in range(hardware.weight_sets):
        masks = random_masks(rng, units, int(rng.integers(1, units + 1)) if weight_set else units)
        beats = rng.integers(hardware.input_beats, size=len(masks)).tolist()
        routes.append(list(zip(masks, beats, strict=True)))
    # Packets of one beat, and of as many as there may be.
    routes[0][0] = routes[0][0][0], 0
    routes[-1][-1] = routes[-1][-1][0], hardware.input_beats - 1
    yield load_routes(hardware, units, routes)

    sent, received, begins = [], [], []
    for weight_set in random_order(rng, hardware.weight_sets, VECTORS).tolist():
        masks = input_router([(mask, last + 1) for mask, last in routes[weight_set]])
        for number, mask in enumerate(masks):
            values = rng.integers(1 << hardware.input_bits, size=hardware.inputs_per_beat)
            sent.append(input_beat(hardware, values, weight_set))
            received.append(join((sent[-1], width), (mask, units)))
            if number == 0:
                begins.append({"o__payload": received[-1]})
    streams = {"sends": {"i": sent}, "receives": {"o": received}}
    spans = [Span(("i", 0), ("o", 0), 0), Span(("o", 0), ("o", -1), len(sent) - 1)]
    yield Streams(
        "vectors", **streams, flows={"begins": begins}, levels={"may_begin": 1}, spans=spans
    )
    yield Clocked("no more", [({"may_begin": 0}, {})])
    # A vector that has begun goes on.
    first = received[: len(input_router([(mask, last + 1) for mask, last in routes[0]]))]
    offer = {"i__valid": 1, "o__ready": 1}
    one = join((0, width), (routes[0][0][0], units))
    yield Clocked("not let in", [(offer | {"i__payload": 0}, {"i__ready": 0, "o__valid": 0})])
    goes = {"i__ready": 1, "o__valid": 1}
    clocks = [({"may_begin": 1}, goes | {"begins": 1, "o__payload": one})]
    clocks += [({"may_begin": 0}, goes | {"begins": 0})] * (len(first) - 1)
    yield Clocked("let in once", [*clocks, ({}, {"i__ready": 0, "o__valid": 0, "begins": 0})])


def cases() -> Iterator[Case]:
    """Yield one case per parameter set and number of units."""
    for name, units in ARRAYS:
        hardware = HARDWARE[name]
        yield Case(
            f"input_router-{name}-{units}",
            lambda hardware=hardware, units=units: InputRouter(hardware=hardware, units=units),
            list(_phases(hardware, units)),
        )
