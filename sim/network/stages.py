"""Runs a network layer after layer on many images, with only the tensors that are still needed."""

from collections.abc import Callable, Sequence

import numpy as np

from .forward import FloatNetwork
from .network import Network

__all__ = ["Stages"]

Tensors = list[np.ndarray]
"""One array for each batch of images."""


class Stages:
    """A network cut at its layers' inputs and outputs.

    Whoever goes through it gives the outputs of each layer, and may choose its weights just then:
    all images pass a layer before any image passes the next one.

    Parameters
    ----------
    network : Network
    extra : sequence of str or None
        For each layer, a further tensor to have when its turn comes: one that only the layers
        before it are needed for.
    """

    def __init__(self, network: Network, extra: Sequence[str | None] | None = None):
        self._network = network
        targets = [[layer.input] for layer in network.layers] + [[network.output_name]]
        for wanted, name in zip(targets, extra or [], strict=False):
            wanted += [name] if name is not None else []
        there = {network.input_name}
        self._targets = targets
        self._stages: list[FloatNetwork | None] = []
        for index, wanted in enumerate(targets):
            missing = [name for name in wanted if name not in there]
            given = sorted(there)
            self._stages.append(
                FloatNetwork(network, missing, given, keeps_memory=False) if missing else None
            )
            there.update(wanted)
            if index < len(network.layers):
                there.add(network.layers[index].output)

    def needs(self, index: int) -> frozenset[str]:
        """Return the tensors that stage ``index`` takes, those that are just handed on included."""
        stage = self._stages[index]
        return frozenset(self._targets[index]) | (stage.needed if stage else frozenset())

    def run(
        self,
        batches: Tensors,
        visit: Callable[[int, Tensors, Tensors | None], Tensors],
    ) -> Tensors:
        """Run the network.

        Parameters
        ----------
        batches : list of numpy.ndarray
            Its input.
        visit : callable
            Takes a layer's number, its input, and its extra tensor, and returns its output.

        Returns
        -------
        list of numpy.ndarray
            The network's output.
        """
        last = {name: index for index in range(len(self._targets)) for name in self.needs(index)}
        kept = {self._network.input_name: list(batches)}
        for index, wanted in enumerate(self._targets):
            done = {name for name in kept if last.get(name, -1) <= index}
            kept |= self._compute(index, kept, done - set(wanted))
            if index == len(self._network.layers):
                break
            # Its own lists: whoever visits the layer may let go of what was used.
            values = [list(kept[name]) for name in wanted]
            for name in [name for name in kept if last.get(name, -1) <= index]:
                del kept[name]
            outputs = visit(index, values[0], values[1] if len(values) > 1 else None)
            kept[self._network.layers[index].output] = outputs
        return kept[self._network.output_name]

    def _compute(self, index: int, kept: dict[str, Tensors], done: set[str]) -> dict[str, Tensors]:
        """Return the stage's tensors; those that nothing needs any more, ``done``, are freed."""
        stage = self._stages[index]
        if stage is None:
            return {}
        found = [name for name in self._targets[index] if name not in kept]
        results: dict[str, Tensors] = {name: [] for name in found}
        taken = {
            name: kept.pop(name) if name in done else list(kept[name]) for name in stage.needed
        }
        count = len(next(iter(taken.values())))
        for _ in range(count):
            feed = {name: values.pop(0) for name, values in taken.items()}
            for name, values in zip(found, stage.compute(feed), strict=True):
                results[name].append(values)
        return results
