"""Cases of :class:`sme_hw.compute_unit.ComputeUnit`: tiles loaded one after the other."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sme_hw.compute_unit import ComputeUnit
from sme_hw.cycles import result_buffer_depth
from sme_hw.params import HardwareParams
from sme_hw.program import Region
from sme_hw.tile_image import TileImage

from .case import SEED, Case, Clocked, Phase
from .hardware import HARDWARE, random_image, random_inputs, random_shifts, slot_groups
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


def _before() -> list[Phase]:
    """Offer a vector before any program."""
    return [
        Clocked("not enabled", [({"i__valid": 1}, {"i__ready": 0})]),
        Clocked("idle", [({"i__valid": 0}, {"busy": 0, "clips": 0})]),
    ]


def _tiles(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Load tiles of all sizes, with the largest results of either sign among them."""
    images = {
        "largest positive weights": _extreme_image(hardware, 0),
        "largest negative weights": _extreme_image(hardware, 1),
        "one row": random_image(rng, hardware, 1, hardware.cols),
        "one column": random_image(rng, hardware, hardware.rows, 1),
        "full tile": random_image(rng, hardware, hardware.rows, hardware.cols),
    }
    phases: list[Phase] = []
    for name, image in images.items():
        run = TileRun(hardware, image, random_inputs(rng, hardware, VECTORS, image.inputs))
        phases += _named(name, run.load() + run.run())
    return phases


def _new_shifts(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Change only row shifts and groups of a tile; the clip counters go on."""
    rows = hardware.rows
    image = random_image(rng, hardware, rows, hardware.cols)
    run = TileRun(hardware, image, random_inputs(rng, hardware, VECTORS, rows))
    phases = run.load() + run.run()
    for last in (Region.RCMR, Region.GROUPS):
        shifts = random_shifts(rng, hardware, image.physical_rows)
        shifted = replace(image, row_shifts=shifts, groups=slot_groups(hardware, shifts))
        inputs = random_inputs(rng, hardware, VECTORS, rows)
        run = TileRun(hardware, shifted, inputs, run.clips)
        phases += [run.load_shifts(last), *run.run_behind_program()]
    return _named("new shifts", phases)


def _pressure(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Hold results until the buffer is full and all stages wait; let a program fall into a run."""
    rows, columns = hardware.rows - 2, hardware.cols - 1
    image = random_image(rng, hardware, rows, columns)
    results = -(-columns // hardware.adcs_per_crossbar)
    vectors = -(-result_buffer_depth(hardware) // results) + 4
    run = TileRun(hardware, image, random_inputs(rng, hardware, vectors, rows))
    return _named("pressure", [*run.load(), *run.run(), run.run_held(), run.run_reprogrammed()])


def _changes(rng: np.random.Generator, hardware: HardwareParams) -> list[Phase]:
    """Change the tile right behind the last input of a run, to another size and back."""
    runs = []
    for less in (0, 2, 0):
        rows, columns = hardware.rows - less, hardware.cols - less
        image = random_image(rng, hardware, rows, columns)
        runs.append(TileRun(hardware, image, random_inputs(rng, hardware, CHANGE_VECTORS, rows)))
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
                *_before(),
                *_tiles(rng, hardware),
                *_new_shifts(rng, hardware),
                *_pressure(rng, hardware),
                *_changes(rng, hardware),
            ],
        )
