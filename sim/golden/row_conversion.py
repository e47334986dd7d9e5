"""Reference of :class:`sme_hw.row_conversion.RowConversion`."""

import numpy as np

__all__ = ["row_conversion"]


def row_conversion(inputs: np.ndarray, row_shifts: np.ndarray) -> np.ndarray:
    """Return inputs times ``2**shift`` of their rows.

    Parameters
    ----------
    inputs : numpy.ndarray of integers, shape (..., rows)
    row_shifts : numpy.ndarray of integers, shape (rows,)
    """
    return inputs.astype(np.int64) << row_shifts.astype(np.int64)
