"""Where to cut sorted rows into row tiles so that few crossbars hold anything."""

import numpy as np

from sme_hw.params import HardwareParams

from .slicing import cell_levels

__all__ = ["plane_ends"]

_NEVER = 2**62
"""Cost of what is impossible; larger than any other, with room for one more."""


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
    position, found = 0, []
    for ends, chosen in reversed(trail):
        found.append(int(ends[position]))
        position = chosen[position]
    return np.array(found[::-1] + [rows] * (tiles - used))
