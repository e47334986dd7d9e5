"""Cases of :class:`sme_hw.result_join.ResultJoin`."""

from collections.abc import Iterator, Sequence

import numpy as np

from sim.golden.result_join import result_join
from sme_hw.array_cycles import adder_levels, join_latency
from sme_hw.params import HardwareParams
from sme_hw.result_join import ResultJoin

from .array_run import vector_beats
from .case import SEED, Case, Clocked, Phase, Span, Streams
from .hardware import HARDWARE
from .routes import random_masks, route_pattern
from .tile_run import result_payloads

__all__ = ["cases"]

ARRAYS = (("slc", 1), ("mlc-free-shifts", 2), ("narrow", 3), ("coarse-adc", 5), ("no-shifts", 8))

VECTORS = 4

HOLD = 30
"""Clocks without a taker: longer than it takes until all stages are full."""


def _payloads(packets: Sequence[np.ndarray], hardware: HardwareParams, bits: int) -> list[int]:
    """Return the payloads of all vectors, given their packets of results."""
    vectors = vector_beats(packets, hardware)
    return [payload for vector in vectors for payload in result_payloads(vector, bits)]


def _streams(
    rng: np.random.Generator, hardware: HardwareParams, units: int
) -> tuple[dict[str, dict[str, list[int]]], list[Span]]:
    """Return random results of either sign, the largest of both among them, in random packets."""
    masks = random_masks(rng, units, int(rng.integers(1, units + 1)))
    packets = [[u for u in range(units) if mask >> u & 1] for mask in masks]
    results: list[np.ndarray] = [np.zeros(0)] * units
    limit = 1 << hardware.result_bits - 1
    for packet in packets:
        columns = int(rng.integers(1, hardware.cols + 1))
        for unit in packet:
            results[unit] = rng.integers(-limit, limit, size=(VECTORS, columns))
            results[unit][0], results[unit][1] = -limit, limit - 1
    bits = hardware.result_bits
    sends = {f"i__{u}": _payloads([part], hardware, bits) for u, part in enumerate(results)}
    sends["routes"] = [
        route_pattern(hardware, units, mask, 0, mask == masks[-1]) for mask in masks
    ] * VECTORS
    sums = result_join(packets, results)
    received = _payloads(sums, hardware, bits + adder_levels(units))
    # All that the first packet waits for is there in the first clock.
    spans = [
        Span((f"i__{packets[0][0]}", 0), ("o", 0), join_latency(units)),
        Span(("o", 0), ("o", -1), len(received) - 1),
    ]
    return {"sends": sends, "receives": {"o": received}}, spans


def _phases(hardware: HardwareParams, units: int) -> Iterator[Phase]:
    rng = np.random.default_rng(SEED + units)
    for _ in range(3):
        streams, spans = _streams(rng, hardware, units)
        yield Streams("running", **streams, spans=spans)
        yield Streams("held", **streams, holds={"o": HOLD})
    yield Clocked("nothing uneven", [({}, {"uneven": 0, "o__valid": 0})])
    if units > 1:
        width = hardware.result_bits * hardware.results_per_beat
        everyone = route_pattern(hardware, units, (1 << units) - 1, 0, True)
        offers = {f"i__{unit}__valid": 1 for unit in range(units)}
        payloads = {f"i__{unit}__payload": int(unit == 0) << width for unit in range(units)}
        routes = {"routes__valid": 1, "routes__payload": everyone}
        added = dict.fromkeys(offers, 0) | routes
        yield Clocked(
            "one ends before the others",
            [
                (offers | payloads, {"uneven": 0}),
                (added, {"uneven": 0}),
                ({"routes__valid": 0}, {"uneven": 1}),
            ],
        )


def cases() -> Iterator[Case]:
    """Yield one case per parameter set and number of units."""
    for name, units in ARRAYS:
        hardware = HARDWARE[name]
        yield Case(
            f"result_join-{name}-{units}",
            lambda hardware=hardware, units=units: ResultJoin(hardware=hardware, units=units),
            list(_phases(hardware, units)),
        )
