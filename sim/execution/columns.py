"""What of a tile must be converted, and how the compiled kernels take it."""

from dataclasses import dataclass, replace

import numpy as np

from sim.golden.compute_unit import effective_weights, inexact_columns
from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY, TileImage

__all__ = ["Conversions", "bit_cycles", "split"]

_EIGHT = 8
"""Word lines that the kernels count at a time."""


@dataclass(frozen=True, eq=False)
class Conversions:
    """The columns of a tile whose codes can differ from their sums.

    :func:`sim.execution.kernels.convert_columns` tells what the arrays mean.

    Parameters
    ----------
    samples, sums, entries : numpy.ndarray
    """

    samples: np.ndarray
    sums: np.ndarray
    entries: np.ndarray


def bit_cycles(hardware: HardwareParams) -> int:
    """Return the bit-cycles of an input in a table: its own, zeros before, zeros or signs after."""
    return hardware.input_bits + 2 * hardware.max_shift


def split(image: TileImage, hardware: HardwareParams) -> tuple[np.ndarray, Conversions] | None:
    """Split a tile into a matrix to multiply by, and columns to convert bit by bit.

    Parameters
    ----------
    image : TileImage
    hardware : HardwareParams

    Returns
    -------
    weights : numpy.ndarray of int64, shape (inputs, columns)
        Effective weights of the cells that are not converted.
    conversions : Conversions
        Nothing at all is returned if there are none.
    """
    inexact = inexact_columns(image, hardware)
    if not inexact.any():
        return None
    covered = np.repeat(inexact, hardware.group_rows, axis=2)[:, :, : image.physical_rows]
    weights = effective_weights(replace(image, cells=np.where(covered, 0, image.cells)), hardware)
    return weights, _conversions(image, hardware, inexact)


def _conversions(image: TileImage, hardware: HardwareParams, inexact: np.ndarray) -> Conversions:
    """Return what is converted, from a mask of shape (2, planes, groups, columns)."""
    groups = inexact.shape[2]
    # Column by column, group by group, the least significant plane first.
    column, group, backwards, sign = np.nonzero(inexact[:, ::-1].transpose(3, 2, 1, 0))
    plane = hardware.planes - 1 - backwards
    eights, entries = _entries(image, hardware, (sign, plane, group, column))
    sums = np.column_stack([plane, sign, eights]).astype(np.int16)

    cycles = np.zeros((groups, 2), np.int64)
    cycles[image.groups[:, 0]] = image.groups[:, 1:]
    key = column * groups + group
    first = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.diff(first, append=len(key))
    samples = np.column_stack([column[first], cycles[group[first]], count])
    return Conversions(samples, sums, entries)


def _entries(
    image: TileImage, hardware: HardwareParams, chosen: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the word lines that are counted for sums, given by sign, plane, group and column.

    Returns
    -------
    eights : numpy.ndarray of int64, shape (sums, 2)
        How many eights of word lines there are for each bit of a cell.
    entries : numpy.ndarray of uint16, shape (8 * eights,)
    """
    sign, plane, group, column = chosen
    g, rows, cell_bits = hardware.group_rows, image.physical_rows, hardware.cell_bits
    padded = np.zeros((*image.cells.shape[:2], hardware.slots * g, image.columns), np.uint8)
    padded[:, :, :rows] = image.cells
    levels = padded.reshape(2, hardware.planes, hardware.slots, g, -1)[
        sign, plane, group, :, column
    ]
    bits = 1 << np.arange(cell_bits, dtype=np.uint8)[:, None]
    counted = (levels[:, None] & bits != 0).reshape(-1, g)
    ones = counted.sum(axis=1, dtype=np.int64)
    number, row = np.nonzero(counted)
    rank = np.arange(len(number)) - np.repeat(np.cumsum(ones) - ones, ones)
    eights = -(-ones // _EIGHT)
    start = _EIGHT * (np.cumsum(eights) - eights)

    drive = np.where(image.input_index == EMPTY, 0, image.input_index)
    lines = bit_cycles(hardware) * drive + hardware.max_shift - image.row_shifts
    zeros = bit_cycles(hardware) * image.inputs
    entries = np.full(_EIGHT * int(eights.sum()), zeros, np.uint16)
    entries[start[number] + rank] = lines[group[number // cell_bits] * g + row]
    both = np.zeros((len(sign), 2), np.int64)
    both[:, :cell_bits] = eights.reshape(-1, cell_bits)
    return both, entries
