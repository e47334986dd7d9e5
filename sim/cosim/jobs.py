"""Jobs for the testbench: what every unit of a matrix runs, and what the golden model expects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from rtl_gen.testbench import Job
from sim.golden.compute_unit import (
    compute_unit_sets,
    vector_bit_blocks,
    vector_bit_cycles,
)
from sim.mapping import LayerMapping, MatrixMapping, Tile, TilePart
from sme_hw.cycles import compute_cycles
from sme_hw.errors import InputError
from sme_hw.pack import in_order
from sme_hw.params import HardwareParams
from sme_hw.run_cycles import run_cycles
from sme_hw.tile_image import TileImage

__all__ = [
    "Unit",
    "UnitTile",
    "check_inputs",
    "layer_tiles",
    "layer_units",
    "make_job",
    "tile_jobs",
]

STALLED_VECTORS = 4
"""Vectors that every unit runs once more with stalled streams."""


def check_inputs(inputs: np.ndarray, rows: int, hardware: HardwareParams) -> np.ndarray:
    """Return input vectors as int64, shape (vectors, rows), or say what is wrong with them.

    Raises
    ------
    InputError
        They are no integers, have another number of rows, or do not fit the input bits.
    """
    if inputs.dtype.kind not in "iu":
        raise InputError(f"inputs must be integers, not {inputs.dtype}")
    if inputs.ndim != 2 or len(inputs) == 0:
        raise InputError(f"inputs must be vectors x rows, not shape {inputs.shape}")
    if inputs.shape[1] != rows:
        raise InputError(f"inputs have {inputs.shape[1]} elements a vector, the matrix {rows} rows")
    low, high = hardware.input_range
    wrong = (inputs < low) | (inputs > high)
    if wrong.any():
        vector, row = (int(index[0]) for index in np.nonzero(wrong))
        kind = "signed" if hardware.signed_inputs else "unsigned"
        raise InputError(
            f"input [{vector}, {row}] is {inputs[vector, row]}: {kind} inputs of input_bits = "
            f"{hardware.input_bits} are in {low}..{high}"
        )
    return inputs.astype(np.int64)


def make_job(
    name: str,
    images: Sequence[TileImage],
    hardware: HardwareParams,
    inputs: Sequence[np.ndarray],
    order: np.ndarray,
) -> Job:
    """Return a job with the golden model's expectations.

    Parameters
    ----------
    name : str
    images : sequence of TileImage
        One for each weight set in use.
    hardware : HardwareParams
    inputs : sequence of numpy.ndarray of int64, shape (vectors, inputs)
        For each of them, its vectors.
    order : numpy.ndarray of integers, shape (all vectors,)
        Set of every vector, in the order in which they are sent.
    """
    results, clips = compute_unit_sets(images, hardware, inputs)
    counts = [
        vector_bit_blocks(image, hardware, vectors).tolist()
        for image, vectors in zip(images, inputs, strict=True)
    ]
    clocks = run_cycles(hardware, in_order(order, counts), [images[s].size for s in order])
    chip = sum(
        compute_cycles(
            hardware, vector_bit_cycles(image, hardware, vectors).tolist(), image.columns
        )
        for image, vectors in zip(images, inputs, strict=True)
    )
    return Job(name, tuple(images), order, tuple(inputs), results, clips, clocks, chip)


@dataclass(frozen=True, eq=False)
class UnitTile:
    """A tile of a layer, by itself.

    Parameters
    ----------
    name : str
    part : TilePart
    rows : numpy.ndarray of int64, shape (inputs,)
        The layer's inputs that it takes.
    columns : slice
        The layer's outputs that it adds to.
    """

    name: str
    part: TilePart
    rows: np.ndarray
    columns: slice


@dataclass(frozen=True, eq=False)
class Unit:
    """What one compute unit holds: a tile of a layer in each weight set in use.

    Parameters
    ----------
    name : str
        Layer and tiles, for messages.
    hardware : HardwareParams
    tiles : list of UnitTile
    """

    name: str
    hardware: HardwareParams
    tiles: list[UnitTile]

    def jobs(self, vectors: Sequence[np.ndarray], *, stalled: bool) -> list[Job]:
        """Return the job at full speed and, if asked for, a short one with stalls.

        The tiles take turns: each vector comes once for every tile.

        Parameters
        ----------
        vectors : sequence of numpy.ndarray of integers, shape (vectors, inputs)
            For each tile, its inputs.
        stalled : bool
        """
        images = [tile.part.image(self.hardware) for tile in self.tiles]

        def job(name: str, count: int) -> Job:
            order = np.tile(np.arange(len(images)), count)
            return make_job(name, images, self.hardware, [v[:count] for v in vectors], order)

        count = len(vectors[0])
        jobs = [job(self.name, count)]
        if stalled:
            short = job(f"{self.name}, stalled", min(count, STALLED_VECTORS))
            jobs.append(replace(short, stalled=True))
        return jobs


def layer_tiles(layer: LayerMapping) -> Iterator[UnitTile]:
    """Return the tiles of a layer of any number of groups."""
    for matrix in layer.matrices:
        for tile in matrix.tiles(layer.parameters.hardware):
            yield _unit_tile(layer, matrix, tile)


def layer_units(layer: LayerMapping) -> Iterator[Unit]:
    """Return the compute units of a layer: its tiles, as many together as there are weight sets."""
    hardware = layer.parameters.hardware
    tiles = layer_tiles(layer)
    while held := list(islice(tiles, hardware.weight_sets)):
        yield Unit(f"{layer.name} {' + '.join(tile.name for tile in held)}", hardware, held)


def _unit_tile(layer: LayerMapping, matrix: MatrixMapping, tile: Tile) -> UnitTile:
    placement = matrix.placement
    groups = f"groups {placement.groups[0]}..{placement.groups[-1]} " if layer.groups > 1 else ""
    left = placement.output_slice.start
    return UnitTile(
        groups + matrix.tile_name(tile),
        matrix.part(tile),
        placement.input_slice.start + tile.rows,
        slice(left + tile.columns.start, left + tile.columns.stop),
    )


def tile_jobs(layer: LayerMapping, inputs: np.ndarray) -> list[Job]:
    """Return the jobs of every unit of a layer: one at full speed, one with stalls.

    Parameters
    ----------
    layer : LayerMapping
        Of any number of groups.
    inputs : numpy.ndarray of int64, shape (vectors, layer inputs)
    """
    return [
        job
        for unit in layer_units(layer)
        for job in unit.jobs([inputs[:, tile.rows] for tile in unit.tiles], stalled=True)
    ]
