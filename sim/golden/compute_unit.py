"""Reference of :class:`sme_hw.compute_unit.ComputeUnit`: what a tile computes, bit for bit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sme_hw.params import CLIP_COUNTER_BITS, HardwareParams
from sme_hw.tile_image import EMPTY, TileImage

from .adc import adc
from .clip_counter import clip_counter
from .crossbar import crossbar
from .group_scheduler import executed_bit_cycles, group_scheduler
from .input_gather import input_gather
from .input_register import input_register
from .row_conversion import row_conversion
from .splice import splice

__all__ = [
    "can_clip",
    "compute_unit",
    "compute_unit_bit_serial",
    "compute_unit_sets",
    "count_clips",
    "effective_weights",
    "inexact_columns",
    "vector_bit_blocks",
    "vector_bit_cycles",
]

_BATCH = 256
"""Vectors computed together, so that intermediate arrays stay in the cache."""

_SUMS = 1 << 20
"""Column sums formed together when clips are counted, about: 4 MB."""


def effective_weights(image: TileImage, hardware: HardwareParams) -> np.ndarray:
    """Return the integers that a tile multiplies by when nothing clips, shape (inputs, columns)."""
    exact = 1 << np.array(hardware.plane_weight_bits, np.int64) - hardware.adc_lsb
    levels = image.cells[0].astype(np.int64) - image.cells[1]
    physical = np.tensordot(exact, levels, axes=1) << image.row_shifts.astype(np.int64)[:, None]
    weights = np.zeros((image.inputs, image.columns), np.int64)
    used = image.input_index != EMPTY
    weights[image.input_index[used]] = physical[used]
    return weights


def convert(image: TileImage, inputs: np.ndarray) -> np.ndarray:
    """Return the converted inputs of a tile's physical rows."""
    return row_conversion(input_gather(inputs, image.input_index), image.row_shifts)


def vector_bit_cycles(image: TileImage, hardware: HardwareParams, inputs: np.ndarray) -> np.ndarray:
    """Return the bit-cycles of every input vector, all groups together, shape (vectors,)."""
    return executed_bit_cycles(image.groups, convert(image, inputs), hardware)


def vector_bit_blocks(image: TileImage, hardware: HardwareParams, inputs: np.ndarray) -> np.ndarray:
    """Return the blocks of bit-cycles of every input vector: what takes an FPGA a clock each."""
    lanes = hardware.emulation_lanes
    return executed_bit_cycles(image.groups, convert(image, inputs), hardware, lanes)


def inexact_columns(image: TileImage, hardware: HardwareParams) -> np.ndarray:
    """Tell for which columns some input could make an ADC code differ from its column sum.

    With an LSB of more than one cell level, that is every column with cells that are not zero.

    Returns
    -------
    numpy.ndarray of bool, shape (2, planes, slots in use, columns)
    """
    sums = np.add.reduceat(
        image.cells, np.arange(0, image.physical_rows, hardware.group_rows), axis=2, dtype=np.int32
    )
    exact = 2 ** np.array(hardware.plane_adc_bits) - 1 if hardware.adc_lsb == 0 else np.zeros(1)
    return sums > exact.reshape(-1, 1, 1)


def can_clip(image: TileImage, hardware: HardwareParams) -> bool:
    """Tell whether some input could make an ADC code differ from its column sum."""
    return bool(inexact_columns(image, hardware).any())


