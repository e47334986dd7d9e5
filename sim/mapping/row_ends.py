"""Where to cut rows, in the order in which they are dealt, into row tiles."""

import numpy as np

from sme_hw.params import HardwareParams

from .least_cycles import least_bit_cycles
from .slicing import cell_levels

__all__ = ["cycle_ends", "full_ends", "plane_ends", "weigh_cycles"]

_ENDS = 32
"""Places tried for the end of a row tile; more change little."""

_NEVER = 2**62
"""Cost of what is impossible; larger than any other, with room for one more."""


def full_ends(rows: int, tiles: int, hardware: HardwareParams) -> np.ndarray:
    """Return where row tiles end if all but the last are full."""
    return np.minimum(np.arange(1, tiles + 1) * hardware.rows, rows)


def _even_ends(rows: int, tiles: int, hardware: HardwareParams) -> np.ndarray:
    """Return where row tiles end if their slots are spread as evenly as can be."""
    slots = -(-rows // hardware.group_rows)
    while True:
        shares = slots // tiles + (np.arange(tiles) < slots % tiles)
        ends = np.minimum(shares * hardware.group_rows, hardware.rows).cumsum()
        if ends[-1] >= rows:
            return np.minimum(ends, rows)
        slots += 1  # the last slot of a crossbar may be short


def weigh_cycles(bit_cycles: np.ndarray, tiles: int, hardware: HardwareParams) -> np.ndarray:
    """Return one number for the column tiles of a row tile: bit-cycles first, then evenness.

    Their squares are least, for a given sum, when all tiles take the same time.
    """
    most = hardware.slots * (hardware.input_bits + hardware.max_shift)
    weight = 1 + tiles * bit_cycles.shape[-1] * most**2
    return weight * bit_cycles.sum(axis=-1) + np.square(bit_cycles).sum(axis=-1)


def cycle_ends(
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
    full, even = full_ends(rows, tiles, hardware), _even_ends(rows, tiles, hardware)
    starts, best = np.array([0]), np.array([0])
    trail = []
    for tile in range(tiles):
        least = rows - (tiles - tile - 1) * hardware.rows
        near = between[(between >= least) & (between <= full[tile])]
        near = near[np.argsort(abs(near - even[tile]), kind="stable")[:_ENDS]]
        ends = np.unique([full[tile], even[tile], *near])
        sizes = ends[:, None] - starts
        cycles = least_bit_cycles(running[ends][:, None] - running[starts], shifts, hardware)
        cost = best + weigh_cycles(cycles, tiles, hardware)
        cost = np.where((sizes >= 0) & (sizes <= hardware.rows), cost, _NEVER)
        chosen = cost.argmin(axis=1)
        trail.append((ends, chosen))
        starts, best = ends, np.minimum(cost.min(axis=1), _NEVER)
    return np.array(_walk_back(trail))


def _walk_back(trail: list[tuple[np.ndarray, np.ndarray]]) -> list[int]:
    """Return the ends of all tiles: possible ends of each, and which one before is best."""
    position, found = 0, []
    for ends, chosen in reversed(trail):
        found.append(int(ends[position]))
        position = chosen[position]
    return found[::-1]


def _ored(rows: np.ndarray) -> np.ndarray:
    """Return the codes of the first 0, 1, 2 ... rows, ored."""
    nothing = np.zeros((1, *rows.shape[1:]), rows.dtype)
    return np.bitwise_or.accumulate(np.concatenate([nothing, rows]), axis=0)


def plane_ends(ones: np.ndarray, tiles: int, hardware: HardwareParams) -> np.ndarray:
    """Return where row tiles end so that they take the fewest crossbars.

    Dynamic programming over row tiles, of which the first ones hold all rows, as few as can;
    all ends are tried (reconstructed).

    Parameters
    ----------
    ones : numpy.ndarray of integers, shape (rows, column tiles)
        All magnitude codes of a row of a tile, ored, in the order in which rows are dealt.
    tiles : int
        Row tiles, enough for all rows.
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of int64, shape (tiles,)
    """
    height, rows = hardware.rows, len(ones)
    bits = hardware.planes * hardware.cell_bits
    levels = cell_levels(np.arange(2**bits), hardware.cell_bits, hardware.planes)
    crossbars = np.count_nonzero(levels, axis=0)
    used = -(-rows // height)
    starts, best = np.array([0]), np.array([0])
    trail = []
    for tile in range(used):
        # Less than one tile stays empty in all, so every possible part holds this row's upper end.
        inside = tile * height
        ends = np.arange(rows - (used - tile - 1) * height, min(inside + height, rows) + 1)
        above = _ored(ones[starts[0] : inside][::-1])[inside - starts]
        below = _ored(ones[inside : ends[-1]])[ends - inside]
        parts = zip(above.T, below.T, strict=True)
        cost = best[:, None] + sum(crossbars[a[:, None] | b] for a, b in parts)
        cost = np.where(ends - starts[:, None] <= height, cost, _NEVER)
        trail.append((ends, cost.argmin(axis=0)))
        starts, best = ends, cost.min(axis=0)
    return np.array(_walk_back(trail) + [rows] * (tiles - used))
