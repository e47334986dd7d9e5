"""Where a mapped network loses accuracy: step by step, and layer by layer."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sim.mapping import LayerMapping

from .crossbar_layer import CrossbarLayer
from .forward import FloatNetwork, forward
from .layer import NetworkLayer
from .mapped_network import MappedNetwork
from .metrics import Comparison
from .real_layer import RealLayer, real_weights

__all__ = ["LayerLoss", "Sensitivity", "measure_sensitivity"]

STEPS = ("weights quantised", "squeezed out", "inputs quantised", "ADCs")
"""What comes between the float network and the hardware, one after the other."""

_LAYERS = 8
"""Layers that are measured together: each has its own session with the rest of the network."""


@dataclass(frozen=True)
class LayerLoss:
    """What a layer loses, all others being exact.

    Parameters
    ----------
    name : str
    sqnr_db : float or None
        Signal-to-noise ratio of the layer's output in all, in dB; None without error
        or output.
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
        The same layer mapped without squeeze-out, and calibrated alike.
    """

    def __init__(self, layer: CrossbarLayer, unsqueezed: LayerMapping):
        self.layer = layer
        self._real = RealLayer(layer.layer)
        self._exact = _weights_and_bias(layer.layer, layer.mapping)
        self._quantised = _weights_and_bias(layer.layer, unsqueezed)

    def compute(self, values: np.ndarray, step: int) -> np.ndarray:
        """Return the layer's output with all errors up to :data:`STEPS` number ``step``."""
        if step == 3:
            return self.layer(values)
        weights, bias = self._quantised if step == 0 else self._exact
        layer = self.layer.layer
        if step == 2:
            integers = self.layer.to_integers(values)
            values = self.layer.quantisation.to_reals(integers, layer.axis).astype(np.float32)
        return self._real(values, weights, bias)


def _weights_and_bias(layer: NetworkLayer, mapping: LayerMapping) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer's weights as mapped, for real inputs, and its bias."""
    assert mapping.calibration is not None
    weights = real_weights(mapping)
    groups, rows, columns = weights.shape
    factors = mapping.calibration.quantisation.row_factors(groups * rows)
    scales = layer.weight_scales.reshape(groups, 1, columns)
    return weights * scales / factors.reshape(groups, rows, 1), mapping.calibration.bias


class _LayerLosses:
    """Measures one layer between float layers.

    Parameters
    ----------
    mapped : MappedNetwork
    probe : _Probe
    """

    def __init__(self, mapped: MappedNetwork, probe: _Probe):
        self._probe = probe
        self._input = mapped.network.input_name
        self._after = FloatNetwork(mapped.network, given=[probe.layer.layer.output])
        self._comparison = Comparison()
        self._signal = self._error = 0.0
        self._added = np.zeros(len(STEPS))

    def add(
        self,
        images: np.ndarray,
        tensors: dict[str, np.ndarray],
        reference: np.ndarray,
        labels: np.ndarray | None,
    ) -> None:
        """Take in some images, whose float tensors are known."""
        layer = self._probe.layer.layer
        exact = previous = tensors[layer.output]
        for step in range(len(STEPS)):
            outputs = self._probe.compute(tensors[layer.input], step)
            self._added[step] += _power(outputs - previous)
            previous = outputs
        self._signal += _power(exact)
        self._error += _power(previous - exact)
        given = tensors | {self._input: images, layer.output: previous}
        self._comparison.add(self._after.compute(given)[0], reference, labels)

    def result(self) -> LayerLoss:
        """Return what was measured."""
        report = self._comparison.as_dict()
        shares = self._added / (self._added.sum() or 1.0)
        ratio = self._signal / self._error if self._error else 0.0
        return LayerLoss(
            self._probe.layer.layer.name,
            round(float(10 * np.log10(ratio)), 2) if ratio else None,
            {name: round(float(part), 4) for name, part in zip(STEPS, shares, strict=True)},
            float(report["kl"] or 0),
            float(report["agreement"] or 0),
        )


def _power(values: np.ndarray) -> float:
    return float(np.square(values, dtype=np.float64).sum())


def _measure_layers(
    mapped: MappedNetwork,
    probes: Sequence[_Probe],
    batches: Sequence[tuple[np.ndarray, np.ndarray | None]],
    progress: Callable[[str, int], None],
) -> list[LayerLoss]:
    """Measure some layers, which have the same float tensors before them."""
    end = mapped.network.output_name
    names = {t for probe in probes for t in (probe.layer.layer.input, probe.layer.layer.output)}
    tensors = sorted(names - {end})
    before = FloatNetwork(mapped.network, [end, *tensors])
    losses = [_LayerLosses(mapped, probe) for probe in probes]
    for images, labels in batches:
        reference, *values = before.run(images)
        known = dict(zip(tensors, values, strict=True)) | {end: reference}
        for loss, probe in zip(losses, probes, strict=True):
            loss.add(images, known, reference, labels)
            progress(probe.layer.layer.name, len(images))
    return [loss.result() for loss in losses]


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
    unsqueezed : sequence of LayerMapping
        Its layers mapped without squeeze-out, and calibrated alike.
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
    layers: list[LayerLoss] = []
    for first in range(0, len(probes), _LAYERS):
        some = probes[first : first + _LAYERS]
        layers += _measure_layers(mapped, some, batches, progress)
    count = sum(len(images) for images, _ in batches)
    return Sensitivity(count, steps, tuple(layers))
