"""Layers that crossbars are shared out to, made of numbers alone."""

import numpy as np

from sim.compensation.curves import Curve
from sim.compensation.rows import Unit

__all__ = ["FakeRows", "random_curves"]


class FakeRows:
    """A layer of given units (gains, bit-cycles, least); its plan is what crossbars it got."""

    def __init__(self, units, *, overhead=0, divergence=0.0):
        self._units = [Unit(np.array(gains, float), *more) for gains, *more in units]
        self.least, self.overhead, self.divergence = 0, overhead, divergence

    def units(self):
        """Return the units."""
        return self._units

    def plan(self, crossbars):
        """Return what stands for a plan."""
        return self, tuple(crossbars)


def random_curves(rng, count):
    """Return candidates for a layer: one to three units, gains that are multiples of 1/16."""
    curves = []
    for number in range(count):
        units = []
        for _ in range(rng.integers(1, 4)):
            gains = -np.sort(-rng.integers(0, 40, size=rng.integers(0, 4))) / 16
            units.append((gains, int(rng.integers(1, 12)), int(rng.integers(0, 3))))
        rows = FakeRows(units, overhead=int(rng.integers(0, 9)))
        curves.append(Curve(number, rows))
    return curves
