"""Searches the cheapest mapping of a network that keeps enough of its accuracy."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from sim.mapping import LayerMapping, Parameters, schedule
from sme_hw.errors import ParameterError

from .curves import Choice, Curve, choose_at, least_and_most, price_of
from .plan import LayerPlan

__all__ = ["Accuracy", "Target", "Trial", "TryOut", "best_trial", "search"]

_FIRST = 1 / 3
"""Part of all crossbars times bit-cycles that would help which is tried first."""

_NEAR = 1.04
"""The search ends when the cheapest trial that meets the target, and the dearest that does not, are
as near as that."""

_STRIDE = 1.5
"""By how much that changes until the target is met in one trial, and missed in another."""

Accuracy = dict[str, float | int | None]
"""From :meth:`sim.network.metrics.Comparison.as_dict`."""

TryOut = Callable[
    [list[Parameters], list[LayerPlan]],
    tuple[list[LayerMapping], Accuracy],
]
"""Maps a network as planned, and measures its accuracy."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a mapped network has to keep on images: each of these that is not None.

    Parameters
    ----------
    max_drop : float or None
        Points of top-1 that may be lost against the float network.
    min_agreement : float or None
        Per cent of images with the float network's class.
    max_divergence : float or None
        Mean divergence of the classes' probabilities from the float network's, in nats.

    Raises
    ------
    ParameterError
        A value is out of range, or there is none.
    """

    max_drop: float | None = None
    min_agreement: float | None = None
    max_divergence: float | None = None

    def __post_init__(self) -> None:
        for key, low, high in (
            ("max_drop", -100, 100),
            ("min_agreement", 0, 100),
            ("max_divergence", 0, 1e6),
        ):
            value = getattr(self, key)
            if value is not None and not low <= value <= high:
                raise ParameterError(key, value, f"a number in {low:g}..{high:g} is needed")
        if not any(value is not None for value in asdict(self).values()):
            why = "a target is needed: this one, min_agreement or max_divergence"
            raise ParameterError("max_drop", None, why)

    def met(self, accuracy: Accuracy) -> bool:
        """Tell whether a measured accuracy is enough."""
        drop, agreement, divergence = (accuracy[key] for key in ("drop", "agreement", "kl"))
        assert agreement is not None
        assert divergence is not None
        if self.max_drop is not None and (drop is None or drop > self.max_drop):
            return False
        if self.min_agreement is not None and agreement < self.min_agreement:
            return False
        return self.max_divergence is None or divergence <= self.max_divergence


@dataclass(frozen=True, eq=False)
class Trial:
    """A mapping that was tried.

    Parameters
    ----------
    price : float
        Divergence, in nats, that each of its crossbars saves in a bit-cycle, at least, as
        estimated.
    choices : list of Choice
        Of every layer.
    mappings : list of LayerMapping
        Calibrated.
    accuracy : dict
        What was measured.
    met : bool
        It is enough.
    """

    price: float
    choices: list[Choice]
    mappings: list[LayerMapping]
    accuracy: Accuracy
    met: bool

    @cached_property
    def work(self) -> list[tuple[int, int]]:
        """Crossbars times bit-cycles of every layer: conventional, and of this mapping."""
        plans = [schedule(mapping) for mapping in self.mappings]
        return [(plan.crossbar_cycles_conventional, plan.crossbar_cycles) for plan in plans]

    @property
    def total_work(self) -> int:
        """Crossbars times bit-cycles of this mapping."""
        return sum(own for _, own in self.work)

    def as_dict(self) -> dict[str, Any]:
        """Return what machines read."""
        layers = [self._layer(index) for index in range(len(self.mappings))]
        sums = {
            key: {
                kind: sum(layer[key][kind] for layer in layers)
                for kind in ("conventional", "squeezed")
            }
            for key in ("crossbars", "crossbar_cycles")
        }
        return {
            "met": self.met,
            "price": self.price,
            "accuracy": self.accuracy,
            **sums,
            "layers": layers,
        }

    def _layer(self, index: int) -> dict[str, Any]:
        choice, mapping = self.choices[index], self.mappings[index]
        conventional, squeezed = self.work[index]
        options = mapping.parameters.mapping
        counts = mapping.counts
        return {
            "name": mapping.name,
            "policy": options.policy,
            "squeeze": options.squeeze,
            "window": options.window,
            "crossbars": {"conventional": counts.conventional, "squeezed": counts.squeezed},
            "crossbar_cycles": {"conventional": conventional, "squeezed": squeezed},
            "rows": counts.rows,
            "pieces": counts.pieces,
            "estimated_divergence": choice.divergence,
        }


def search(
    layers: Sequence[Sequence[Curve]], try_out: TryOut, target: Target, most: int
) -> Iterator[Trial]:
    """Yield trials, ever nearer to the one that just meets a target.

    All layers pay the same price for a bit-cycle of a crossbar; each takes the parameters, and the
    crossbars in each of its tiles, that are worth most then. So there is a single number to be
    found: how much all of them may take. It is changed by a factor until one trial meets the target
    and one does not, then halved between them; what accuracy a mapping has is always measured
    (reconstructed).

    Parameters
    ----------
    layers : sequence of sequence of Curve
        For each layer, what it may be.
    try_out : callable
        Maps the network, and measures what it is worth.
    target : Target
    most : int
        Trials, at most.
    """
    least, everything = least_and_most(layers)
    work, missed, met = everything * _FIRST, 0.0, math.inf
    found: dict[int, bool] = {}
    while len(found) < most:
        price = price_of(layers, work)
        choices = [choose_at(curves, price) for curves in layers]
        taken = sum(choice.work for choice in choices)
        if taken not in found:  # else they are those of an earlier trial
            parameters = [choice.curve.parameters for choice in choices]
            plans = [choice.curve.rows.plan(choice.crossbars) for choice in choices]
            mappings, accuracy = try_out(parameters, plans)
            trial = Trial(price, choices, mappings, accuracy, target.met(accuracy))
            yield trial
            found[taken] = trial.met
        if found[taken]:
            met = taken
        else:
            missed = work
        if met <= max(missed * _NEAR, least) or missed >= everything:
            return
        if met == math.inf:
            work = missed * _STRIDE
        elif missed == 0:
            work = met / _STRIDE
        else:
            work = math.sqrt(met * missed)


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the cheapest of those that meet the target; if none does, the most accurate."""
    met = [trial for trial in trials if trial.met]
    if met:
        return min(met, key=lambda trial: trial.total_work)
    return min(trials, key=lambda trial: trial.accuracy["kl"] or 0.0)
