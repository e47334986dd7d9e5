"""How many crossbars the control needs for the same accuracy."""

from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["crossbars_at", "frontier"]

Point = tuple[float, float]
"""Crossbars and divergence."""


def frontier(points: Iterable[Point]) -> list[Point]:
    """Return the points that no other one beats, by ascending crossbars.

    Those without any divergence are left out: they have no logarithm.

    Examples
    --------
    >>> frontier([(30, 0.1), (20, 0.4), (40, 0.2)])
    [(20, 0.4), (30, 0.1)]
    """
    best: list[Point] = []
    for crossbars, divergence in sorted(points):
        if divergence > 0 and (not best or divergence < best[-1][1]):
            best.append((crossbars, divergence))
    return best


def crossbars_at(divergence: float, curve: Sequence[Point]) -> float | None:
    """Return the crossbars with which a curve reaches a divergence.

    Logarithms are interpolated; None beyond the ends: nothing is extrapolated.

    Parameters
    ----------
    divergence : float
    curve : sequence of (crossbars, divergence)
        From :func:`frontier`.

    Examples
    --------
    >>> crossbars_at(0.1, [(10, 1.0), (40, 0.01)])
    20.0
    """
    if not curve or not curve[-1][1] <= divergence <= curve[0][1]:
        return None
    crossbars, known = np.log2(np.array(curve)[::-1]).T
    return float(round(2.0 ** np.interp(np.log2(divergence), known, crossbars), 6))
