"""Jobs for the testbench: what every unit of a matrix runs, and what the golden model expects."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rtl_gen.testbench import Job
from sim.golden.compute_unit import (
    compute_unit_sets,
    vector_bit_blocks,
    vector_bit_cycles,
)
from sim.mapping import LayerMapping, MatrixMapping, Tile
from sme_hw.cycles import compute_cycles
from sme_hw.errors import InputError
from sme_hw.pack import in_order
from sme_hw.params import HardwareParams
from sme_hw.run_cycles import run_cycles
from sme_hw.tile_image import TileImage

__all__ = ["check_inputs", "make_job", "tile_jobs", "unit_tiles"]

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


def unit_tiles(matrix: MatrixMapping, hardware: HardwareParams) -> list[list[Tile]]:
    """Return the tiles of a matrix by the compute unit that holds them: one for each weight set."""
    tiles, n = matrix.tiles(hardware), hardware.weight_sets
    return [tiles[first : first + n] for first in range(0, len(tiles), n)]


def tile_jobs(layer: LayerMapping, inputs: np.ndarray) -> list[Job]:
    """Return the jobs of every unit of a dense layer: one at full speed, one with stalls.

    The tiles of a unit take turns: each vector comes once for every tile.

    Parameters
    ----------
    layer : LayerMapping
        A layer of a single group.
    inputs : numpy.ndarray of int64, shape (vectors, rows)
    """
    hardware = layer.parameters.hardware
    (matrix,) = layer.matrices
    jobs = []
    for tiles in unit_tiles(matrix, hardware):
        name = f"{layer.name} {' + '.join(tile.name for tile in tiles)}"
        images = [matrix.image(tile, hardware) for tile in tiles]
        for suffix, count in (("", len(inputs)), (", stalled", STALLED_VECTORS)):
            vectors = [inputs[:count, tile.rows] for tile in tiles]
            order = np.tile(np.arange(len(tiles)), len(vectors[0]))
            job = make_job(name + suffix, images, hardware, vectors, order)
            jobs.append(replace(job, stalled=bool(suffix)))
    return jobs
