"""How strongly weights that are fitted to images are held at the network's own."""

from collections.abc import Sequence

import numpy as np

from .moments import Moments

__all__ = ["choose_ridge"]

_SHARES = (1e4, 125.0, 25.0, 5.0, 1.0, 0.2, 0.05)
"""Shares that are tried; where none is better, the largest is taken."""


def choose_ridge(halves: Sequence[Moments], weights: np.ndarray) -> float:
    """Return the share for :meth:`Moments.target` (reconstructed: two-fold cross-validation).

    Weights are fitted to each half of the images, and tried on the other: what few images show by
    chance predicts nothing there. Layers differ widely: a classifier sees a single vector of each
    image, and hardly gets away from the network's own weights.

    Parameters
    ----------
    halves : sequence of Moments
        From :meth:`MomentSums.halves`.
    weights : numpy.ndarray of float64, shape (groups, rows, columns)
        The network's own.
    """

    def unexplained(share: float) -> float:
        return sum(
            _missed(other, fitted.target(weights, share))
            for fitted, other in (halves, reversed(halves))
        )

    # Twice as many vectors need half as much.
    return min(_SHARES, key=unexplained) / 2


def _missed(moments: Moments, weights: np.ndarray) -> float:
    """Return the squared output error of weights, but for what does not depend on them."""
    found = weights * (moments.second @ weights - 2 * moments.cross)
    return float(found.sum())
