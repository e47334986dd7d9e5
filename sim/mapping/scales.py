"""Scales: what sets the range of the codes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["SCALES", "Scale", "scale_factors"]


@dataclass(frozen=True)
class Scale:
    """A rule for scale factors.

    Parameters
    ----------
    per_column : bool
        Every column has its own factor; otherwise the layer has one.
    power_of_two : bool
        A window codec takes the next power of two.
    least_error : bool
        The factors are only where a search for the least squared error begins.
    """

    per_column: bool
    power_of_two: bool
    least_error: bool = False


SCALES = {
    "layer-pow2": Scale(per_column=False, power_of_two=True),
    "column-pow2": Scale(per_column=True, power_of_two=True),
    "column": Scale(per_column=True, power_of_two=False),
    "column-mse": Scale(per_column=True, power_of_two=False, least_error=True),
}
"""The paper scales a layer by a power of two; scales per column are reconstructed. They cost no
hardware: the digital requantiser multiplies per output channel anyway. All look at the largest
weight; ``column-mse`` goes on from ``column`` (:mod:`sim.mapping.column_scales`)."""


def scale_factors(
    peaks: np.ndarray, scale: Scale, factor: Callable[[np.ndarray, Scale], np.ndarray]
) -> np.ndarray:
    """Return the scale factor of every column.

    Parameters
    ----------
    peaks : numpy.ndarray of float64, shape (columns,)
        Largest magnitude of each column.
    scale : Scale
        Whether columns or the whole layer are looked at.
    factor : callable
        Gives the factors for peaks that are not 0: the codec's part.

    Returns
    -------
    numpy.ndarray of float64, shape (columns,)
        1 where there is nothing but zeros.
    """
    if not scale.per_column:
        peaks = np.full_like(peaks, peaks.max())
    occupied = np.where(peaks > 0, peaks, 1.0)
    return np.where(peaks > 0, factor(occupied, scale), 1.0)
