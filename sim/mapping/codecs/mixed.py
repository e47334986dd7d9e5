"""Uniform quantisation with fewer bits in some rows."""

from dataclasses import replace

import numpy as np

from .base import Grid, uniform_codes
from .int8 import INT8

__all__ = ["MIXED"]


def _quantise(positions: np.ndarray, grid: Grid) -> np.ndarray:
    """Round to the bits that each row keeps; the largest weights saturate at all ones of these."""
    codes = uniform_codes(np.ldexp(positions, -grid.empty_bits))
    return np.minimum(codes, (2**grid.bits - 1) >> grid.empty_bits) << grid.empty_bits


MIXED = replace(INT8, name="mixed", quantise=_quantise)
"""The grid of ``int8``, of which a row keeps only its leading bits, ``row_bits`` of it
(reconstructed; the paper names 5 to 8 bits)."""
