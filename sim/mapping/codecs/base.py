"""The interface of all codecs, and rounding to codes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..scales import Scale

__all__ = ["Codec", "Grid", "nearest_codes", "uniform_codes", "window_codebook", "window_codes"]


@dataclass(frozen=True)
class Grid:
    """Size of a code.

    Parameters
    ----------
    bits : int
        Magnitude bits Nq.
    window : int
        S, where a codec restricts codes to a window.
    empty_bits : numpy.ndarray of int16, shape (rows, 1), or 0
        Low bits that the codes of each row leave empty, for codec ``mixed``.
    """

    bits: int
    window: int
    empty_bits: np.ndarray | int = 0


@dataclass(frozen=True)
class Codec:
    """Three pure functions.

    Parameters
    ----------
    name : str
    factor : callable (peaks, scale, grid) -> scale factors
        Scale factor of columns with largest magnitudes ``peaks``, all positive.
    project : callable (magnitudes, factors, grid) -> positions
        Magnitudes as real positions on the code grid, at most ``2**Nq``: what rounding starts from.
    quantise : callable (positions, grid) -> codes
        The codes of real positions, as int16.
    code_step : callable (factors, grid) -> steps
        The weight that a code of 1 stands for.
    windowed : bool
        Codes keep to the window S.
    scaled : bool
        Scale factors matter.
    """

    name: str
    factor: Callable[[np.ndarray, Scale, Grid], np.ndarray]
    project: Callable[[np.ndarray, np.ndarray, Grid], np.ndarray]
    quantise: Callable[[np.ndarray, Grid], np.ndarray]
    code_step: Callable[[np.ndarray, Grid], np.ndarray]
    windowed: bool
    scaled: bool = True


def uniform_codes(positions: np.ndarray) -> np.ndarray:
    """Round positions to integers, halves upwards, as int16."""
    return (positions + 0.5).astype(np.int16)  # positions are not negative: cutting is flooring


@cache
def _nearest_table(codebook: tuple[int, ...]) -> np.ndarray:
    """Return the nearest code of a codebook for every half step of position.

    The boundary between two neighbouring codes lies at a multiple of 1/2, and rounding is upwards
    from there: so the half steps below a position already decide.
    """
    codes = np.array(codebook, np.int16)
    boundaries = codes[:-1] + codes[1:]  # in half steps
    return codes[np.searchsorted(boundaries, np.arange(2 * codebook[-1] + 1), side="right")]


def nearest_codes(positions: np.ndarray, codebook: tuple[int, ...]) -> np.ndarray:
    """Return the nearest codes of a codebook, halfway between two of them the larger one.

    Parameters
    ----------
    positions : numpy.ndarray of float64
        Real positions on the code grid, not negative.
    codebook : tuple of int
        Codes in ascending order, from 0; the last is taken for whatever is larger.

    Returns
    -------
    numpy.ndarray of int16
    """
    table = _nearest_table(codebook)
    # Not positions * 2: in float64, floor(v + 1/2) is 1 already for the largest v below 1/2, and
    # that is how rounding is defined.
    halves = np.minimum((positions + 0.5) * 2 - 1, len(table) - 1).astype(np.int16)
    return table[halves]


@cache
def window_codebook(bits: int, window: int) -> tuple[int, ...]:
    """Return the codes of ``bits`` bits with ones only in ``window`` consecutive bits."""
    codes = {ones << shift for ones in range(2**window) for shift in range(bits)}
    return tuple(sorted(code for code in codes if code < 2**bits))


def window_codes(positions: np.ndarray, bits: int, window: int) -> np.ndarray:
    """Return the nearest codes of :func:`window_codebook`; see :func:`nearest_codes`."""
    return nearest_codes(positions, window_codebook(bits, window))
