"""Reference of :class:`sme_hw.shift_add.ShiftAdd`."""

import numpy as np

__all__ = ["shift_add"]


def shift_add(samples: np.ndarray, bit_cycles: np.ndarray, subtract: np.ndarray) -> np.ndarray:
    """Return the sum of samples weighted by their bit-cycles.

    Parameters
    ----------
    samples : numpy.ndarray of int64, shape (samples, ...)
        Spliced samples, in code steps.
    bit_cycles : numpy.ndarray, shape (samples,)
        Bit-cycle of each.
    subtract : numpy.ndarray of bool, shape (samples,)
        Those that carry sign bits.
    """
    weights = np.where(subtract, -1, 1) << np.asarray(bit_cycles, np.int64)
    return np.tensordot(weights, samples, axes=1)
