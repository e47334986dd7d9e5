"""Integers taken as the codes they are."""

import numpy as np

from sme_hw.errors import InputError

from ..scales import Scale
from .base import Codec, Grid, uniform_codes

__all__ = ["CODES"]


def _factor(peaks: np.ndarray, scale: Scale, grid: Grid) -> np.ndarray:
    if (largest := peaks.max()) >= 2**grid.bits:
        raise InputError(
            f"codec codes: a weight of magnitude {largest:.0f} does not fit weight_bits = "
            f"{grid.bits}, at most {2**grid.bits - 1} is possible"
        )
    return np.ones_like(peaks)


def _project(magnitudes: np.ndarray, factors: np.ndarray, grid: Grid) -> np.ndarray:
    return np.asarray(magnitudes, np.float64)


def _quantise(positions: np.ndarray, grid: Grid) -> np.ndarray:
    return uniform_codes(positions)


def _code_step(factors: np.ndarray, grid: Grid) -> np.ndarray:
    return factors


CODES = Codec("codes", _factor, _project, _quantise, _code_step, windowed=False, scaled=False)
"""Signed codes from elsewhere, an integer model for example; scales do not apply."""
