"""Reference of :class:`sme_hw.splice.Splice`."""

import numpy as np

from sme_hw.params import HardwareParams

__all__ = ["splice"]


def splice(positive: np.ndarray, negative: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Return the signed samples, in code steps.

    Parameters
    ----------
    positive, negative : numpy.ndarray of integers, shape (planes, ...)
        ADC codes, the most significant plane first.
    hardware : HardwareParams
    """
    weights = 1 << np.array(hardware.plane_weight_bits, np.int64)
    return np.tensordot(weights, positive.astype(np.int64) - negative, axes=1)
