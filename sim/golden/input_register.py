"""Reference of :class:`sme_hw.input_register.InputRegister`."""

import numpy as np

__all__ = ["input_register"]


def input_register(converted: np.ndarray, bit_cycle: int | np.ndarray) -> np.ndarray:
    """Return the word lines in one bit-cycle; negative inputs repeat their sign bit.

    Parameters
    ----------
    converted : numpy.ndarray of int64, shape (..., rows)
        Converted inputs.
    bit_cycle : int, or numpy.ndarray of integers that broadcasts with ``converted``
        Bit t.
    """
    return (converted >> bit_cycle & 1).astype(np.uint8)
