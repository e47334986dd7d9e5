"""What a mapping consists of: counts, errors, matrices and layers."""

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Self

import numpy as np

from sme_hw.cycles import group_bit_cycles
from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY, TileImage

from .layers import Placement
from .params import Parameters
from .quantisation import LayerCalibration
from .slicing import cell_levels, tile_starts

__all__ = ["Counts", "Errors", "LayerMapping", "MatrixMapping", "Tile", "TilePart", "signed_levels"]


class _Sums:
    """Numbers that add up over the parts of a layer, and tuples with a number per plane."""

    def add(self, other: Self) -> None:
        """Add the numbers of another part."""
        for key, value in vars(other).items():
            own = getattr(self, key)
            if isinstance(value, tuple):
                pairs = zip_longest(own, value, fillvalue=0)
                setattr(self, key, tuple(a + b for a, b in pairs))
            else:
                setattr(self, key, own + value)


@dataclass
class Counts(_Sums):
    """Crossbars and rows of a layer (SPEC section 3).

    A row of a matrix counts once in every column of tiles.

    Parameters
    ----------
    tiles : int
    conventional, sliced, squeezed : int
        Crossbars when all planes are kept, with empty ones released, and after squeeze-out;
        planes counted once, not per sign.
    physical : int
        Crossbars per plane and sign that hold a 1 after squeeze-out.
    rcmr_bits : int
        Bits of row conversion masks.
    rows : int
        Rows of tiles.
    shifted_rows : int
        Those that were moved.
    rows_outside_window : int
        Those with codes that left the window S when they were rounded.
    nonzero_rows_before, nonzero_rows_after : tuple of int
        Those with a 1 in each plane of the padded code, before and after squeeze-out, the most
        significant plane first; released planes have none.
    """

    tiles: int = 0
    conventional: int = 0
    sliced: int = 0
    squeezed: int = 0
    physical: int = 0
    rcmr_bits: int = 0
    rows: int = 0
    shifted_rows: int = 0
    rows_outside_window: int = 0
    nonzero_rows_before: tuple[int, ...] = ()
    nonzero_rows_after: tuple[int, ...] = ()


@dataclass
class Errors(_Sums):
    """Squared errors of a layer, in squared units of the weights.

    Parameters
    ----------
    signal : float
        Sum of the squared weights.
    quantisation : float
        What the codes before squeeze-out lose.
    squeeze : float
        What squeeze-out changes in these codes.
    total : float
        What the weights on the crossbars lose in all.
    """

    signal: float = 0.0
    quantisation: float = 0.0
    squeeze: float = 0.0
    total: float = 0.0

    def sqnr_db(self, error: float) -> float | None:
        """Return the signal-to-noise ratio for one of the errors, in dB; None without error."""
        if error == 0 or self.signal == 0:
            return None
        return float(10 * np.log10(self.signal / error))


@dataclass(frozen=True, eq=False)
class Tile:
    """Where a tile stands, and what part of a matrix it holds.

    Parameters
    ----------
    row_tile, column_tile : int
        Its place among the tiles.
    rows : numpy.ndarray of int64, shape (inputs,)
        Rows of the matrix in the order of the tile's inputs.
    columns : slice
        Columns of the matrix.
    """

    row_tile: int
    column_tile: int
    rows: np.ndarray
    columns: slice

    @property
    def name(self) -> str:
        """What to call it in reports."""
        first, last = int(self.rows[0]), int(self.rows[-1])
        if last - first + 1 == len(self.rows):
            rows = f"rows {first}..{last}"
        else:
            rows = f"row tile {self.row_tile} ({len(self.rows)} of rows {first}..{last})"
        return f"{rows} columns {self.columns.start}..{self.columns.stop - 1}"


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

    Parameters
    ----------
    placement : Placement
        What part of the layer it is.
    codes : numpy.ndarray of int16, shape (rows, columns)
        Signed codes as they stand in the cells, that is after squeeze-out.
    row_shifts : numpy.ndarray of uint8, shape (rows, column tiles)
        Left shift of the inputs.
    row_tiles : numpy.ndarray of int32, shape (row tiles, crossbar rows)
        Rows of each row tile, ascending, with :data:`sme_hw.tile_image.EMPTY` after the last one.
        They are the inputs of all its tiles.
    row_order : numpy.ndarray of int16, shape (row tiles, column tiles, crossbar rows)
        For each physical row of each tile, the row of the tile that it holds, or
        :data:`sme_hw.tile_image.EMPTY`.
    code_steps : numpy.ndarray of float64, shape (columns,)
        Weight that a code of 1 stands for.
    """

    placement: Placement
    codes: np.ndarray
    row_shifts: np.ndarray
    row_tiles: np.ndarray
    row_order: np.ndarray
    code_steps: np.ndarray

    def tiles(self, hardware: HardwareParams) -> list[Tile]:
        """Return all tiles, row tile by row tile."""
        width, columns = hardware.cols, self.codes.shape[1]
        return [
            Tile(i, j, rows[rows != EMPTY].astype(np.int64), slice(c, min(c + width, columns)))
            for i, rows in enumerate(self.row_tiles)
            for j, c in enumerate(tile_starts(columns, width).tolist())
        ]

    def part(self, tile: Tile) -> "TilePart":
        """Return what a tile holds, without the rest of the matrix."""
        return TilePart(
            self.codes[tile.rows, tile.columns],
            self.row_shifts[tile.rows, tile.column_tile],
            self.row_order[tile.row_tile, tile.column_tile],
        )

    def image(self, tile: Tile, hardware: HardwareParams) -> TileImage:
        """Return what ``tile`` puts into a compute unit."""
        return self.part(tile).image(hardware)

    def effective_codes(self, hardware: HardwareParams) -> np.ndarray:
        """Return ``codes << shift`` as int32: what inputs are multiplied by, clips aside."""
        widths = np.diff([*tile_starts(self.codes.shape[1], hardware.cols), self.codes.shape[1]])
        return self.codes.astype(np.int32) << np.repeat(self.row_shifts, widths, axis=1)


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
    def inputs(self) -> int:
        """Elements of an input vector: the inputs of one group after the other."""
        return max(matrix.placement.input_slice.stop for matrix in self.matrices)

    @property
    def outputs(self) -> int:
        """Elements of a result vector: the outputs of one group after the other."""
        return max(matrix.placement.output_slice.stop for matrix in self.matrices)
