"""Matrix-level row order: which rows of a matrix go to which row tile.

The row tiles of a matrix share their inputs, so a row goes to the same one in every column of
tiles, though it may be shifted differently there. Codes and shifts do not depend on it.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY

from .least_cycles import least_bit_cycles, mark_shifts
from .row_ends import cycle_ends, full_ends, plane_ends, weigh_cycles
from .slicing import occupied_planes, tile_starts

__all__ = ["ROW_TILES", "RowTiles", "fill_tiles"]

RowTiles = Callable[[np.ndarray, np.ndarray, HardwareParams], np.ndarray]


def _gather(ones: np.ndarray, row_shifts: np.ndarray) -> np.ndarray:
    """Return the rows with a 1, like beside like.

    Rows that no tile moves come first, then those moved in more and more tiles, rows moved alike
    side by side; of these, rows of small codes first, so that leading planes stay empty in whole
    tiles.
    """
    used = np.flatnonzero(ones.max(axis=1))
    moved = np.where(ones > 0, row_shifts, 0)[used]
    lengths = np.frexp(ones[used].astype(np.float64))[1].sum(axis=1)
    return used[np.lexsort((lengths, *moved.T, np.count_nonzero(moved, axis=1)))]


def _deal(order: np.ndarray, ends: np.ndarray, rows: int, tile_rows: int) -> np.ndarray:
    """Give every row tile its part of ``order``; the other rows, without any 1, fill it up."""
    row_tiles = np.full((len(ends), tile_rows), EMPTY, np.int32)
    others = np.setdiff1d(np.arange(rows), order)
    for row_tile, (start, end) in zip(row_tiles, pairwise([0, *ends]), strict=True):
        filling, others = np.split(others, [tile_rows - (end - start)])
        members = np.sort(np.concatenate([order[start:end], filling]))
        row_tile[: len(members)] = members
    return row_tiles


def fill_tiles(order: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Return the row tiles of rows that fill one after the other in a given order.

    Parameters
    ----------
    order : numpy.ndarray of integers, shape (rows,)
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of int32, shape (row tiles, crossbar rows)
        Ascending in each tile, EMPTY at the end.
    """
    rows = len(order)
    ends = full_ends(rows, len(tile_starts(rows, hardware.rows)), hardware)
    return _deal(order, ends, rows, hardware.rows)


def _in_order(ones: np.ndarray, row_shifts: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Cut rows into tiles as they come."""
    return fill_tiles(np.arange(len(ones)), hardware)


def _balanced(ones: np.ndarray, row_shifts: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Gather rows that are moved alike, and even out the tiles.

    Fewer bit-cycles come first, then tiles that take the same time, then fewer crossbars; rows stay
    where they are if nothing is gained.
    """
    in_order = _in_order(ones, row_shifts, hardware)
    tiles, rows = len(in_order), len(ones)
    order = _gather(ones, row_shifts)
    if tiles == 1 or not len(order):
        return in_order
    shifts = np.unique(row_shifts)
    kinds = mark_shifts(ones, row_shifts, shifts)
    choices = [in_order] + [
        _deal(order, ends, rows, hardware.rows)
        for ends in (
            full_ends(len(order), tiles, hardware),
            cycle_ends(kinds[order], shifts, hardware, tiles),
        )
    ]

    def rank(row_tiles: np.ndarray) -> tuple[int, int]:
        counts = np.stack([kinds[tile[tile != EMPTY]].sum(axis=0) for tile in row_tiles])
        cycles = least_bit_cycles(counts, shifts, hardware)
        planes = occupied_planes(ones, row_tiles, hardware.cell_bits, hardware.planes)
        return int(weigh_cycles(cycles, tiles, hardware).sum()), int(np.count_nonzero(planes))

    return min(choices, key=rank)


def _by_magnitude(ones: np.ndarray, row_shifts: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Gather rows of small codes, so that leading planes of whole tiles hold nothing.

    Rows are sorted by how many bits their codes need, in all column tiles together or in the worst
    of them, and cut where that takes the fewest crossbars; rows stay where they are if nothing is
    gained.
    """
    in_order = _in_order(ones, row_shifts, hardware)
    tiles, rows = len(in_order), len(ones)
    used = np.flatnonzero(ones.max(axis=1))
    if tiles == 1 or not len(used):
        return in_order
    # frexp's exponent of an integer is its bit length.
    bits = np.frexp(ones[used])[1]
    keys = [ones[used].sum(axis=1), row_shifts[used].sum(axis=1), bits.sum(axis=1)]
    orders = [used[np.lexsort(keys)], used[np.lexsort([*keys, bits.max(axis=1)])]]
    choices = [in_order] + [
        _deal(order, plane_ends(ones[order], tiles, hardware), rows, hardware.rows)
        for order in orders
    ]

    def crossbars(row_tiles: np.ndarray) -> int:
        planes = occupied_planes(ones, row_tiles, hardware.cell_bits, hardware.planes)
        return int(np.count_nonzero(planes))

    return min(choices, key=crossbars)


ROW_TILES: dict[str, RowTiles] = {
    "none": _in_order,
    "shift": _in_order,
    "balanced": _balanced,
    "magnitude": _by_magnitude,
}
"""Policies by the names of :data:`sim.mapping.grouping.GROUPINGS` (reconstructed). Each takes the
ored magnitude codes and the shifts of the rows of every tile, both of shape (rows, column tiles),
and returns the rows of each row tile, shape (row tiles, crossbar rows), ascending, EMPTY at the
end."""
