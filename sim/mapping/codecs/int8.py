"""Uniform quantisation: all codes up to 2**Nq - 1."""

import numpy as np

from ..scales import Scale
from .base import Codec, Grid, uniform_codes

__all__ = ["INT8"]


def _factor(peaks: np.ndarray, scale: Scale, grid: Grid) -> np.ndarray:
    """Return the peaks: a uniform grid ends at its largest weight; powers of two would waste it."""
    return peaks


def _project(magnitudes: np.ndarray, factors: np.ndarray, grid: Grid) -> np.ndarray:
    largest = 2**grid.bits - 1
    return np.minimum(np.asarray(magnitudes, np.float64) * largest / factors, largest)


def _quantise(positions: np.ndarray, grid: Grid) -> np.ndarray:
    return uniform_codes(positions)


def _code_step(factors: np.ndarray, grid: Grid) -> np.ndarray:
    return factors / (2**grid.bits - 1)


INT8 = Codec("int8", _factor, _project, _quantise, _code_step, windowed=False)
"""code = round(|w| (2^Nq - 1) / max|w|), the maximum of the layer or, with column scales, of the
column (reconstructed)."""
