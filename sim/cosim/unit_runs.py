"""Units of a layer with vectors to run: how they are cut up, and what a worker does with them."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtl_gen.tb.run import SimulatorError
from rtl_gen.volume import Build, build_volume, run_jobs
from sim.mapping import LayerMapping
from sme_hw.errors import InputError
from sme_hw.params import PROGRAM_BITS, HardwareParams, ceil_div

from .cosim import CosimError, TileResult
from .jobs import Unit, layer_units

__all__ = [
    "CHUNK_CLOCKS",
    "UnitOutcome",
    "UnitRun",
    "build_design",
    "chunks",
    "count_runs",
    "run_chunk",
    "unit_runs",
]

CHUNK_CLOCKS = 150_000
"""Clocks that a worker simulates at a time, about: it bounds memory, and shares the work out."""


@dataclass(frozen=True, eq=False)
class UnitRun:
    """A unit with vectors to run.

    Parameters
    ----------
    layer, unit_number, first : int
        Number of the layer, of the unit in it, and of the first vector.
    unit : Unit
    vectors : list of numpy.ndarray of int64, shape (vectors, inputs)
        For each tile.
    stalled : bool
        Some of them are to be run once more, with stalls.
    """

    layer: int
    unit_number: int
    first: int
    unit: Unit
    vectors: list[np.ndarray]
    stalled: bool

    @property
    def clocks(self) -> int:
        """Clocks it takes, about: those of its program, and of its vectors."""
        hardware, tiles = self.unit.hardware, len(self.vectors)
        bits = hardware.rows * hardware.cols * hardware.planes * hardware.cell_bits
        program = (1 if hardware.merged else 2) * bits // PROGRAM_BITS
        return tiles * (program + len(self.vectors[0]) * _vector_clocks(hardware))


@dataclass(frozen=True, eq=False)
class UnitOutcome:
    """What came of a run.

    Parameters
    ----------
    layer, unit_number, first : int
        As in the run.
    outputs : list of tuple of slice and numpy.ndarray of int64, shape (vectors, columns)
        For each tile, the layer's outputs that it adds to, and what the RTL returned.
    tiles : list of TileResult
        At full speed, and with stalls if there was such a run.
    """

    layer: int
    unit_number: int
    first: int
    outputs: list[tuple[slice, np.ndarray]]
    tiles: list[TileResult]


def _vector_clocks(hardware: HardwareParams) -> int:
    """Return about how many clocks a vector takes."""
    return hardware.slots * hardware.bit_blocks * hardware.column_steps


def _vectors_at_once(hardware: HardwareParams) -> int:
    return max(1, CHUNK_CLOCKS // (hardware.weight_sets * _vector_clocks(hardware)))


def count_runs(layer: LayerMapping, vectors: int) -> int:
    """Return how many runs :func:`unit_runs` makes."""
    hardware = layer.parameters.hardware
    tiles = sum(len(matrix.tiles(hardware)) for matrix in layer.matrices)
    return ceil_div(tiles, hardware.weight_sets) * ceil_div(vectors, _vectors_at_once(hardware))


def unit_runs(
    number: int, layer: LayerMapping, inputs: np.ndarray, stalled_units: int
) -> Iterator[UnitRun]:
    """Yield what is to be run for a layer; many vectors are cut into several runs.

    Parameters
    ----------
    number : int
        Number of the layer.
    layer : LayerMapping
    inputs : numpy.ndarray of int64, shape (vectors, layer inputs)
    stalled_units : int
        Units, the first ones, that are run with stalls, too.
    """
    step = _vectors_at_once(layer.parameters.hardware)
    for unit_number, unit in enumerate(layer_units(layer)):
        for first in range(0, len(inputs), step):
            vectors = [inputs[first : first + step, tile.rows] for tile in unit.tiles]
            stalled = first == 0 and unit_number < stalled_units
            yield UnitRun(number, unit_number, first, unit, vectors, stalled)


def chunks(runs: Iterable[UnitRun]) -> Iterator[list[UnitRun]]:
    """Put runs of the same hardware together, up to about :data:`CHUNK_CLOCKS`."""
    chunk: list[UnitRun] = []
    clocks = 0
    for run in runs:
        if chunk and (
            clocks + run.clocks > CHUNK_CLOCKS or chunk[0].unit.hardware != run.unit.hardware
        ):
            yield chunk
            chunk, clocks = [], 0
        chunk.append(run)
        clocks += run.clocks
    if chunk:
        yield chunk


def build_design(
    hardware: HardwareParams, directory: Path, processes: int
) -> tuple[HardwareParams, Build]:
    """Build a design in a folder that is named after its parameters.

    Parameters
    ----------
    hardware : HardwareParams
    directory : Path
        Where the folder goes.
    processes : int
        Compilers that run at a time.

    Raises
    ------
    InputError
        Verilator is missing or cannot build the design.
    """
    text = json.dumps(hardware.as_dict(), sort_keys=True)
    folder = directory / f"design-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    try:
        return hardware, build_volume(hardware, folder, processes)
    except SimulatorError as error:
        raise InputError(str(error)) from None


def run_chunk(executable: Path, directory: Path, runs: list[UnitRun]) -> list[UnitOutcome]:
    """Run units through the RTL and compare.

    Parameters
    ----------
    executable : Path
        A build of their hardware.
    directory : Path
        Where this process may make a folder for data.
    runs : list of UnitRun

    Raises
    ------
    CosimError
        The simulator ended before its time; the units are named.
    """
    hardware = runs[0].unit.hardware
    jobs = [run.unit.jobs(run.vectors, stalled=run.stalled) for run in runs]
    folder = directory / f"worker-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    try:
        seen = run_jobs(executable, hardware, [job for part in jobs for job in part], folder)
    except SimulatorError as error:
        names = f"{runs[0].unit.name} to {runs[-1].unit.name}"
        raise CosimError(f"{names}: {error}") from None
    rest = iter(seen)
    outcomes = []
    for run, part in zip(runs, jobs, strict=True):
        done = [next(rest) for _ in part]
        tiles = [TileResult.of(job, result) for job, result in zip(part, done, strict=True)]
        columns = [tile.columns for tile in run.unit.tiles]
        outputs = list(zip(columns, done[0].results, strict=True))
        outcomes.append(UnitOutcome(run.layer, run.unit_number, run.first, outputs, tiles))
    return outcomes
