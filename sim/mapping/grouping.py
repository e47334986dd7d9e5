"""Row order: which logical row sits on which physical row, and so in which group."""

from collections.abc import Callable

import numpy as np

from sme_hw.tile_image import EMPTY

__all__ = ["GROUPINGS", "shift_cycles"]

_PASSES = 4
"""Improvement passes over all rows; more change little."""

_SINGLE_THREADED = 1 << 18
"""Multiplications of a matrix product that OpenBLAS does in the calling thread."""

Grouping = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]


def shift_cycles(shifts: np.ndarray, order: np.ndarray, group_rows: int) -> int:
    """Return the bit-cycles that the groups of an order waste: the sum of s_max - s_min.

    Parameters
    ----------
    shifts : numpy.ndarray of integers, shape (rows,)
        Shifts of logical rows.
    order : numpy.ndarray of integers, shape (physical rows,)
        Logical row on each physical row, or :data:`sme_hw.tile_image.EMPTY`.
    group_rows : int
        G.
    """
    waste = 0
    for start in range(0, len(order), group_rows):
        group = order[start : start + group_rows]
        members = shifts[group[group != EMPTY]].astype(int)
        waste += int(members.max() - members.min()) if len(members) else 0
    return waste


def _in_order(cells: np.ndarray, shifts: np.ndarray, group_rows: int, rows: int) -> np.ndarray:
    """Keep rows where they are."""
    return np.arange(len(shifts))


def _by_shift(cells: np.ndarray, shifts: np.ndarray, group_rows: int, rows: int) -> np.ndarray:
    """Sort rows by shift: groups then waste at most x bit-cycles in all (SPEC section 6)."""
    return _lay_out(np.argsort(shifts, kind="stable"), shifts, group_rows, rows)


def _balanced(cells: np.ndarray, shifts: np.ndarray, group_rows: int, rows: int) -> np.ndarray:
    """Drop empty rows, sort by shift, and spread column sums evenly over the groups.

    Only rows of equal shift change places, so no bit-cycle is lost. The sum of fourth powers of
    the column sums stands in for their largest, which alone gives too little to go by.
    """
    used = np.flatnonzero(cells.any(axis=(0, 1, 3)))
    if not len(used):
        return np.array([0])
    used = used[np.argsort(shifts[used], kind="stable")]
    layout = _lay_out(used, shifts, group_rows, rows)
    groups = np.flatnonzero(layout != EMPTY) // group_rows
    if groups[-1] > 0:
        levels = cells[:, :, used].transpose(2, 0, 1, 3).reshape(len(used), -1).astype(np.float64)
        place = _spread(levels, shifts[used], groups)
        # Rows of one group keep their logical order.
        layout[layout != EMPTY] = used[np.lexsort((used, place))]
    return layout


