"""Reference of :class:`sme_hw.adc.Adc`."""

import numpy as np

__all__ = ["adc"]


def adc(totals: np.ndarray, *, bits: int, lsb: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of column sums, and which conversions clipped (SPEC section 5).

    Parameters
    ----------
    totals : numpy.ndarray of integers
        Column sums, in cell levels.
    bits, lsb : int
        Resolution and LSB size.
    """
    shifted = totals >> lsb
    return np.minimum(shifted, 2**bits - 1), shifted > 2**bits - 1
