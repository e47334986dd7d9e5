"""Inter-crossbar bit-slicing: tiles, planes, and which crossbars hold anything."""

import numpy as np

__all__ = ["cell_levels", "occupied_planes", "tile_starts"]


def tile_starts(length: int, size: int) -> np.ndarray:
    """Return where tiles begin along an axis: at multiples of ``size``; the last may be short."""
    return np.arange(0, length, size)


def occupied_planes(
    codes: np.ndarray, tile_columns: int, cell_bits: int, planes: int
) -> np.ndarray:
    """Tell which planes of each tile have at least one 1.

    Parameters
    ----------
    codes : numpy.ndarray of integers, shape (rows, columns)
        Magnitudes in the rows of one row of tiles.
    tile_columns, cell_bits : int
        Crossbar columns, and bits a cell holds.
    planes : int
        Crossbars that hold a code.

    Returns
    -------
    numpy.ndarray of bool, shape (column tiles, planes)
        The most significant plane first.
    """
    ones = np.bitwise_or.reduce(codes, axis=0)
    ones = np.bitwise_or.reduceat(ones, tile_starts(len(ones), tile_columns))
    return cell_levels(ones, cell_bits, planes).T > 0


def cell_levels(codes: np.ndarray, cell_bits: int, planes: int) -> np.ndarray:
    """Return the cell levels of magnitudes, shape (planes, ...), most significant plane first."""
    weights = cell_bits * np.arange(planes)[::-1]
    weights = weights.reshape(-1, *([1] * codes.ndim))
    return (codes >> weights & (2**cell_bits - 1)).astype(np.uint8)
