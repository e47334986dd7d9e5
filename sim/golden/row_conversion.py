"""Reference of :class:`sme_hw.row_conversion.RowConversion`."""

import numpy as np

from sme_hw.tile_image import EMPTY

__all__ = ["row_conversion"]


def row_conversion(
    inputs: np.ndarray, input_index: np.ndarray, row_shifts: np.ndarray
) -> np.ndarray:
    """Return what drives the physical rows: inputs times ``2**shift``, 0 where there is none.

    Parameters
    ----------
    inputs : numpy.ndarray of integers, shape (..., inputs)
    input_index : numpy.ndarray of integers, shape (physical rows,)
        Input of each physical row, or :data:`sme_hw.tile_image.EMPTY`.
    row_shifts : numpy.ndarray of integers, shape (physical rows,)
    """
    driven = np.where(input_index == EMPTY, 0, inputs[..., input_index].astype(np.int64))
    return driven << row_shifts.astype(np.int64)
