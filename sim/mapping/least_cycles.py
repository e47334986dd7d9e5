"""The fewest bit-cycles that rows of given shifts can take on their tiles."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from sme_hw.params import HardwareParams

__all__ = ["bit_cycles_bound", "least_bit_cycles", "mark_shifts"]


def _ceil_div(a: np.ndarray, b: int) -> np.ndarray:
    return -(-a // b)


def _cuts(counts: np.ndarray, shifts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield every way to keep rows of some shifts apart from those of the next larger ones.

    Yields
    ------
    parts : numpy.ndarray of integers, shape (..., parts)
        Rows in every part.
    waste : numpy.ndarray of integers, shape (...)
        Bit-cycles lost if every part is cut into slots in the order of its shifts.
    """
    below = np.cumsum(counts, axis=-1)[..., :-1]
    steps = np.diff(shifts) * ((below > 0) & (below < counts.sum(axis=-1)[..., None]))
    for cut in product((False, True), repeat=len(shifts) - 1):
        starts = [0, *(1 + np.flatnonzero(cut)).tolist()]
        yield np.add.reduceat(counts, starts, axis=-1), steps @ ~np.array(cut, bool)


def least_bit_cycles(
    counts: np.ndarray, shifts: np.ndarray, hardware: HardwareParams
) -> np.ndarray:
    """Return the bit-cycles of tiles whose rows are sorted by shift and cut into slots.

    Parameters
    ----------
    counts : numpy.ndarray of integers, shape (..., shifts)
        Rows with a 1 of every shift, for each tile.
    shifts : numpy.ndarray of integers, shape (shifts,)
        Ascending.
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of int64, shape (...)
        With as few groups as hold the rows, but at least one (SPEC section 6).
    """
    g, slots = hardware.group_rows, hardware.slots
    groups = np.maximum(1, _ceil_div(counts.sum(axis=-1), g))
    last_slot = hardware.rows - (slots - 1) * g
    least = np.full(groups.shape, np.iinfo(np.int64).max)
    for parts, waste in _cuts(counts, shifts):
        needed = _ceil_div(parts, g)
        # With all slots in use, the last one holds rows of the last part, and may be short.
        final = 1 + _ceil_div(np.maximum(parts[..., -1] - last_slot, 0), g)
        needed[..., -1] = np.where(groups == slots, final, needed[..., -1])
        least = np.where(needed.sum(axis=-1) <= groups, np.minimum(least, waste), least)
    return hardware.input_bits * groups + least


def bit_cycles_bound(
    counts: np.ndarray, shifts: np.ndarray, row_tiles: int, hardware: HardwareParams
) -> int:
    """Return bit-cycles of a matrix that no row order can fall below.

    Every column of tiles is taken for itself, as if its rows could be dealt to groups at will:
    either rows of two shifts are kept in different groups, or a group spans the difference.

    Parameters
    ----------
    counts : numpy.ndarray of integers, shape (column tiles, shifts)
        Rows with a 1 of every shift.
    shifts : numpy.ndarray of integers, shape (shifts,)
        Ascending.
    row_tiles : int
        Each has at least one group.
    hardware : HardwareParams
    """
    g, rows = hardware.group_rows, counts.sum(axis=-1)
    full_slots = row_tiles * (hardware.rows // g)
    short_slot = hardware.rows % g or g
    beyond = np.maximum(rows - full_slots * g, 0)
    floor = np.minimum(_ceil_div(rows, g), full_slots) + _ceil_div(beyond, short_slot)
    floor = np.maximum(floor, row_tiles)
    least = np.full(len(counts), np.iinfo(np.int64).max)
    for parts, waste in _cuts(counts, shifts):
        groups = np.maximum(floor, _ceil_div(parts, g).sum(axis=-1))
        least = np.minimum(least, hardware.input_bits * groups + waste)
    return int(least.sum())


def mark_shifts(ones: np.ndarray, row_shifts: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Mark every row with a 1 under its shift.

    Parameters
    ----------
    ones : numpy.ndarray of integers, shape (rows, column tiles)
        All magnitude codes of a row of a tile, ored.
    row_shifts : numpy.ndarray of integers, shape (rows, column tiles)
    shifts : numpy.ndarray of integers, shape (shifts,)
        All that occur.

    Returns
    -------
    numpy.ndarray of int64, shape (rows, column tiles, shifts)
        Summed over rows, they are the counts of :func:`least_bit_cycles`.
    """
    return ((row_shifts[..., None] == shifts) & (ones > 0)[..., None]).astype(np.int64)
