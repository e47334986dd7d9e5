"""Reference of :class:`sme_hw.array_macro.ArrayMacro`."""

import numpy as np

from .adc import adc
from .crossbar import crossbar

__all__ = ["array_macro"]


def array_macro(
    word_lines: np.ndarray, cells: np.ndarray, *, adc_bits: int, adc_lsb: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of all columns, and which conversions clipped.

    Parameters
    ----------
    word_lines : numpy.ndarray of 0 and 1, shape (..., rows)
        Active rows.
    cells : numpy.ndarray, shape (rows, columns)
        Cell levels of one plane and sign.
    adc_bits, adc_lsb : int
        Resolution and LSB size.
    """
    return adc(crossbar(word_lines, cells), bits=adc_bits, lsb=adc_lsb)
