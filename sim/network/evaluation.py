"""Runs a mapped network on data and compares it with the float network."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.mapping import describe

from .crossbar_layer import Work
from .forward import FloatNetwork
from .mapped_network import MappedNetwork
from .metrics import Comparison

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network's crossbars do to its accuracy.

    Parameters
    ----------
    mapped : MappedNetwork
    works : list of Work
        What every layer did.
    comparison : Comparison
        With the float network.
    """

    mapped: MappedNetwork
    works: list[Work]
    comparison: Comparison

    def as_dict(self) -> dict[str, Any]:
        """Return what machines read."""
        report = describe([layer.mapping for layer in self.mapped.layers])
        triples = zip(report["layers"], self.mapped.layers, self.works, strict=True)
        for entry, layer, work in triples:
            entry["vectors"] = work.vectors
            entry["clips"] = work.clips.tolist()
            entry["conversions"] = work.conversions
            entry["paths"] = layer.engine.paths.as_dict()
        return {"accuracy": self.comparison.as_dict()} | report


def evaluate(
    mapped: MappedNetwork,
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    progress: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Run a network on crossbars and in floating point.

    Parameters
    ----------
    mapped : MappedNetwork
    batches : iterable of (images, labels)
    progress : callable
        Told how many images were run.
    """
    floats = FloatNetwork(mapped.network)
    comparison = Comparison()
    works = [layer.idle() for layer in mapped.layers]
    run = mapped.runner(works)
    for images, labels in batches:
        comparison.add(run(images), floats.run(images)[0], labels)
        progress(len(images))
    return Evaluation(mapped, works, comparison)
