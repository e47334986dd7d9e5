"""Rows that are split instead of cut off: several pieces, each with a shift of its own.

The low bits of a row that is shifted need not be lost: they may stand on another row of a
crossbar, which gets the same input. All planes but those that a piece has are released, and a
column of tiles becomes a pool of rows that pieces of any source and shift may take (reconstructed).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sme_hw.params import HardwareParams

from .layers import Placement
from .layout import PlacedCodes

__all__ = ["Pieces", "cut_rows", "place_pieces"]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of the rows of all groups of a layer, for one column of tiles.

    Parameters
    ----------
    codes : numpy.ndarray of int16, shape (pieces, columns)
        Signed codes; the columns are those of one group.
    shifts : numpy.ndarray of uint8, shape (pieces,)
    sources : numpy.ndarray of int64, shape (pieces,)
        Row that each piece belongs to; rows of one group follow those of the other.
    """

    codes: np.ndarray
    shifts: np.ndarray
    sources: np.ndarray


def cut_rows(codes: np.ndarray, piece_bits: int) -> Pieces:
    """Cut rows into as few pieces as hold all of their bits.

    A piece begins at the leading bit that any code of the row still has, and ends ``piece_bits``
    lower, or at the last bit there is. A row of zeros has none.

    Parameters
    ----------
    codes : numpy.ndarray of int16, shape (rows, columns)
        Signed codes.
    piece_bits : int
        N - x.

    Returns
    -------
    Pieces
        The sum of ``codes << shift`` of the pieces of a row are its codes.

    Examples
    --------
    >>> pieces = cut_rows(np.array([[0b1001, -0b1000], [0, 0]], np.int16), 2)
    >>> pieces.codes.tolist(), pieces.shifts.tolist(), pieces.sources.tolist()
    ([[2, -2], [1, 0]], [2, 0], [0, 0])
    """
    rest = np.abs(codes)
    ored = np.bitwise_or.reduce(rest, axis=1)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    while len(rows := np.flatnonzero(ored)) or not found:
        # frexp's exponent of an integer is its bit length.
        length = np.frexp(ored[rows].astype(np.float64))[1]
        shifts = np.maximum(length - piece_bits, 0).astype(np.int16)
        taken = rest[rows] >> shifts[:, np.newaxis]
        found.append((np.where(codes[rows] < 0, -taken, taken), shifts.astype(np.uint8), rows))
        below = (1 << shifts) - 1
        rest[rows] &= below[:, np.newaxis]
        ored[rows] &= below
    return Pieces(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def _pack(counts: Sequence[int], columns: int, hardware: HardwareParams) -> list[range]:
    """Return runs of groups that share a tile: as many as fit, at least one.

    Parameters
    ----------
    counts : sequence of int
        Pieces of every group.
    columns : int
        Columns of each.
    hardware : HardwareParams
    """
    runs, first, pieces = [], 0, 0
    for group, count in enumerate(counts):
        full = (group - first + 1) * columns > hardware.cols or pieces + count > hardware.rows
        if full and group > first:
            runs.append(range(first, group))
            first, pieces = group, 0
        pieces += count
    return [*runs, range(first, len(counts))]


def place_pieces(
    pieces: Sequence[Pieces],
    shape: tuple[int, int, int],
    code_steps: np.ndarray,
    hardware: HardwareParams,
) -> list[PlacedCodes]:
    """Place the pieces of a layer on crossbars, sorted by shift.

    Every column of tiles has pieces of its own. Groups that follow one another share a tile as long
    as their pieces and columns fit; one with more than that is tiled alone.

    Parameters
    ----------
    pieces : sequence of Pieces
        One for each column of tiles of a group.
    shape : tuple of int
        Groups of the layer, rows and columns of each.
    code_steps : numpy.ndarray of float64, shape (groups * columns,)
    hardware : HardwareParams

    Returns
    -------
    list of PlacedCodes
        Pieces of equal shift are in the order of their sources.
    """
    groups, rows, columns = shape
    runs = [range(group, group + 1) for group in range(groups)]
    if len(pieces) == 1:
        counts = np.bincount(pieces[0].sources // rows, minlength=groups)
        runs = _pack(counts.tolist(), columns, hardware)
    run_of_group = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    by_tile = []
    for number, tile in enumerate(pieces):
        first = number * hardware.cols
        part = range(first, min(first + hardware.cols, columns))
        run_of_piece = run_of_group[tile.sources // rows]
        order = np.lexsort((tile.sources, tile.shifts, run_of_piece))
        ends = np.cumsum(np.bincount(run_of_piece, minlength=len(runs)))
        placed = [Placement(run, rows, columns, part) for run in runs]
        chosen = np.split(order, ends[:-1])
        by_tile.append(
            [_place(tile, *pair, code_steps) for pair in zip(chosen, placed, strict=True)]
        )
    return [part for same in zip(*by_tile, strict=True) for part in same]


def _place(
    pieces: Pieces, chosen: np.ndarray, placement: Placement, code_steps: np.ndarray
) -> PlacedCodes:
    """Return some of the pieces as a matrix of its own."""
    columns = len(placement.part)
    steps = code_steps[placement.output_slice]
    if not len(chosen):  # nothing but zeros: one row of them stands for all
        zeros = np.zeros((1, placement.shape[1]), np.int16)
        return PlacedCodes(
            placement, zeros, np.zeros((1, 1), np.uint8), np.zeros(1, np.int32), steps
        )
    sources = pieces.sources[chosen] - placement.input_slice.start
    codes = np.zeros((len(chosen), len(placement.groups), columns), np.int16)
    codes[np.arange(len(chosen)), sources // placement.rows] = pieces.codes[chosen]
    return PlacedCodes(
        placement,
        codes.reshape(len(chosen), -1),
        pieces.shifts[chosen, np.newaxis],
        sources.astype(np.int32),
        steps,
    )
