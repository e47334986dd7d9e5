"""Jobs for the testbench: what every tile of a matrix runs, and what the golden model expects."""

from dataclasses import replace

import numpy as np

from rtl_gen.testbench import Job
from sim.golden.compute_unit import compute_unit, vector_bit_blocks
from sim.mapping import LayerMapping
from sme_hw.cycles import run_cycles
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams
from sme_hw.tile_image import TileImage

__all__ = ["check_inputs", "make_job", "tile_jobs"]

STALLED_VECTORS = 4
"""Vectors that every tile runs once more with stalled streams."""


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


def make_job(name: str, image: TileImage, hardware: HardwareParams, inputs: np.ndarray) -> Job:
    """Return a job for one tile with the golden model's expectations."""
    results, clips = compute_unit(image, hardware, inputs)
    counts = vector_bit_blocks(image, hardware, inputs).tolist()
    clocks = run_cycles(hardware, counts, image.size)
    return Job(name, image, inputs, results, clips, clocks)


def tile_jobs(layer: LayerMapping, inputs: np.ndarray) -> list[Job]:
    """Return the jobs of every tile of a dense layer: one at full speed, one with stalls.

    Parameters
    ----------
    layer : LayerMapping
        A layer of a single group.
    inputs : numpy.ndarray of int64, shape (vectors, rows)
    """
    hardware = layer.parameters.hardware
    (matrix,) = layer.matrices
    jobs = []
    for tile in matrix.tiles(hardware):
        name = f"{layer.name} {tile.name}"
        image = matrix.image(tile, hardware)
        vectors = inputs[:, tile.rows]
        jobs.append(make_job(name, image, hardware, vectors))
        stalled = make_job(f"{name}, stalled", image, hardware, vectors[:STALLED_VECTORS])
        jobs.append(replace(stalled, stalled=True))
    return jobs
