"""Reference of :class:`sme_hw.crossbar.Crossbar`."""

import numpy as np

__all__ = ["crossbar"]


def crossbar(word_lines: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the column sums, in cell levels.

    Parameters
    ----------
    word_lines : numpy.ndarray of 0 and 1, shape (..., rows)
        Active rows.
    cells : numpy.ndarray, shape (rows, columns)
        Cell levels.
    """
    # Sums stay below 512 * 3: float32 is exact, and fast.
    return (word_lines.astype(np.float32) @ cells.astype(np.float32)).astype(np.int32)
