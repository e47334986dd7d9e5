"""Layout: integers that are ready for crossbars become tiles with an order of rows, and counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sme_hw.tile_image import EMPTY

from .checks import check_matrix, check_placements
from .counts import Counts, Errors
from .grouping import GROUPINGS
from .layers import Placement, placements
from .model import LayerMapping, MatrixMapping, signed_levels
from .params import Parameters
from .row_tiles import ROW_TILES
from .slicing import cell_levels, occupied_planes, ored_codes

__all__ = ["PlacedCodes", "lay_out", "ored_groups"]

_BLOCK = 1 << 16
"""Codes handled at a time, so that intermediate arrays stay in the cache."""


@dataclass(frozen=True, eq=False)
class PlacedCodes:
    """Codes of a part of a layer, as they shall stand in cells.

    Parameters
    ----------
    placement : Placement
        What part of the layer it is.
    codes : numpy.ndarray of int16, shape (pieces, columns)
        Signed codes after squeeze-out. There is at least one piece; all its codes may be 0.
    row_shifts : numpy.ndarray of uint8, shape (pieces, column tiles)
        Left shift of the inputs.
    sources : numpy.ndarray of int32, shape (pieces,)
        Row of the placed matrix that each piece belongs to; several pieces may have the same one.
    code_steps : numpy.ndarray of float64, shape (columns,)
        Weight that a code of 1 stands for.
    row_tiles : numpy.ndarray of int32, shape (row tiles, crossbar rows), optional
        Pieces of each row tile, ascending, :data:`sme_hw.tile_image.EMPTY` after the last one. By
        default, the grouping policy of the parameters chooses.
    """

    placement: Placement
    codes: np.ndarray
    row_shifts: np.ndarray
    sources: np.ndarray
    code_steps: np.ndarray
    row_tiles: np.ndarray | None = None


def ored_groups(codes: np.ndarray, parameters: Parameters) -> list[np.ndarray]:
    """Return the codes before squeeze-out as :func:`lay_out` takes them.

    Parameters
    ----------
    codes : numpy.ndarray of int16, shape (groups, rows, columns)
        Magnitudes.
    parameters : Parameters

    Returns
    -------
    list of numpy.ndarray of int16, shape (rows, column tiles)
        For each of :func:`sim.mapping.layers.placements`, the codes of every row of a tile ored.
    """
    hardware = parameters.hardware
    groups, rows, columns = codes.shape
    places = placements(groups, rows, columns, hardware.rows, hardware.cols)
    return [ored_codes(place.matrix(codes), hardware.cols) for place in places]


def lay_out(
    name: str,
    shape: tuple[int, ...],
    groups: int,
    parameters: Parameters,
    codec: str,
    parts: Sequence[PlacedCodes],
    before: Sequence[np.ndarray],
    *,
    errors: Errors | None = None,
    rows_outside_window: int = 0,
) -> LayerMapping:
    """Lay a layer out on crossbars: row tiles, order of rows, counts.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Shape of the layer's weight array.
    groups : int
    parameters : Parameters
    codec : str
        Name of the codec, for reports.
    parts : sequence of PlacedCodes
        Together they hold every output of the layer once, in order.
    before : sequence of numpy.ndarray of int16, shape (rows, column tiles)
        Codes before squeeze-out, from :func:`ored_groups`; crossbars before squeeze-out are counted
        from them.
    errors : Errors, optional
        For reports.
    rows_outside_window : int
        For reports.

    Returns
    -------
    LayerMapping

    Raises
    ------
    ValueError
        Codes, shifts or sources contradict the parameters or each other.
    """
    counts = Counts(rows_outside_window=rows_outside_window)
    matrices = []
    for part in parts:
        ored = _ored_signs(part.codes, parameters.hardware.cols)
        matrices.append(_lay_out_part(part, ored, parameters))
        counts.add(_count_after(matrices[-1], ored, parameters))
    layer = LayerMapping(
        name, shape, groups, parameters, codec, tuple(matrices), counts, errors or Errors()
    )
    places = [matrix.placement for matrix in matrices]
    check_placements(places, groups, layer.group_shape, parameters.hardware.cols)
    counts.add(_count_before(layer, before))
    return layer


def _ored_signs(codes: np.ndarray, tile_columns: int) -> np.ndarray:
    """Return the positive and the negative codes of every row of a tile ored.

    Returns
    -------
    numpy.ndarray of int16, shape (2, pieces, column tiles)
    """
    step = max(1, _BLOCK // codes.shape[1])
    blocks = [codes[start : start + step] for start in range(0, len(codes), step)]
    signs = ([np.maximum(b, 0) for b in blocks], [np.maximum(-b, 0) for b in blocks])
    return np.stack([np.concatenate([ored_codes(b, tile_columns) for b in s]) for s in signs])


def _lay_out_part(part: PlacedCodes, ored: np.ndarray, parameters: Parameters) -> MatrixMapping:
    """Choose the row tiles of a matrix if that is not done, and the row order of every tile."""
    hardware = parameters.hardware
    row_tiles = part.row_tiles
    if row_tiles is None:
        choose = ROW_TILES[parameters.mapping.grouping]
        row_tiles = choose(ored[0] | ored[1], part.row_shifts, hardware)
    matrix = MatrixMapping(
        part.placement,
        part.codes,
        part.row_shifts,
        part.sources,
        row_tiles,
        np.full((len(row_tiles), part.row_shifts.shape[1], hardware.rows), EMPTY, np.int16),
        part.code_steps,
    )
    check_matrix(matrix, hardware)
    _order_rows(matrix, parameters)
    return matrix


def _order_rows(matrix: MatrixMapping, parameters: Parameters) -> None:
    """Fill in the row order of every tile."""
    hardware = parameters.hardware
    grouping = GROUPINGS[parameters.mapping.grouping]
    for tile in matrix.tiles(hardware):
        order = matrix.row_order[tile.row_tile, tile.column_tile]
        if not hardware.input_index:
            order[: len(tile.pieces)] = np.arange(len(tile.pieces))
            continue
        part = matrix.part(tile)
        levels = signed_levels(part.codes, hardware)
        chosen = grouping(levels, part.row_shifts, hardware.group_rows, hardware.rows)
        order[: len(chosen)] = chosen


def _planes(parameters: Parameters) -> tuple[int, int]:
    """Return the bits of a cell, and the crossbars that hold a padded code."""
    cell_bits = parameters.hardware.cell_bits
    return cell_bits, parameters.code_bits // cell_bits


def _used(ored: np.ndarray, row_tiles: np.ndarray, parameters: Parameters) -> int:
    """Count the crossbars that hold a 1."""
    return int(np.count_nonzero(occupied_planes(ored, row_tiles, *_planes(parameters))))


def _nonzero_rows(ored: np.ndarray, parameters: Parameters) -> tuple[int, ...]:
    """Count the rows with a 1 in each plane."""
    levels = cell_levels(ored, *_planes(parameters))
    return tuple(np.count_nonzero(levels, axis=(1, 2)).tolist())


def _count_after(matrix: MatrixMapping, ored: np.ndarray, parameters: Parameters) -> Counts:
    """Count what a matrix takes as it is laid out."""
    shifts, row_tiles = matrix.row_shifts, matrix.row_tiles
    positive, negative = ored
    return Counts(
        tiles=len(row_tiles) * shifts.shape[1],
        squeezed=_used(positive | negative, row_tiles, parameters),
        physical=_used(positive, row_tiles, parameters) + _used(negative, row_tiles, parameters),
        rcmr_bits=shifts.size * parameters.hardware.rcmr_bits,
        pieces=shifts.size,
        shifted_rows=int(np.count_nonzero(shifts)),
        nonzero_rows_after=_nonzero_rows(positive | negative, parameters),
    )


def _count_before(layer: LayerMapping, before: Sequence[np.ndarray]) -> Counts:
    """Count what a layer takes before squeeze-out: rows are not split, but may change tiles."""
    parameters = layer.parameters
    hardware = parameters.hardware
    chosen = {m.placement: m.row_tiles for m in layer.matrices if m.whole_rows}
    places = placements(layer.groups, *layer.group_shape, hardware.rows, hardware.cols)
    counts = Counts()
    for place, ored in zip(places, before, strict=True):
        row_tiles = chosen.get(place)
        if row_tiles is None:
            row_tiles = ROW_TILES["none"](ored, np.zeros_like(ored), hardware)
        counts.add(
            Counts(
                conventional=len(row_tiles) * ored.shape[1] * _planes(parameters)[1],
                sliced=_used(ored, row_tiles, parameters),
                rows=ored.size,
                nonzero_rows_before=_nonzero_rows(ored, parameters),
            )
        )
    return counts
