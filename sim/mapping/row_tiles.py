"""Matrix-level row order: which rows of a matrix go to which row tile.

The row tiles of a matrix share their inputs, so a row goes to the same one in every column of
tiles, though it may be shifted differently there. Codes and shifts do not depend on it.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise, product

import numpy as np

from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY

from .plane_ends import plane_ends
from .slicing import occupied_planes, tile_starts

__all__ = ["ROW_TILES", "RowTiles", "bit_cycles_bound", "least_bit_cycles", "mark_shifts"]

_ENDS = 32
"""Places tried for the end of a row tile; more change little."""

_NEVER = 2**62
"""Cost of what is impossible; larger than any other, with room for one more."""

RowTiles = Callable[[np.ndarray, np.ndarray, HardwareParams], np.ndarray]


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


def _full(rows: int, tiles: int, hardware: HardwareParams) -> np.ndarray:
    """Return where row tiles end if all but the last are full."""
    return np.minimum(np.arange(1, tiles + 1) * hardware.rows, rows)


def _even(rows: int, tiles: int, hardware: HardwareParams) -> np.ndarray:
    """Return where row tiles end if their slots are spread as evenly as can be."""
    slots = -(-rows // hardware.group_rows)
    while True:
        shares = slots // tiles + (np.arange(tiles) < slots % tiles)
        ends = np.minimum(shares * hardware.group_rows, hardware.rows).cumsum()
        if ends[-1] >= rows:
            return np.minimum(ends, rows)
        slots += 1  # the last slot of a crossbar may be short


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


def _in_order(ones: np.ndarray, row_shifts: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Cut rows into tiles as they come."""
    rows = len(ones)
    ends = _full(rows, len(tile_starts(rows, hardware.rows)), hardware)
    return _deal(np.arange(rows), ends, rows, hardware.rows)


def _weigh(bit_cycles: np.ndarray, tiles: int, hardware: HardwareParams) -> np.ndarray:
    """Return one number for the column tiles of a row tile: bit-cycles first, then evenness.

    Their squares are least, for a given sum, when all tiles take the same time.
    """
    most = hardware.slots * (hardware.input_bits + hardware.max_shift)
    weight = 1 + tiles * bit_cycles.shape[-1] * most**2
    return weight * bit_cycles.sum(axis=-1) + np.square(bit_cycles).sum(axis=-1)


def _best_ends(
    kinds: np.ndarray, shifts: np.ndarray, hardware: HardwareParams, tiles: int
) -> np.ndarray:
    """Return where row tiles end so that they take the fewest bit-cycles, and the most alike.

    Dynamic programming over row tiles. An end is tried where rows of another kind begin or a slot
    is full of rows of one kind, and where it would be with full or with even tiles.

    Parameters
    ----------
    kinds : numpy.ndarray of int64, shape (rows, column tiles, shifts)
        Marks of :func:`mark_shifts` in the order in which rows are dealt.
    shifts : numpy.ndarray of integers, shape (shifts,)
    hardware : HardwareParams
    tiles : int
        Row tiles.
    """
    rows = len(kinds)
    running = np.concatenate([np.zeros((1, *kinds.shape[1:]), np.int64), kinds.cumsum(axis=0)])
    changes = np.flatnonzero((kinds[1:] != kinds[:-1]).any(axis=(1, 2)))
    first = np.zeros(rows, np.int64)
    first[changes + 1] = changes + 1
    alike = np.arange(rows) - np.maximum.accumulate(first)
    between = np.flatnonzero(alike % hardware.group_rows == 0)
    full, even = _full(rows, tiles, hardware), _even(rows, tiles, hardware)
    starts, best = np.array([0]), np.array([0])
    trail = []
    for tile in range(tiles):
        least = rows - (tiles - tile - 1) * hardware.rows
        near = between[(between >= least) & (between <= full[tile])]
        near = near[np.argsort(abs(near - even[tile]), kind="stable")[:_ENDS]]
        ends = np.unique([full[tile], even[tile], *near])
        sizes = ends[:, None] - starts
        cycles = least_bit_cycles(running[ends][:, None] - running[starts], shifts, hardware)
        cost = best + _weigh(cycles, tiles, hardware)
        cost = np.where((sizes >= 0) & (sizes <= hardware.rows), cost, _NEVER)
        chosen = cost.argmin(axis=1)
        trail.append((ends, chosen))
        starts, best = ends, np.minimum(cost.min(axis=1), _NEVER)
    position, found = 0, []
    for ends, chosen in reversed(trail):
        found.append(int(ends[position]))
        position = chosen[position]
    return np.array(found[::-1])


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
            _full(len(order), tiles, hardware),
            _best_ends(kinds[order], shifts, hardware, tiles),
        )
    ]

    def rank(row_tiles: np.ndarray) -> tuple[int, int]:
        counts = np.stack([kinds[tile[tile != EMPTY]].sum(axis=0) for tile in row_tiles])
        cycles = least_bit_cycles(counts, shifts, hardware)
        planes = occupied_planes(ones, row_tiles, hardware.cell_bits, hardware.planes)
        return int(_weigh(cycles, tiles, hardware).sum()), int(np.count_nonzero(planes))

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
