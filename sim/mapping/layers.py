"""Unrolling: what a layer's weight array means as matrices that are laid out on crossbars."""

from dataclasses import dataclass

import numpy as np

from sme_hw.errors import InputError

__all__ = ["Placement", "placements", "unroll"]


@dataclass(frozen=True)
class Placement:
    """A matrix to be tiled: one or several groups of a layer, block-diagonally, or part of one.

    Parameters
    ----------
    groups : range
        Groups of the layer that it holds; a dense layer is one group.
    rows, columns : int
        Rows and columns of one group.
    part : range
        Columns that it holds of its group; all of them if it holds several groups.
    """

    groups: range
    rows: int
    columns: int
    part: range

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole matrix."""
        return len(self.groups) * self.rows, len(self.groups) * len(self.part)

    def matrix(self, unrolled: np.ndarray) -> np.ndarray:
        """Return the matrix from the layer's groups, shape (groups, rows, columns)."""
        if len(self.groups) == 1:
            return unrolled[self.groups[0], :, self.part.start : self.part.stop]
        matrix = np.zeros(self.shape, unrolled.dtype)
        for i, group in enumerate(self.groups):
            top, left = i * self.rows, i * self.columns
            matrix[top : top + self.rows, left : left + self.columns] = unrolled[group]
        return matrix

    def unrolled(self, matrix: np.ndarray) -> np.ndarray:
        """Return its groups from the matrix, shape (groups, rows, columns of the part)."""
        count = len(self.groups)
        blocks = matrix.reshape(count, self.rows, count, -1)
        return blocks[np.arange(count), :, np.arange(count)]

    @property
    def input_slice(self) -> slice:
        """The layer's inputs that its rows take: those of one group after the other."""
        return slice(self.groups[0] * self.rows, (self.groups[-1] + 1) * self.rows)

    @property
    def output_slice(self) -> slice:
        """The layer's outputs that its columns compute."""
        first, last = (self.columns * group for group in (self.groups[0], self.groups[-1]))
        return slice(first + self.part.start, last + self.part.stop)


def unroll(weights: np.ndarray, groups: int = 1) -> np.ndarray:
    """Return a layer's weights as one matrix per group.

    Parameters
    ----------
    weights : numpy.ndarray, shape (out, in) or (out, in / groups, kh, kw)
        A fully connected or convolution layer.
    groups : int
        Groups of the convolution.

    Returns
    -------
    numpy.ndarray, shape (groups, rows, columns)
        Rows are inputs in the order (cin, kh, kw), columns are output channels (SPEC section 3).
    """
    if weights.ndim not in (2, 4):
        raise InputError(f"a weight array has 2 or 4 axes, not shape {weights.shape}")
    if 0 in weights.shape:
        raise InputError(f"a weight array of shape {weights.shape} is empty")
    out = weights.shape[0]
    if groups < 1 or out % groups:
        raise InputError(f"{out} output channels cannot form {groups} groups")
    return weights.reshape(groups, out // groups, -1).transpose(0, 2, 1)


def placements(
    groups: int, rows: int, columns: int, tile_rows: int, tile_columns: int
) -> list[Placement]:
    """Pack the groups of a layer onto crossbars.

    As many as fit share a tile along its diagonal; a group larger than a tile is tiled alone
    (reconstructed).
    """
    together = max(1, min(tile_rows // rows, tile_columns // columns))
    return [
        Placement(range(first, min(first + together, groups)), rows, columns, range(columns))
        for first in range(0, groups, together)
    ]
