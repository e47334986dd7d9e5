"""Routes of arrays, for the cases of the modules that hold them."""

from collections.abc import Sequence

import numpy as np

from sme_hw.params import HardwareParams, index_bits

from .case import Clocked, Expected, Values
from .values import join

__all__ = ["ARRAYS", "load_routes", "random_masks", "route_pattern"]

ARRAYS = (("slc", 1), ("sets", 5), ("sets-quick", 3))
"""Parameter sets and units: with one set, with two, and with three."""


def random_masks(rng: np.random.Generator, units: int, packets: int) -> list[int]:
    """Return masks of so many packets, each unit being in one of them."""
    of_unit = np.concatenate([np.arange(packets), rng.integers(packets, size=units - packets)])
    of_unit = rng.permutation(of_unit)
    return [int(sum(1 << u for u in np.flatnonzero(of_unit == p))) for p in range(packets)]


def route_pattern(
    hardware: HardwareParams, units: int, mask: int, last_beat: int, final: bool
) -> int:
    """Return the bit pattern of a route."""
    beat_bits = index_bits(hardware.input_beats)
    return join((mask, units), (last_beat, beat_bits), (int(final), 1))


def load_routes(
    hardware: HardwareParams, units: int, routes: Sequence[Sequence[tuple[int, int]]]
) -> Clocked:
    """Write tables of routes: of every set, masks and last beats of its packets."""
    stride = 1 << (units - 1).bit_length()
    clocks: list[tuple[Values, Expected]] = []
    for weight_set, packets in enumerate(routes):
        for number, (mask, last_beat) in enumerate(packets):
            final = number == len(packets) - 1
            driven = {
                "write__enable": 1,
                "write__address": weight_set * stride + number,
                "write__data": route_pattern(hardware, units, mask, last_beat, final),
            }
            clocks.append((driven, {}))
    return Clocked("routes", [*clocks, ({"write__enable": 0}, {})])
