"""Cases of :class:`sme_hw.tile_array.TileArray`: arrangements loaded one after the other."""

from collections.abc import Iterator

import numpy as np

from sim.cosim.array_layer import array_layers
from sim.mapping import load_parameters, map_matrix
from sme_hw.array_image import ArrayImage, ArrayRoutes
from sme_hw.array_pack import pack_array
from sme_hw.array_program import ROUTE_FINAL, ArrayRegion
from sme_hw.params import HardwareParams
from sme_hw.program import MODE_ENABLE, REGION_OFFSET, Control, Region
from sme_hw.tile_array import TileArray

from .array_run import ArrayRun, random_array, random_packets
from .case import SEED, Case, Clocked, Phase, Streams
from .hardware import HARDWARE, input_beat, random_image, random_order

__all__ = ["cases"]

ARRAYS = (("slc", 1), ("sets-reordered", 2), ("mlc-free-shifts", 3))
"""Parameter sets and units; few, as arrays take long in Amaranth's simulator."""

CHANGING = "sets-reordered"
"""The one of them in which arrangements change while vectors are under way."""

VECTORS = 4

MAPPED = load_parameters(
    "tiny",
    rows=4,
    cols=4,
    codec="codes",
    weight_bits=3,
    policy="split",
    squeeze=2,
    input_bits=2,
    adc_bits="lossless",
    grouping="balanced",
    rows_active=2,
)
"""Of a layer whose rows are split into pieces: every column tile has inputs of its own."""

SHORT_BLOCKS = load_parameters(
    "tiny",
    rows=5,
    cols=4,
    weight_bits=3,
    squeeze=0,
    input_bits=1,
    adc_bits="lossless",
    rows_active=4,
    adcs_per_crossbar=4,
    inputs_per_beat=1,
    results_per_beat=4,
).hardware
"""Blocks of four beats, of which a vector of five inputs leaves the last three out."""


def _run(rng: np.random.Generator, hardware: HardwareParams, units: int, vectors: int) -> ArrayRun:
    """Return a run of random arrangements; the first set has a tile for every unit."""
    tiles = [units, *rng.integers(1, units + 1, size=hardware.weight_sets - 1).tolist()]
    images = [random_array(rng, hardware, count) for count in tiles]
    packets = [random_packets(rng, hardware, image, vectors) for image in images]
    return ArrayRun(hardware, units, images, packets, random_order(rng, len(images), vectors))


def _before(units: int) -> Iterator[Phase]:
    """Offer a vector before any program, and programs that make no sense."""
    yield Clocked("not enabled", [({"i__valid": 1}, {"i__ready": 0})])
    yield Clocked("idle", [({"i__valid": 0}, {"busy": 0, "error": 0})])
    everyone = [int(ArrayRegion.UNITS) << REGION_OFFSET | (1 << units) - 1, 0]
    mode = [int(Region.CONTROL) << REGION_OFFSET | Control.MODE, 1]
    one = [int(ArrayRegion.UNITS) << REGION_OFFSET | 1 << units - 1, 0]
    wrong = {
        "unknown region for one unit": [*one, 9 << REGION_OFFSET, 1, 0],
        "unit that is not there": [int(ArrayRegion.UNITS) << REGION_OFFSET | 1 << units, 0],
        "gap in the routes": [int(ArrayRegion.ROUTES) << REGION_OFFSET | 1, 1, ROUTE_FINAL | 1],
        "overlong record": [int(ArrayRegion.ROUTES) << REGION_OFFSET, 2**31],
        "no routes": [*mode, MODE_ENABLE],
    }
    for name, words in wrong.items():
        for program, error in ((words, 1), ([*everyone, *mode, 0], 0)):
            yield Streams(name, sends={"program": program})
            yield Clocked(f"{name}, error {error}", [({}, {"busy": 0, "error": error})])


def _without_routes(run: ArrayRun, units: int) -> Iterator[Phase]:
    """Offer a vector of a set without routes: it is refused, and a program may still come."""
    hardware = run.hardware
    stop = pack_array(run.images, hardware, units)[: 2 + 3].tolist()
    offer = input_beat(hardware, [0] * hardware.inputs_per_beat, hardware.weight_sets - 1)
    waits = {"i__valid": 1, "i__payload": offer}
    refused = {"i__ready": 0, "busy": 0}
    yield Clocked("set without routes", [(waits, refused | {"error": e}) for e in (0, 1)])
    yield Streams("stop", sends={"program": stop}, levels={"i__valid": 0})
    yield Clocked("stopped", [({}, {"busy": 0, "error": 0})])


def _arrangements(hardware: HardwareParams, units: int) -> Iterator[Phase]:
    """Load a random arrangement."""
    run = _run(np.random.default_rng(SEED + units), hardware, units, VECTORS)
    assert run.clips.any() or hardware.merged or units == 1
    yield from run.load()
    yield from run.run()
    yield run.run_held()


def _changes(hardware: HardwareParams, units: int) -> Iterator[Phase]:
    """Change from one random arrangement to the next, right behind a run."""
    rng = np.random.default_rng(SEED + units)
    runs = [_run(rng, hardware, units, 2) for _ in range(3)]
    one_set = runs[0].images[:1], runs[0].packets[:1]
    first = ArrayRun(hardware, units, *one_set, np.zeros(2, int))
    yield from first.load()
    yield from _without_routes(first, units)
    yield from runs[0].load()
    yield runs[0].run_before(runs[1], hold=False)
    yield runs[1].run_before(runs[2], hold=True)
    yield runs[2].run_reprogrammed()
    yield from runs[2].run_watched()


def _layer() -> ArrayRun:
    """Return a run of a mapped layer of six tiles."""
    rng = np.random.default_rng(SEED)
    weights = rng.integers(-7, 8, size=(4, 7))
    layer = map_matrix(weights, MAPPED)
    (placed,) = array_layers(layer, 6)
    inputs = rng.integers(4, size=(VECTORS, 4))
    order = np.zeros(VECTORS, int)
    run = ArrayRun(MAPPED.hardware, 6, [placed.image], [placed.packets(inputs)], order)
    assert placed.sums(run.sums[0]).tolist() == (inputs @ weights).tolist()
    return run


def _short_blocks() -> ArrayRun:
    """Return a run in which a unit makes up the rest of a block while its next vector comes.

    The other unit, with other inputs and earlier results, is far enough ahead to show by a clock
    whether beats of that vector wait for what is made up.
    """
    rng = np.random.default_rng(SEED)
    tiles = tuple(random_image(rng, SHORT_BLOCKS, inputs, 4) for inputs in (5, 2))
    image = ArrayImage(tiles, ArrayRoutes(inputs=((0,), (1,)), results=((1,), (0,))))
    packets = random_packets(rng, SHORT_BLOCKS, image, VECTORS)
    return ArrayRun(SHORT_BLOCKS, 2, [image], [packets], np.zeros(VECTORS, int))


def cases() -> Iterator[Case]:
    """Yield one case per parameter set and number of units, and one each of single runs."""
    for name, units in ARRAYS:
        hardware = HARDWARE[name]
        yield Case(
            f"tile_array-{name}-{units}",
            lambda hardware=hardware, units=units: TileArray(hardware=hardware, units=units),
            [
                *_before(units),
                *(_changes(hardware, units) if name == CHANGING else []),
                *_arrangements(hardware, units),
            ],
        )
    for name, run in (("layer-6", _layer()), ("short-blocks-2", _short_blocks())):
        yield Case(
            f"tile_array-{name}",
            lambda run=run: TileArray(hardware=run.hardware, units=run.units),
            [*run.load(), *run.run()],
        )
