"""Cases of :class:`sme_hw.tile_array.TileArray`: arrangements loaded one after the other."""

from collections.abc import Iterator

import numpy as np

from sme_hw.params import HardwareParams
from sme_hw.tile_array import TileArray

from .array_run import ArrayRun, random_array, random_packets
from .case import SEED, Case, Clocked, Phase
from .hardware import HARDWARE, random_order

__all__ = ["cases"]

ARRAYS = (("slc", 1), ("mlc-free-shifts", 3), ("reordered", 5), ("sets-reordered", 2), ("sets", 4))

VECTORS = 5


def _run(rng: np.random.Generator, hardware: HardwareParams, units: int, vectors: int) -> ArrayRun:
    """Return a run of random arrangements; the first set has a tile for every unit."""
    tiles = [units, *rng.integers(1, units + 1, size=hardware.weight_sets - 1).tolist()]
    images = [random_array(rng, hardware, count) for count in tiles]
    packets = [random_packets(rng, hardware, image, vectors) for image in images]
    return ArrayRun(hardware, units, images, packets, random_order(rng, len(images), vectors))


def _phases(hardware: HardwareParams, units: int) -> Iterator[Phase]:
    rng = np.random.default_rng(SEED)
    yield Clocked("not enabled", [({"i__valid": 1}, {"i__ready": 0})])
    yield Clocked("idle", [({"i__valid": 0}, {"busy": 0, "error": 0})])
    for _ in range(3):
        run = _run(rng, hardware, units, VECTORS)
        yield from run.load()
        yield from run.run()
    yield run.run_held()
    yield run.run_reprogrammed()
    runs = [_run(rng, hardware, units, 2) for _ in range(3)]
    yield from runs[0].load()
    yield runs[0].run_before(runs[1], hold=False)
    yield runs[1].run_before(runs[2], hold=True)
    yield from runs[2].run()
    yield from runs[2].run_watched()


def cases() -> Iterator[Case]:
    """Yield one case per parameter set and number of units."""
    for name, units in ARRAYS:
        hardware = HARDWARE[name]
        yield Case(
            f"tile_array-{name}-{units}",
            lambda hardware=hardware, units=units: TileArray(hardware=hardware, units=units),
            list(_phases(hardware, units)),
        )
