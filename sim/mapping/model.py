"""What a mapping consists of: layers, their matrices, and the tiles of these."""

import math
from dataclasses import dataclass, field

import numpy as np

from sme_hw.cycles import group_bit_cycles
from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY, TileImage

from .counts import Counts, Errors
from .layers import Placement
from .params import Parameters
from .quantisation import LayerCalibration
from .slicing import cell_levels, tile_starts

__all__ = ["LayerMapping", "MatrixMapping", "Tile", "TilePart", "signed_levels"]


@dataclass(frozen=True, eq=False)
class Tile:
    """Where a tile stands, and what part of a matrix it holds.

    Parameters
    ----------
    row_tile, column_tile : int
        Its place among the tiles.
    pieces : numpy.ndarray of int64, shape (inputs,)
        Pieces of the matrix in the order of the tile's inputs.
    rows : numpy.ndarray of int64, shape (inputs,)
        The row of the placed matrix that each of them takes: which input it gets.
    columns : slice
        Columns of the matrix.
    """

    row_tile: int
    column_tile: int
    pieces: np.ndarray
    rows: np.ndarray
    columns: slice


@dataclass(frozen=True, eq=False)
class TilePart:
    """The part of a matrix that a tile holds.

    Parameters
    ----------
    codes : numpy.ndarray of int16, shape (rows, columns)
        Signed codes as they stand in the cells.
    row_shifts : numpy.ndarray of uint8, shape (rows,)
        Left shift of the inputs.
    row_order : numpy.ndarray of int16, shape (crossbar rows,)
        For each physical row, the row that it holds, or :data:`sme_hw.tile_image.EMPTY`.
    """

    codes: np.ndarray
    row_shifts: np.ndarray
    row_order: np.ndarray

    def image(self, hardware: HardwareParams) -> TileImage:
        """Return what it puts into a compute unit."""
        order = self.row_order.astype(np.int64)
        order = order[: 1 + int(np.flatnonzero(order != EMPTY)[-1])]
        used = order != EMPTY
        shifts = np.zeros(len(order), np.uint8)
        shifts[used] = self.row_shifts[order[used]]
        levels = signed_levels(self.codes, hardware)
        cells = np.zeros((*levels.shape[:2], len(order), levels.shape[3]), np.uint8)
        cells[:, :, used] = levels[:, :, order[used]]
        groups = []
        for slot, start in enumerate(range(0, len(order), hardware.group_rows)):
            group = slice(start, start + hardware.group_rows)
            members = shifts[group][used[group]].tolist()
            low, high = min(members), max(members)
            groups.append((slot, low, group_bit_cycles(hardware, low, high)))
        return TileImage(len(self.codes), cells, order, shifts, np.array(groups, np.int64))


