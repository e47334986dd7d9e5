"""What a layer is worth at a price: its best parameters, and crossbars for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sim.mapping import Parameters

from .rows import Rows

__all__ = ["Choice", "Curve", "choose_at", "least_and_most", "price_of"]

_PRICES = (-100.0, 60.0)
"""Logarithms of prices that are low enough for all that helps, and too high for anything."""

_HALVINGS = 40
"""After these, prices are found to 1e-10 of themselves."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What crossbars do for a layer with some of the parameters that it may be mapped with.

    Parameters
    ----------
    parameters : Parameters
    rows : Rows
        The layer with these parameters.
    """

    parameters: Parameters
    rows: Rows

    @cached_property
    def _units(self) -> list[tuple[np.ndarray, int, int]]:
        return [(unit.gains, unit.bit_cycles, unit.least) for unit in self.rows.units()]

    @cached_property
    def _start(self) -> tuple[float, int]:
        """What the layer saves and takes with no more than it has in any case."""
        saved = sum(float(gains[:least].sum()) for gains, _, least in self._units)
        work = sum(cycles * least for _, cycles, least in self._units)
        return saved, work + self.rows.overhead

    @cached_property
    def _steps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All further crossbars, the most worthwhile first: negative rates, gains, work in all."""
        gains = np.concatenate([gains[least:] for gains, _, least in self._units])
        cycles = np.concatenate(
            [np.full(len(gains[least:]), cycles) for gains, cycles, least in self._units]
        )
        order = np.argsort(-gains / cycles, kind="stable")
        saved = np.concatenate([[0.0], gains[order].cumsum()])
        work = np.concatenate([[0], cycles[order].cumsum()])
        return (-gains / cycles)[order], saved, work

    def at(self, price: float) -> tuple[float, int]:
        """Return what crossbars that are worth their price save, and what they take.

        Parameters
        ----------
        price : float
            Divergence, in nats, that a bit-cycle of a crossbar has to save.

        Returns
        -------
        saved : float
            Divergence, against no crossbars at all.
        work : int
            Crossbars times bit-cycles for a vector on every tile.
        """
        rates, saved, work = self._steps
        taken = int(np.searchsorted(rates, -price))
        return self._start[0] + float(saved[taken]), self._start[1] + int(work[taken])

    def crossbars(self, price: float) -> list[int]:
        """Return the crossbars of every unit at a price."""
        return [
            least + int(np.searchsorted(-gains[least:] / cycles, -price))
            for gains, cycles, least in self._units
        ]


@dataclass(frozen=True, eq=False)
class Choice:
    """Parameters and crossbars for a layer.

    Parameters
    ----------
    curve : Curve
    crossbars : list of int
        Of every unit.
    saved : float
        Divergence that they save, as estimated.
    work : int
        Crossbars times bit-cycles, as estimated.
    """

    curve: Curve
    crossbars: list[int]
    saved: float
    work: int

    @property
    def divergence(self) -> float:
        """What is left of the layer's divergence, in nats, as estimated."""
        return max(self.curve.rows.divergence - self.saved, 0.0)


def choose_at(curves: Sequence[Curve], price: float) -> Choice:
    """Return the curve that is worth most at a price, with its crossbars.

    Parameters
    ----------
    curves : sequence of Curve
        Of one layer.
    price : float
    """
    best = _best(curves, price)
    return Choice(best, best.crossbars(price), *best.at(price))


def _best(curves: Sequence[Curve], price: float) -> Curve:
    def worth(curve: Curve) -> tuple[float, int]:
        saved, work = curve.at(price)
        return saved - price * work, -work

    return max(curves, key=worth)


def _work_at(layers: Sequence[Sequence[Curve]], price: float) -> int:
    return sum(_best(curves, price).at(price)[1] for curves in layers)


def least_and_most(layers: Sequence[Sequence[Curve]]) -> tuple[int, int]:
    """Return the work of layers at a price that nothing is worth, and if it costs nothing.

    Parameters
    ----------
    layers : sequence of sequence of Curve
        Possible ones of every layer.
    """
    return _work_at(layers, 2.0 ** _PRICES[1]), _work_at(layers, 0.0)


def price_of(layers: Sequence[Sequence[Curve]], work: float) -> float:
    """Return the price at which all layers together take about as much work, and not more.

    Parameters
    ----------
    layers : sequence of sequence of Curve
        Possible ones of every layer.
    work : float
        Crossbars times bit-cycles. If it is too little for what layers have in any case, the price
        is so high that they have nothing else.
    """
    low, high = _PRICES
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _work_at(layers, 2.0**middle) > work:
            low = middle
        else:
            high = middle
    return float(2.0**high)
