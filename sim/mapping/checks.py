"""Whether a mapping is consistent: matrices of a layer, and the arrays of a matrix."""

from collections.abc import Iterable

import numpy as np

from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY

from .layers import Placement
from .model import MatrixMapping

__all__ = ["check_matrix", "check_placements"]


def check_placements(
    places: Iterable[Placement], groups: int, group_shape: tuple[int, int], tile_columns: int
) -> None:
    """Refuse placements that do not hold every output of a layer once, in order.

    Parameters
    ----------
    places : iterable of Placement
    groups : int
        Groups of the layer.
    group_shape : tuple of int
        Rows and columns of each.
    tile_columns : int
        Columns of a crossbar; what is packed into one must fit.

    Raises
    ------
    ValueError
        An output is left out or repeated, or a placement is of another layer.
    """
    columns = group_shape[1]
    end = 0
    for place in places:
        part = place.part
        held = len(place.groups) > 0 and len(part) > 0 and part.start >= 0 and part.stop <= columns
        if not held or (place.rows, place.columns) != group_shape:
            raise ValueError(f"a matrix of {place} is no part of {groups} groups of {group_shape}")
        if len(place.groups) > 1 and (len(part) < columns or place.shape[1] > tile_columns):
            raise ValueError(f"groups {place.groups[0]}..{place.groups[-1]} do not fit a tile")
        if place.output_slice.start != end:
            raise ValueError(f"a matrix holds outputs from {place.output_slice.start}, not {end}")
        end = place.output_slice.stop
    if end != groups * columns:
        raise ValueError(f"matrices hold {end} outputs, not {groups * columns}")


def check_matrix(matrix: MatrixMapping, hardware: HardwareParams) -> None:
    """Refuse arrays of a matrix that contradict each other or the hardware.

    Parameters
    ----------
    matrix : MatrixMapping
    hardware : HardwareParams

    Raises
    ------
    ValueError
        What is wrong is named.
    """
    rows, columns = matrix.placement.shape
    pieces, row_tiles = len(matrix.codes), len(matrix.row_tiles)
    tiles = -(-columns // hardware.cols)
    expected = {
        "codes": ((pieces, columns), np.int16),
        "row_shifts": ((pieces, tiles), np.uint8),
        "sources": ((pieces,), np.int32),
        "row_tiles": ((row_tiles, hardware.rows), np.int32),
        "row_order": ((row_tiles, tiles, hardware.rows), np.int16),
        "code_steps": ((columns,), np.float64),
    }
    for kind, (shape, dtype) in expected.items():
        array = getattr(matrix, kind)
        if array.shape != shape or array.dtype != dtype:
            wanted = f"{np.dtype(dtype)} of shape {shape}"
            raise ValueError(f"{kind} are {array.dtype} of shape {array.shape}, not {wanted}")
    if pieces == 0:
        raise ValueError("there is no piece of a row")
    if not ((matrix.sources >= 0) & (matrix.sources < rows)).all():
        raise ValueError(f"sources are outside 0..{rows - 1}")
    largest = 2 ** (hardware.planes * hardware.cell_bits) - 1
    if max(int(matrix.codes.max()), -int(matrix.codes.min())) > largest:
        raise ValueError(f"codes are outside -{largest}..{largest}")
    shifts = matrix.row_shifts
    if shifts.max() > hardware.max_shift or (shifts % hardware.shift_step).any():
        raise ValueError(
            f"row shifts are not in 0..{hardware.max_shift} in steps of {hardware.shift_step}"
        )
    _check_row_tiles(matrix.row_tiles, pieces)


def _check_row_tiles(row_tiles: np.ndarray, pieces: int) -> None:
    """Refuse row tiles that lose or repeat a piece, or have none."""
    used = row_tiles != EMPTY
    ended = (used[:, 1:] <= used[:, :-1]).all() and used[:, 0].all()
    if not ended or not np.array_equal(np.sort(row_tiles[used]), np.arange(pieces)):
        raise ValueError("row tiles do not hold every piece once")
