"""Where a mapped network loses accuracy: step by step, and layer by layer."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sim.mapping import LayerMapping

from .crossbar_layer import CrossbarLayer, layer_weights
from .forward import FloatNetwork, forward
from .mapped_network import MappedNetwork
from .metrics import Comparison

__all__ = ["LayerLoss", "Sensitivity", "measure_sensitivity"]

STEPS = ("weights quantised", "squeezed out", "inputs quantised", "ADCs")
"""What comes between the float network and the hardware, one after the other."""


@dataclass(frozen=True)
class LayerLoss:
    """What a layer loses, all others being exact.

    Parameters
    ----------
    name : str
    sqnr_db : float or None
        Signal-to-noise ratio of the layer's output in all, in dB; None without any error.
    shares : dict of str to float
        What part of the squared error each of :data:`STEPS` adds, 0..1, before they interfere.
    kl : float
        Divergence of the network's output from the float network's if only this layer is on
        crossbars.
    agreement : float
        Percentage of images whose class stays, then.
    """

    name: str
    sqnr_db: float | None
    shares: dict[str, float]
    kl: float
    agreement: float


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Where accuracy is lost.

    Parameters
    ----------
    images : int
    steps : dict of str to dict
        The whole network after each of :data:`STEPS`, those before included: the numbers of
        :meth:`sim.network.metrics.Comparison.as_dict`.
    layers : tuple of LayerLoss
    """

    images: int
    steps: dict[str, dict[str, Any]]
    layers: tuple[LayerLoss, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what machines read."""
        return {
            "images": self.images,
            "steps": self.steps,
            "layers": [asdict(layer) for layer in self.layers],
        }


class _Probe:
    """A layer computed with some of its errors left out.

    Parameters
    ----------
    layer : CrossbarLayer
    unsqueezed : LayerMapping
        The same layer mapped without squeeze-out.
    """

    def __init__(self, layer: CrossbarLayer, unsqueezed: LayerMapping):
        self.layer = layer
        self._steps = layer.steps
        self._exact = self._real(layer.mapping)
        self._quantised = self._real(unsqueezed)

    def _real(self, mapping: LayerMapping) -> list[np.ndarray]:
        scales = self.layer.layer.weight_scales
        return [
            (weights * (matrix.code_steps * scales[matrix.placement.output_slice])).astype(
                np.float32
            )
            for matrix, weights in zip(mapping.matrices, layer_weights(mapping), strict=True)
        ]

    def compute(self, values: np.ndarray, step: int) -> np.ndarray:
        """Return the layer's output with all errors up to :data:`STEPS` number ``step``."""
        if step == 3:
            return self.layer(values)
        weights = self._quantised if step == 0 else self._exact
        quantisation = self.layer.quantisation
        if step == 2:
            integers = quantisation.to_integers(values)
            values = quantisation.to_reals(integers).astype(np.float32)
        outputs = self.layer.apply(
            values, lambda vectors: self._product(vectors, weights), padding=0
        )
        shape = (-1, *[1] * (outputs.ndim - 2)) if self.layer.layer.window else (-1,)
        return (outputs + self.layer.layer.bias.reshape(shape)).astype(np.float32)

    def _product(self, vectors: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
        results = np.empty((len(vectors), len(self._steps)), np.float32)
        for matrix, real in zip(self.layer.mapping.matrices, weights, strict=True):
            place = matrix.placement
            results[:, place.output_slice] = vectors[:, place.input_slice] @ real
        return results


def _layer_loss(
    mapped: MappedNetwork,
    index: int,
    probe: _Probe,
    batches: Sequence[tuple[np.ndarray, np.ndarray | None]],
) -> LayerLoss:
    """Measure one layer between float layers."""
    layer = mapped.layers[index].layer
    before = FloatNetwork(mapped.network, [layer.input, layer.output, mapped.network.output_name])
    after = FloatNetwork(mapped.network, given=layer.output)
    comparison = Comparison()
    signal, error = 0.0, 0.0
    added = np.zeros(len(STEPS))
    for images, labels in batches:
        values, exact, reference = before.run(images)
        previous = exact
        for step in range(len(STEPS)):
            outputs = probe.compute(values, step)
            added[step] += float(np.square(outputs - previous, dtype=np.float64).sum())
            previous = outputs
        signal += float(np.square(exact, dtype=np.float64).sum())
        error += float(np.square(previous - exact, dtype=np.float64).sum())
        comparison.add(after.run(images, previous)[0], reference, labels)
    report = comparison.as_dict()
    total = added.sum() or 1.0
    return LayerLoss(
        layer.name,
        None if error == 0 or signal == 0 else round(float(10 * np.log10(signal / error)), 2),
        {name: round(float(part), 4) for name, part in zip(STEPS, added / total, strict=True)},
        float(report["kl"] or 0),
        float(report["agreement"] or 0),
    )


def measure_sensitivity(
    mapped: MappedNetwork,
    unsqueezed: Sequence[LayerMapping],
    batches: Sequence[tuple[np.ndarray, np.ndarray | None]],
    progress: Callable[[str, int], None] = lambda what, count: None,
) -> Sensitivity:
    """Find out where a mapped network loses accuracy.

    Parameters
    ----------
    mapped : MappedNetwork
        Its counters of vectors and clips go on.
    unsqueezed : sequence of LayerMapping
        Its layers mapped without squeeze-out.
    batches : sequence of (images, labels)
    progress : callable
        Told what was done, and to how many images.
    """
    probes = [_Probe(*pair) for pair in zip(mapped.layers, unsqueezed, strict=True)]
    floats = FloatNetwork(mapped.network)
    steps = {}
    for step, name in enumerate(STEPS):

        def compute(index: int, values: np.ndarray, step: int = step) -> np.ndarray:
            return probes[index].compute(values, step)

        run = forward(mapped.network, compute)
        comparison = Comparison()
        for images, labels in batches:
            comparison.add(run(images), floats.run(images)[0], labels)
            progress(name, len(images))
        steps[name] = comparison.as_dict()
    count = sum(len(images) for images, _ in batches)
    layers = []
    for index, probe in enumerate(probes):
        layers.append(_layer_loss(mapped, index, probe, batches))
        progress(layers[-1].name, count)
    return Sensitivity(count, steps, tuple(layers))
