"""From estimates of what a layer costs to what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .profile import Profile

__all__ = ["DivergenceScale"]


@dataclass(frozen=True, eq=False)
class DivergenceScale:
    """What an estimate of a layer's divergence really means.

    Estimates are in proportion to squared errors, up to the first that was measured. Beyond, the
    divergence is a power of the estimate from one measured point to the next, and to the layer
    without any crossbars; the powers are at least 1 and never fall, so that the first crossbars
    are worth the most (reconstructed).

    Parameters
    ----------
    whole : float
        Estimate without any crossbars.
    estimates, divergences, powers : numpy.ndarray of float64, shape (points,)
        Where each power begins.
    """

    whole: float
    estimates: np.ndarray
    divergences: np.ndarray
    powers: np.ndarray

    @classmethod
    def of(cls, whole: float, profile: Profile) -> "DivergenceScale":
        """Return the scale of a layer with such an estimate without any crossbars."""
        last, value = profile.points[0]
        found: list[tuple[float, float, float]] = []
        for estimate, divergence in (*profile.points[1:], (whole, profile.removed)):
            if 0 < last < estimate:
                power = 1.0 if not found else found[-1][2]
                if divergence > value:
                    power = max(power, float(np.log(divergence / value) / np.log(estimate / last)))
                found.append((last, value, power))
                last, value = estimate, value * (estimate / last) ** power
        points = np.array(found).reshape(-1, 3)
        return cls(whole, *points.T)

    @property
    def steep(self) -> float:
        """The estimate above which divergences are not in proportion; infinity if they are."""
        above = self.estimates[self.powers > 1]
        return float(above[0]) if len(above) else np.inf

    @property
    def divergence(self) -> float:
        """The divergence without any crossbars."""
        return float(self.measured(np.array([self.whole]))[0])

    def measured(self, estimates: np.ndarray) -> np.ndarray:
        """Return the divergences that estimates stand for."""
        found = np.array(estimates, float)
        for start, value, power in zip(self.estimates, self.divergences, self.powers, strict=True):
            beyond = estimates > start
            found[beyond] = value * (estimates[beyond] / start) ** power
        return found

    def gains(self, estimates: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return what crossbars gain if the most worthwhile of a layer come first.

        Parameters
        ----------
        estimates : sequence of numpy.ndarray of float64
            Their gains as estimated, descending, for each part of the layer.
        """
        gains = np.concatenate(estimates)
        order = np.argsort(-gains, kind="stable")
        left = self.whole - np.concatenate([[0.0], gains[order].cumsum()])
        # Most gains are far smaller than the whole, and would lose digits in differences.
        steep = np.flatnonzero(left[:-1] > self.steep)
        divergences = self.measured(left)
        gains[order[steep]] = divergences[steep] - divergences[steep + 1]
        return np.split(gains, np.cumsum([len(part) for part in estimates])[:-1])
