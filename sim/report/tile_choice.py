"""Which tile of a mapping to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import LayerMapping, MatrixMapping, Tile
from sme_hw.errors import InputError, some_of

__all__ = ["ChosenTile", "choose_tile"]


@dataclass(frozen=True, eq=False)
class ChosenTile:
    """A tile of a layer.

    Parameters
    ----------
    layer : LayerMapping
    part : int
        Which of the layer's matrices.
    tile : Tile
    row, column : int
        Its row and column tile, counted over all matrices of the layer: those of other groups are
        below, other columns of the same groups beside.
    """

    layer: LayerMapping
    part: int
    tile: Tile
    row: int
    column: int

    @property
    def matrix(self) -> MatrixMapping:
        """The matrix that holds it."""
        return self.layer.matrices[self.part]

    @property
    def place(self) -> str:
        """What :func:`choose_tile` finds it by."""
        return f"{self.layer.name}:{self.row}:{self.column}"

    @property
    def row_shifts(self) -> np.ndarray:
        """Shifts of its rows, shape (rows,)."""
        return self.matrix.row_shifts[self.tile.pieces, self.tile.column_tile]


def _tiles(layer: LayerMapping) -> list[ChosenTile]:
    hardware = layer.parameters.hardware
    found: list[ChosenTile] = []
    first = 0
    for part, matrix in enumerate(layer.matrices):
        left = matrix.placement.part.start // hardware.cols
        if left == 0:
            first = 1 + max((tile.row for tile in found), default=-1)
        for tile in matrix.tiles(hardware):
            place = first + tile.row_tile, left + tile.column_tile
            found.append(ChosenTile(layer, part, tile, *place))
    return found


def choose_tile(layers: Sequence[LayerMapping], place: str | None = None) -> ChosenTile:
    """Return a tile of one of the layers.

    Parameters
    ----------
    layers : sequence of LayerMapping
        At least one.
    place : str, optional
        ``LAYER:ROW:COLUMN``, numbers of row and column tiles from 0; row tiles of a layer of
        several matrices are counted through. Without it, the tile with the most moved rows of the
        layer with the most moved rows: there is most to see.

    Raises
    ------
    InputError
        There is no such layer or tile.
    """
    if place is None:
        layer = max(layers, key=lambda layer: layer.counts.shifted_rows)
        return max(_tiles(layer), key=lambda tile: int(np.count_nonzero(tile.row_shifts)))
    name, _, numbers = place.rpartition(":")
    name, _, row = name.rpartition(":")
    if not name or not row.isdecimal() or not numbers.isdecimal():
        raise InputError(f"tile {place}: LAYER:ROW:COLUMN is needed, numbers of tiles from 0")
    found = {layer.name: layer for layer in layers}
    if name not in found:
        names = some_of(list(found))
        raise InputError(f"tile {place}: there is no layer {name}, only {names}")
    tiles = {(tile.row, tile.column): tile for tile in _tiles(found[name])}
    try:
        return tiles[int(row), int(numbers)]
    except KeyError:
        rows, columns = (1 + max(number) for number in zip(*tiles, strict=True))
        raise InputError(
            f"tile {place}: {name} has row tiles 0..{rows - 1} and column tiles 0..{columns - 1}"
        ) from None