def _lay_out(ordered: np.ndarray, shifts: np.ndarray, group_rows: int, rows: int) -> np.ndarray:
    """Cut rows that are sorted by shift into as few slots as hold them, at the best places.

    Slots need not be full: where the last one would be short, an earlier one may be instead, so
    that a group ends where the shift changes. Dynamic programming over slots and places left empty.

    Returns the logical row on each physical row.
    """
    count = -(-len(ordered) // group_rows)
    capacity = [min(group_rows, rows - slot * group_rows) for slot in range(count)]
    spare = sum(capacity) - len(ordered)
    values = shifts[ordered].astype(int)
    # best[u]: least waste of the slots so far with u places left empty, and the cuts for it.
    best: dict[int, tuple[int, list[int]]] = {0: (0, [])}
    for slot, size in enumerate(capacity):
        following: dict[int, tuple[int, list[int]]] = {}
        for empty, (waste, cuts) in best.items():
            first = slot * group_rows - empty
            for more in range(min(spare - empty, size - 1) + 1):
                last = first + size - more - 1
                if last >= len(values):
                    continue  # too few places were left empty
                total = waste + int(values[last] - values[first])
                known = following.get(empty + more)
                if known is None or total < known[0]:
                    following[empty + more] = total, [*cuts, last + 1]
        best = following
    cuts = best[spare][1]
    layout = np.full(count * group_rows, EMPTY)
    start = 0
    for slot, end in enumerate(cuts):
        layout[slot * group_rows : slot * group_rows + end - start] = ordered[start:end]
        start = end
    return layout[: 1 + int(np.flatnonzero(layout != EMPTY)[-1])]


def _spread(levels: np.ndarray, shifts: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return a group for each row that keeps every group's number of rows of each shift.

    Parameters
    ----------
    levels : numpy.ndarray of float64, shape (rows, planes and columns)
    shifts, groups : numpy.ndarray of integers, shape (rows,)
        Shift of each row, and the group it would be in.
    """
    powers = _powers(levels)
    sums = np.zeros((groups[-1] + 1, levels.shape[1]))
    slopes = _slopes(sums, powers)
    place = np.empty_like(groups)
    # Greedy: heavy rows first, each to the free place of its shift's groups that costs least.
    for shift in np.unique(shifts):
        members = np.flatnonzero(shifts == shift)
        free = np.bincount(groups[members], minlength=len(sums))
        for row in members[np.argsort(-levels[members].sum(axis=1), kind="stable")]:
            cost = np.einsum("gck,ck->g", slopes, powers[row])
            chosen = int(np.argmin(np.where(free, cost, np.inf)))
            free[chosen] -= 1
            sums[chosen] += levels[row]
            slopes[chosen] = _slopes(sums[chosen], powers)
            place[row] = chosen
    _improve(levels, powers, shifts, place, sums)
    return place


# A row of levels a costs (s + a)^4 - s^4 in a group of column sums s, which is a^4 and the product
# of two vectors: a, a^2, a^3 and 4 s^3, 6 s^2, 4 s. For levels 0 and 1 all powers are the same. All
# numbers are integers that float64 holds exactly, so every machine finds the same order.


def _powers(levels: np.ndarray) -> np.ndarray:
    """Return different powers of levels, shape (..., powers)."""
    return levels[..., None] ** (np.arange(1, 4) if levels.max() > 1 else np.array([1]))


def _slopes(sums: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return what the powers of a row's levels are multiplied by to give its cost."""
    if powers.shape[-1] == 1:
        return (((4 * sums + 6) * sums + 4) * sums)[..., None]
    return np.stack([4 * sums * sums * sums, 6 * sums * sums, 4 * sums], axis=-1)


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a matrix product, in parts for which BLAS takes no threads.

    These cost more than they save, many times so on a busy machine.
    """
    step = max(16, _SINGLE_THREADED // (len(a) * b.shape[1]))
    total = np.zeros((len(a), b.shape[1]))
    for start in range(0, len(b), step):
        total += a[:, start : start + step] @ b[start : start + step]
    return total


def _improve(
    levels: np.ndarray,
    powers: np.ndarray,
    shifts: np.ndarray,
    place: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Exchange rows of equal shift between groups while that lowers the cost; changes ``place``.

    Rows take their turn, each with the partner that lowers it most.
    """
    count = len(levels)
    by_column = np.ascontiguousarray(powers.transpose(1, 2, 0))

    def slopes(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the slopes of the places of rows, without these rows."""
        others = sums[place[rows]].take(columns, axis=1) - levels[rows].take(columns, axis=1)
        return _slopes(others, powers).reshape(len(rows), -1)

    # What row j would cost in the place of row i, fourth powers of levels aside.
    all_columns = np.arange(levels.shape[1])
    all_powers = by_column.reshape(-1, count)
    costs = _product(slopes(np.arange(count), all_columns), all_powers)
    other_shift = shifts[:, None] != shifts
    for _ in range(_PASSES):
        row, changed = 0, False
        while True:
            own = costs.diagonal()
            change = costs + costs.T - own - own[:, None]
            change[other_shift | (place[:, None] == place)] = 0
            gaining = np.flatnonzero(change[row:].min(axis=1) < 0)
            if not len(gaining):
                break
            row += int(gaining[0])
            partner = int(np.argmin(change[row]))
            pair = np.array([row, partner])
            near = np.flatnonzero((place[:, None] == place[pair]).any(axis=1))
            difference = levels[partner] - levels[row]
            columns = np.flatnonzero(difference)
            before = slopes(near, columns)
            sums[place[row]] += difference
            sums[place[partner]] -= difference
            place[pair] = place[pair[::-1]]
            added = slopes(near, columns) - before
            costs[near] += _product(added, by_column[columns].reshape(-1, count))
            costs[pair] = _product(slopes(pair, all_columns), all_powers)
            row, changed = row + 1, True
        if not changed:
            break


GROUPINGS: dict[str, Grouping] = {
    "none": _in_order,
    "shift": _by_shift,
    "balanced": _balanced,
    "magnitude": _by_shift,
}
"""Policies by name (reconstructed from the journal paper's "workload grouping"; ``magnitude`` is
no part of it, and differs from ``shift`` in :data:`sim.mapping.row_tiles.ROW_TILES` alone). Each
takes cell levels, shape (signs, planes, rows, columns), row shifts, G and R, and returns the
logical row on each physical row, or EMPTY."""
