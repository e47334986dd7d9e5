"""The paper's codec: magnitudes with at most S consecutive ones."""

import numpy as np

from ..scales import Scale
from .base import Codec, Grid, window_codes

__all__ = ["SME"]


def _factor(peaks: np.ndarray, scale: Scale, grid: Grid) -> np.ndarray:
    """Return the smallest factor (power of two, if asked) with peak / factor <= 1 - 2**-S."""
    top = 1 - 2.0**-grid.window
    if not scale.power_of_two:
        return peaks / top
    mantissa, exponent = np.frexp(peaks)  # peak = mantissa * 2**exponent, mantissa in [0.5, 1)
    return np.ldexp(1.0, exponent + (mantissa > top))


def _project(magnitudes: np.ndarray, factors: np.ndarray, grid: Grid) -> np.ndarray:
    top = 1 - 2.0**-grid.window
    positions = np.divide(magnitudes, factors, dtype=np.float64)
    np.minimum(positions, top, out=positions)
    positions *= 2.0**grid.bits
    return positions


def _quantise(positions: np.ndarray, grid: Grid) -> np.ndarray:
    return window_codes(positions, grid.bits, grid.window)


def _code_step(factors: np.ndarray, grid: Grid) -> np.ndarray:
    return factors * 2.0**-grid.bits


SME = Codec("sme", _factor, _project, _quantise, _code_step, windowed=True)
"""w = alpha * sum of b_i 2^-i over S consecutive bits (the paper's section III-A)."""
