"""Layout: integers that are ready for crossbars become tiles with an order of rows, and counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sme_hw.tile_image import EMPTY

from .counts import Counts, Errors
from .grouping import GROUPINGS
from .layers import Placement, placements
from .model import LayerMapping, MatrixMapping, signed_levels
from .params import Parameters
from .row_tiles import ROW_TILES, in_order
from .slicing import cell_levels, occupied_planes, ored_codes

__all__ = ["PlacedCodes", "lay_out", "ored_groups"]


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
    places = placements(*codes.shape, hardware.rows, hardware.cols)
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
    raise NotImplementedError