@dataclass(frozen=True, eq=False)
class MatrixMapping:
    """One matrix on its crossbars.

    What a row of crossbars holds is a *piece*: codes with a shift, driven by the input of one row
    of the placed matrix, its source. Most policies make one piece of every row. A row that is
    split has several; a row without any 1 may have none.

    Parameters
    ----------
    placement : Placement
        What part of the layer it is.
    codes : numpy.ndarray of int16, shape (pieces, columns)
        Signed codes as they stand in the cells, that is after squeeze-out.
    row_shifts : numpy.ndarray of uint8, shape (pieces, column tiles)
        Left shift of the inputs.
    sources : numpy.ndarray of int32, shape (pieces,)
        Row of the placed matrix that each piece belongs to.
    row_tiles : numpy.ndarray of int32, shape (row tiles, crossbar rows)
        Pieces of each row tile, ascending, with :data:`sme_hw.tile_image.EMPTY` after the last one.
        They are the inputs of all its tiles.
    row_order : numpy.ndarray of int16, shape (row tiles, column tiles, crossbar rows)
        For each physical row of each tile, the piece of the tile that it holds, or
        :data:`sme_hw.tile_image.EMPTY`.
    code_steps : numpy.ndarray of float64, shape (columns,)
        Weight that a code of 1 stands for.
    """

    placement: Placement
    codes: np.ndarray
    row_shifts: np.ndarray
    sources: np.ndarray
    row_tiles: np.ndarray
    row_order: np.ndarray
    code_steps: np.ndarray

    def tiles(self, hardware: HardwareParams) -> list[Tile]:
        """Return all tiles, row tile by row tile."""
        width, columns = hardware.cols, self.codes.shape[1]
        found = []
        for i, row_tile in enumerate(self.row_tiles):
            pieces = row_tile[row_tile != EMPTY].astype(np.int64)
            rows = self.sources[pieces].astype(np.int64)
            for j, first in enumerate(tile_starts(columns, width).tolist()):
                place = slice(first, min(first + width, columns))
                found.append(Tile(i, j, pieces, rows, place))
        return found

    def tile_name(self, tile: Tile) -> str:
        """Return what to call a tile in reports."""
        rows = f"rows {tile.rows.min()}..{tile.rows.max()}"
        if not self.whole_rows:
            rows = f"row tile {tile.row_tile} ({len(tile.rows)} pieces of {rows})"
        elif (np.diff(tile.rows) != 1).any():
            rows = f"row tile {tile.row_tile} ({len(tile.rows)} of {rows})"
        left = self.placement.part.start
        return f"{rows} columns {left + tile.columns.start}..{left + tile.columns.stop - 1}"

    def part(self, tile: Tile) -> "TilePart":
        """Return what a tile holds, without the rest of the matrix."""
        return TilePart(
            self.codes[tile.pieces, tile.columns],
            self.row_shifts[tile.pieces, tile.column_tile],
            self.row_order[tile.row_tile, tile.column_tile],
        )

    def image(self, tile: Tile, hardware: HardwareParams) -> TileImage:
        """Return what ``tile`` puts into a compute unit."""
        return self.part(tile).image(hardware)

    def effective_codes(self, hardware: HardwareParams) -> np.ndarray:
        """Return ``codes << shift`` of every piece as int32, shape (pieces, columns)."""
        widths = np.diff([*tile_starts(self.codes.shape[1], hardware.cols), self.codes.shape[1]])
        return self.codes.astype(np.int32) << np.repeat(self.row_shifts, widths, axis=1)

    @property
    def whole_rows(self) -> bool:
        """The pieces are the rows of the placed matrix, in order."""
        return np.array_equal(self.sources, np.arange(self.placement.shape[0]))

    def add_pieces(self, effective: np.ndarray) -> np.ndarray:
        """Return what the placed matrix multiplies by: numbers of pieces, added up by source.

        Parameters
        ----------
        effective : numpy.ndarray, shape (pieces, columns)

        Returns
        -------
        numpy.ndarray, shape of the placement
        """
        if self.whole_rows:
            return effective
        order = np.argsort(self.sources, kind="stable")
        sources, first = np.unique(self.sources[order], return_index=True)
        rows = np.zeros(self.placement.shape, effective.dtype)
        rows[sources] = np.add.reduceat(effective[order], first, axis=0)
        return rows

    def weights(self, hardware: HardwareParams) -> np.ndarray:
        """Return the integers that inputs are multiplied by, clips aside, as int32.

        The shape is that of the placement: (rows, columns).
        """
        return self.add_pieces(self.effective_codes(hardware))


def signed_levels(codes: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Return the cell levels of signed codes, shape (2, planes, rows, columns), positive first."""
    signs = np.stack([np.maximum(codes, 0), np.maximum(-codes, 0)])
    return cell_levels(signs, hardware.cell_bits, hardware.planes).swapaxes(0, 1)


@dataclass(frozen=True, eq=False)
class LayerMapping:
    """A layer on crossbars.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Shape of the weight array it came from.
    groups : int
        Groups of the convolution; 1 for a dense layer.
    parameters : Parameters
    codec : str
        The codec that was used.
    matrices : tuple of MatrixMapping
    counts : Counts
    errors : Errors
    calibration : LayerCalibration or None
        None: its integers have no real meaning yet.
    """

    name: str
    shape: tuple[int, ...]
    groups: int
    parameters: Parameters
    codec: str
    matrices: tuple[MatrixMapping, ...]
    counts: Counts = field(default_factory=Counts)
    errors: Errors = field(default_factory=Errors)
    calibration: LayerCalibration | None = None

    @property
    def group_shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix of one group."""
        return math.prod(self.shape[1:]), self.shape[0] // self.groups

    @property
    def code_steps(self) -> np.ndarray:
        """Weight that a code of 1 of each output stands for, shape (outputs,)."""
        return np.concatenate([matrix.code_steps for matrix in self.matrices])

    @property
    def inputs(self) -> int:
        """Elements of an input vector: the inputs of one group after the other."""
        return max(matrix.placement.input_slice.stop for matrix in self.matrices)

    @property
    def outputs(self) -> int:
        """Elements of a result vector: the outputs of one group after the other."""
        return max(matrix.placement.output_slice.stop for matrix in self.matrices)
