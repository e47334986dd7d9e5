"""Inter-crossbar bit-slicing: tiles, planes, and which crossbars hold anything."""

import numpy as np

from sme_hw.tile_image import EMPTY

__all__ = ["cell_levels", "occupied_planes", "ored_codes", "tile_starts"]


def tile_starts(length: int, size: int) -> np.ndarray:
    """Return where tiles begin along an axis: at multiples of ``size``; the last may be short."""
    return np.arange(0, length, size)


def ored_codes(codes: np.ndarray, tile_columns: int) -> np.ndarray:
    """Return which bits the rows of tiles have a 1 in: their codes, ored.

    Parameters
    ----------
    codes : numpy.ndarray of integers, shape (rows, columns)
        Magnitudes.
    tile_columns : int
        Crossbar columns.

    Returns
    -------
    numpy.ndarray of the same integers, shape (rows, column tiles)
    """
    return np.bitwise_or.reduceat(codes, tile_starts(codes.shape[1], tile_columns), axis=1)


def occupied_planes(
    ored: np.ndarray, row_tiles: np.ndarray, cell_bits: int, planes: int
) -> np.ndarray:
    """Tell which planes of each tile have at least one 1.

    Parameters
    ----------
    ored : numpy.ndarray of integers, shape (rows, column tiles)
        From :func:`ored_codes`.
    row_tiles : numpy.ndarray of integers, shape (row tiles, crossbar rows)
        Rows of each row tile, or :data:`sme_hw.tile_image.EMPTY`.
    cell_bits, planes : int
        Bits a cell holds, and crossbars that hold a code.

    Returns
    -------
    numpy.ndarray of bool, shape (planes, row tiles, column tiles)
        The most significant plane first.
    """
    tiles = [np.bitwise_or.reduce(ored[rows[rows != EMPTY]], axis=0) for rows in row_tiles]
    return cell_levels(np.stack(tiles), cell_bits, planes) > 0


def cell_levels(codes: np.ndarray, cell_bits: int, planes: int) -> np.ndarray:
    """Return the cell levels of magnitudes, shape (planes, ...), most significant plane first."""
    weights = cell_bits * np.arange(planes)[::-1]
    weights = weights.reshape(-1, *([1] * codes.ndim))
    return (codes >> weights & (2**cell_bits - 1)).astype(np.uint8)
