"""The interface of all codecs, and rounding on the code grid."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..scales import Scale

__all__ = ["Codec", "Grid", "uniform_codes", "window_codes"]


@dataclass(frozen=True)
class Grid:
    """Size of a code.

    Parameters
    ----------
    bits : int
        Magnitude bits Nq.
    window : int
        S, where a codec restricts codes to a window.
    """

    bits: int
    window: int


@dataclass(frozen=True)
class Codec:
    """Three pure functions.

    Parameters
    ----------
    name : str
    factor : callable (peaks, scale, grid) -> scale factors
        Scale factor of columns with largest magnitudes ``peaks``, all positive.
    project : callable (magnitudes, factors, grid) -> positions
        Magnitudes as real positions on the code grid, clipped to its range: what rounding starts
        from.
    quantise : callable (positions, grid) -> codes
        The codes of real positions, as int16.
    code_step : callable (factors, grid) -> steps
        The weight that a code of 1 stands for.
    windowed : bool
        Codes keep to the window S.
    """

    name: str
    factor: Callable[[np.ndarray, Scale, Grid], np.ndarray]
    project: Callable[[np.ndarray, np.ndarray, Grid], np.ndarray]
    quantise: Callable[[np.ndarray, Grid], np.ndarray]
    code_step: Callable[[np.ndarray, Grid], np.ndarray]
    windowed: bool


def uniform_codes(positions: np.ndarray) -> np.ndarray:
    """Round positions to integers, halves upwards, as int16."""
    return (positions + 0.5).astype(np.int16)  # positions are not negative: cutting is flooring


@cache
def _window_table(bits: int, window: int) -> np.ndarray:
    """Return the nearest code within the window for every half step of position.

    Between two neighbouring codes 2**n apart the boundary lies at a multiple of 1/2, and rounding
    is upwards from there: so the half steps below a position already decide.
    """
    halves = np.arange(2 ** (bits + 1) + 1)
    # bit_length - 1 of floor(position) is the exponent e of SPEC section 2, counted in code steps.
    exponents = np.frexp(np.maximum(halves / 2, 1))[1] - 1
    steps = 2.0 ** np.maximum(exponents - window + 1, 0)
    codes = np.floor(halves / 2 / steps + 0.5) * steps
    # Positions are clipped to the codec's range before they come here; a narrower code (a squeezed
    # row) saturates at its largest member of the codebook.
    largest = (2**window - 1) << (bits - window) if window < bits else 2**bits - 1
    return np.minimum(codes, largest).astype(np.int16)


def window_codes(positions: np.ndarray, bits: int, window: int) -> np.ndarray:
    """Return the nearest codes of ``bits`` bits with ones only in ``window`` consecutive bits.

    Parameters
    ----------
    positions : numpy.ndarray of float64
        Real positions on the code grid, not negative.
    bits, window : int
        Size of the code, and S.

    Returns
    -------
    numpy.ndarray of int16
    """
    table = _window_table(bits, min(window, bits))
    # Not positions * 2: in float64, floor(v + 1/2) is 1 already for the largest v below 1/2, and
    # that is how rounding is defined.
    halves = np.minimum((positions + 0.5) * 2 - 1, len(table) - 1).astype(np.int16)
    return table[halves]
