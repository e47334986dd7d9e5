"""Cases of :class:`sme_hw.compute_unit.ComputeUnit`: tiles loaded one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sme_hw.compute_unit import ComputeUnit
from sme_hw.cycles import result_buffer_depth
from sme_hw.params import HardwareParams
from sme_hw.program import REGION_OFFSET, SET_OFFSET, Control, Region
from sme_hw.tile_image import EMPTY, TileImage

from .case import SEED, Case, Clocked, Phase, Streams
from .hardware import (
    HARDWARE,
    random_image,
    random_inputs,
    random_order,
    random_shifts,
    slot_groups,
)
from .tile_run import TileRun

__all__ = ["cases"]

VECTORS = 5

CHANGE_VECTORS = 2
"""So few that all of them are accepted while results are held."""


def _extreme_image(hardware: HardwareParams, sign: int) -> TileImage:
    """Return a full tile with the largest weights of one sign, every second row shifted."""
    cells = np.zeros((2, hardware.planes, hardware.rows, hardware.cols), np.uint8)
    cells[sign] = hardware.cell_max
    shifts = np.full(hardware.rows, hardware.max_shift, np.uint8)
    shifts[1::2] = 0
    rows = np.arange(hardware.rows)
    return TileImage(hardware.rows, cells, rows, shifts, slot_groups(hardware, shifts))


def _named(name: str, phases: list[Phase]) -> list[Phase]:
    return [replace(phase, name=f"{name}: {phase.name}") for phase in phases]


def _before(hardware: HardwareParams) -> list[Phase]:
    """Offer a vector before any program, and programs that make no sense."""
    phases: list[Phase] = [
        Clocked("not enabled", [({"i__valid": 1}, {"i__ready": 0})]),
        Clocked("idle", [({"i__valid": 0}, {"busy": 0, "error": 0})]),
    ]
    stop = [int(Region.CONTROL) << REGION_OFFSET | Control.MODE, 1, 0]
    wrong = {
        "unknown region": [len(Region) << REGION_OFFSET, 1, 0],
        "overlong record": [int(Region.CONTROL) << REGION_OFFSET, 2**31],
    }
    if hardware.weight_sets < 1 << hardware.set_bits:
        wrong["unknown set"] = [hardware.weight_sets << SET_OFFSET | Control.ROW_LAST, 1, 0]
    for name, words in wrong.items():
        for program, error in ((words, 1), (stop, 0)):
            phases.append(Streams(name, sends={"program": program}))
            phases.append(Clocked(f"{name}, error {error}", [({}, {"busy": 0, "error": error})]))
    return phases


def _run(
    rng: np.random.Generator,
    hardware: HardwareParams,
    images: Sequence[TileImage],
    vectors: int,
    clips_before: np.ndarray | int = 0,
) -> TileRun:
    """Return a run of random vectors of all images, in a random order of sets."""
    inputs = [random_inputs(rng, hardware, vectors, image.inputs) for image in images]
    order = random_order(rng, len(images), vectors)
    return TileRun(hardware, images, inputs, order, clips_before)


def _random_images(
    rng: np.random.Generator, hardware: HardwareParams, rows: int, columns: int
) -> list[TileImage]:
    """Return a tile of this size for the first set, and ever narrower ones for the others."""
    return [
        random_image(rng, hardware, rows, max(1, columns - 2 * s))
        for s in range(hardware.weight_sets)
    ]


def _tiles(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Load tiles of all sizes, with the largest results of either sign among them.

    With several sets, tiles of very different sizes are there at once.
    """
    images = {
        "one row": random_image(rng, hardware, 1, hardware.cols),
        "full tile": random_image(rng, hardware, hardware.rows, hardware.cols),
        "one column": random_image(rng, hardware, hardware.rows, 1),
        "largest positive weights": _extreme_image(hardware, 0),
        "largest negative weights": _extreme_image(hardware, 1),
    }
    phases: list[Phase] = []
    for first in range(0, len(images), hardware.weight_sets):
        names = list(images)[first : first + hardware.weight_sets]
        run = _run(rng, hardware, [images[name] for name in names], VECTORS)
        phases += _named(", ".join(names), run.load() + run.run())
    return phases


def _new_shifts(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Change only row shifts and groups of tiles; the clip counters go on."""
    images = _random_images(rng, hardware, hardware.rows, hardware.cols)
    run = _run(rng, hardware, images, VECTORS)
    phases = run.load() + run.run()
    for last in (Region.RCMR, Region.GROUPS):
        shifted = []
        for image in images:
            shifts = random_shifts(rng, hardware, image.physical_rows)
            # A place without an input has the shift of the one before it.
            shifts = np.where(image.input_index == EMPTY, np.roll(shifts, 1), shifts)
            groups = slot_groups(hardware, shifts)
            shifted.append(replace(image, row_shifts=shifts, groups=groups))
        run = _run(rng, hardware, shifted, VECTORS, run.clips)
        phases += [run.load_shifts(last), *run.run_behind_program()]
    return _named("new shifts", phases)


def _pressure(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Hold results until the buffer is full and all stages wait; let a program fall into a run."""
    images = _random_images(rng, hardware, hardware.rows - 2, hardware.cols - 1)
    results = sum(-(-image.columns // hardware.adcs_per_crossbar) for image in images)
    vectors = -(-result_buffer_depth(hardware) // results) + 4
    run = _run(rng, hardware, images, vectors)
    return _named("pressure", [*run.load(), *run.run(), run.run_held(), run.run_reprogrammed()])


def _changes(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Change the tiles right behind the last input of a run, to another size and back."""
    runs = []
    for less in (0, 2, 0):
        images = _random_images(rng, hardware, hardware.rows - less, hardware.cols - less)
        runs.append(_run(rng, hardware, images, CHANGE_VECTORS))
    first, second, third = runs
    return _named(
        "changes",
        [
            *first.load(),
            first.run_before(second, hold=False),
            second.run_before(third, hold=True),
            *third.run(),
            *third.run_watched(),
        ],
    )


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name, hardware in HARDWARE.items():
        rng = np.random.default_rng(SEED)
        yield Case(
            f"compute_unit-{name}",
            lambda hardware=hardware: ComputeUnit(hardware=hardware),
            [
                *_before(hardware),
                *_tiles(rng, hardware),
                *_new_shifts(rng, hardware),
                *_pressure(rng, hardware),
                *_changes(rng, hardware),
            ],
        )
