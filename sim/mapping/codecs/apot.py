"""Sums of powers of two, aligned to the planes of a fixed-point code."""

from collections.abc import Callable
from functools import cache

import numpy as np

from ..scales import Scale
from .base import Codec, Grid, nearest_codes

__all__ = ["APOT", "additive_codec", "codebook"]


@cache
def codebook(bits: int, terms: int) -> tuple[int, ...]:
    """Return the sums of powers of two whose exponents fall on the planes of a code.

    Term i of n is 0 or one of 2^-i, 2^-(i+n), 2^-(i+2n) ...; so every plane belongs to one term.

    Parameters
    ----------
    bits, terms : int
        Nq, and n.

    Returns
    -------
    tuple of int
        Codes in ascending order: sums times ``2**bits``.
    """
    sums = {0}
    for term in range(1, terms + 1):
        levels = [0, *(2 ** (bits - plane) for plane in range(term, bits + 1, terms))]
        sums = {part + level for part in sums for level in levels}
    return tuple(sorted(sums))


def additive_codec(name: str, terms: Callable[[int], int]) -> Codec:
    """Return a codec whose magnitudes are sums of powers of two.

    The largest code has ones in the leading n planes; the next one would be 2**Nq. A scale that is
    a power of two is the smallest with which the largest weight is nearer to the largest code than
    to that next one: it is rounded, but not clipped. Other scales make it the largest code itself
    (reconstructed).

    Parameters
    ----------
    name : str
    terms : callable (bits) -> int
        Terms n of a sum, for codes of Nq bits.
    """

    def factor(peaks: np.ndarray, scale: Scale, grid: Grid) -> np.ndarray:
        n = terms(grid.bits)
        if not scale.power_of_two:
            return peaks / (1 - 2.0**-n)
        mantissa, exponent = np.frexp(peaks)  # peak = mantissa * 2**exponent, from 1/2 to below 1
        return np.ldexp(1.0, exponent + (mantissa >= 1 - 2.0 ** -(n + 1)))

    def project(magnitudes: np.ndarray, factors: np.ndarray, grid: Grid) -> np.ndarray:
        return np.divide(magnitudes, factors, dtype=np.float64) * 2.0**grid.bits

    def quantise(positions: np.ndarray, grid: Grid) -> np.ndarray:
        return nearest_codes(positions, codebook(grid.bits, terms(grid.bits)))

    def code_step(factors: np.ndarray, grid: Grid) -> np.ndarray:
        return factors * 2.0**-grid.bits

    return Codec(name, factor, project, quantise, code_step, windowed=False)


APOT = additive_codec("apot", lambda bits: -(-bits // 3))
"""Additive powers of two (Li, Dong and Wang, ICLR 2020, arXiv 1909.13144) with k = 2 bits a term:
0 or one of three powers, so n terms take 3n planes.

Magnitudes of 3 or 6 planes are those of the paper's 3- and 5-bit weights, with n = 1 and 2 terms.
Other widths take the least n that reaches every plane, and drop the powers below plane Nq: 8 planes
have the 7-bit weights' three terms without 2^-9, that is 48 magnitudes (reconstructed)."""