def compute_unit(
    image: TileImage, hardware: HardwareParams, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the results of input vectors and the clips they cause.

    Where no column sum can exceed its ADC, the bit-serial computation equals one integer matrix
    product, which is taken instead.

    Parameters
    ----------
    image : TileImage
    hardware : HardwareParams
    inputs : numpy.ndarray of integers, shape (vectors, inputs)

    Returns
    -------
    results : numpy.ndarray of int64, shape (vectors, columns)
        In code steps times input steps.
    clips : numpy.ndarray of int64, shape (planes,)
        Clip counters, the most significant plane first.
    """
    if can_clip(image, hardware):
        return compute_unit_bit_serial(image, hardware, inputs)
    weights = effective_weights(image, hardware)
    largest = max(abs(limit) for limit in hardware.input_range)
    bound = int(np.abs(weights).sum(axis=0).max()) * largest
    # Integers in float matrix products are exact below the mantissa's size, and much faster.
    dtype = np.float32 if bound < 2**24 else np.float64 if bound < 2**53 else np.int64
    results = inputs.astype(dtype) @ weights.astype(dtype)
    return results.astype(np.int64), np.zeros(hardware.planes, np.int64)


def compute_unit_bit_serial(
    image: TileImage, hardware: HardwareParams, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same as :func:`compute_unit`, conversion by conversion: the referee."""
    planes, columns, group_rows = hardware.planes, image.columns, hardware.group_rows
    # Both signs of all planes side by side: shape (rows, 2 * planes * columns).
    cells = image.cells.transpose(2, 0, 1, 3).reshape(image.physical_rows, -1).astype(np.float32)
    clip_totals = np.zeros(planes, np.int64)
    results = np.zeros((len(inputs), columns), np.int64)
    for start in range(0, len(inputs), _BATCH):
        converted = convert(image, inputs[start : start + _BATCH])
        total = results[start : start + _BATCH]
        for step in group_scheduler(image.groups, hardware):
            rows = slice(step.slot * group_rows, (step.slot + 1) * group_rows)
            word_lines = input_register(converted[:, rows], step.bit_cycle)
            sums = crossbar(word_lines, cells[rows]).reshape(-1, 2, planes, columns)
            codes = np.empty((planes, 2, len(converted), columns), np.int32)
            for plane, bits in enumerate(hardware.plane_adc_bits):
                plane_codes, clips = adc(sums[:, :, plane], bits=bits, lsb=hardware.adc_lsb)
                codes[plane] = plane_codes.transpose(1, 0, 2)
                clip_totals[plane] += np.count_nonzero(clips)
            sample = splice(codes[:, 0], codes[:, 1], hardware) << step.bit_cycle
            total += -sample if step.subtract else sample
    counters = [clip_counter(int(c), width=CLIP_COUNTER_BITS) for c in clip_totals]
    return results, np.array(counters, np.int64)


def compute_unit_sets(
    images: Sequence[TileImage], hardware: HardwareParams, inputs: Sequence[np.ndarray]
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Return what :func:`compute_unit` does for each weight set; all have the same clip counters.

    In which order vectors of different sets come changes nothing.

    Parameters
    ----------
    images : sequence of TileImage
        One for each set in use.
    hardware : HardwareParams
    inputs : sequence of numpy.ndarray of integers, shape (vectors, inputs)
        For each of them, its vectors.

    Returns
    -------
    results : tuple of numpy.ndarray of int64, shape (vectors, columns)
        For each of them, its results.
    clips : numpy.ndarray of int64, shape (planes,)
    """
    runs = [compute_unit(i, hardware, vectors) for i, vectors in zip(images, inputs, strict=True)]
    totals = np.sum([clips for _, clips in runs], axis=0).tolist()
    counters = [clip_counter(total, width=CLIP_COUNTER_BITS) for total in totals]
    return tuple(results for results, _ in runs), np.array(counters, np.int64)


def count_clips(image: TileImage, hardware: HardwareParams, inputs: np.ndarray) -> np.ndarray:
    """Return the clipped conversions of :func:`compute_unit_bit_serial`, not saturated, faster.

    Only columns are computed whose cells could exceed their ADC if all rows were active.
    Parameters and clips are as for :func:`compute_unit`.
    """
    clips = np.zeros(hardware.planes, np.int64)
    largest = (2 ** np.array(hardware.plane_adc_bits) << hardware.adc_lsb) - 1
    for slot, first, cycles in image.groups.tolist():
        rows = slice(slot * hardware.group_rows, (slot + 1) * hardware.group_rows)
        cells = image.cells[:, :, rows]
        signs, planes, columns = np.nonzero(cells.sum(axis=2, dtype=np.int32) > largest[:, None])
        if not len(planes):
            continue
        weights = cells[signs, planes, :, columns].T.astype(np.float32)
        group = replace(
            image, input_index=image.input_index[rows], row_shifts=image.row_shifts[rows]
        )
        batch = max(1, _SUMS // (cycles * max(weights.shape)))
        for start in range(0, len(inputs), batch):
            converted = convert(group, inputs[start : start + batch])
            bits = input_register(converted[None], np.arange(first, first + cycles)[:, None, None])
            sums = bits.reshape(-1, bits.shape[2]).astype(np.float32) @ weights
            clipped = np.count_nonzero(sums > largest[planes], axis=0)
            clips += np.bincount(planes, clipped, hardware.planes).astype(np.int64)
    return clips
