"""What each row of each layer costs a network if it is rounded more coarsely."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import Parameters, Quantisation
from sim.network.forward import FloatNetwork
from sim.network.metrics import Comparison
from sim.network.network import Network
from sim.network.real_layer import RealLayer
from sim.network.stages import Stages

from .compensated import round_layer
from .forms import Forms
from .moments import FEWEST_VECTORS, Moments, MomentSums, places_of_image, sample
from .params import FitParams
from .plan import row_forms, uniform_plan
from .rounding import row_losses
from .sequence import as_seen

__all__ = ["Profile", "measure_profiles"]

_SIZES = (2, 1)
"""Sizes of forms at which layers are measured: as coarse as most layers can be, and coarser."""

_IMAGES = 200
"""Images that the divergence is measured on, at most; the others are for moments."""

_REMOVED_IMAGES = 16
"""Images, at least, that the network is measured on without a layer: it loses much then."""

_LAYERS = 8
"""Layers that are measured together: each has its own session with the rest of the network."""


@dataclass(frozen=True, eq=False)
class Profile:
    """What errors in a layer's weights cost the network.

    Parameters
    ----------
    weights : numpy.ndarray of float64, shape (groups, rows, columns)
        In units of the input's common scale.
    importance : numpy.ndarray of float64, shape (groups, rows)
        Divergence of the network's output, in nats, per squared error of a weight of the row
        (estimated, with what other rows can make up for left out).
    points : tuple of (float, float)
        For each size at which the whole layer was measured, from the finest: its divergence as
        estimated by importance, and as it is. For the first, both are equal.
    removed : float
        The divergence without the layer: its outputs are their means.
    """

    weights: np.ndarray
    importance: np.ndarray
    points: tuple[tuple[float, float], ...]
    removed: float

    def losses(self, forms: Forms, width: int) -> np.ndarray:
        """Return the divergence that each row of each tile causes in each window of forms.

        Shape (windows, groups, rows, column tiles); ``width`` is that of column tiles.
        """
        return row_losses(self.weights, self.importance, width=width, forms=forms)


@dataclass(frozen=True, eq=False)
class _Rounded:
    """A layer rounded coarsely, or removed: real weights and bias."""

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, eq=False)
class _Coarse:
    """A layer in all its coarse forms, with the losses estimated for them; and its rows."""

    rounded: list[_Rounded]
    losses: list[float]
    removed: _Rounded
    weights: np.ndarray
    importance: np.ndarray


def measure_profiles(
    network: Network,
    parameters: Sequence[Parameters],
    quantisations: Sequence[Quantisation],
    batches: Sequence[np.ndarray],
    params: FitParams,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Profile]:
    """Measure what every layer's rows lose.

    A row's squared rounding error counts as much as the layer's other inputs leave unexplained of
    its own input: the inverse of the diagonal of the inverse second moments, as in OBQ. What a
    layer's squared errors mean to the network is measured: by the divergence of its output if only
    this layer is rounded, on images that it was not rounded for. And again rounded more coarsely,
    and without the layer, since large errors are not in proportion.

    Parameters
    ----------
    network : Network
    parameters : sequence of Parameters
    quantisations : sequence of Quantisation
    batches : sequence of numpy.ndarray
        Calibration images.
    params : FitParams
    progress : callable
        Told the name of each layer, twice.
    """
    coarse: list[_Coarse] = []
    measured, spared = _cut(batches)
    places = places_of_image(sum(len(batch) for batch in spared))

    def visit(
        index: int, inputs: list[np.ndarray], extra: list[np.ndarray] | None
    ) -> list[np.ndarray]:
        layer, chosen = network.layers[index], parameters[index]
        compute = RealLayer(layer)
        own = compute.weights
        sums = MomentSums(layer.name)
        outputs: list[np.ndarray] = []
        for values in inputs:
            outputs.append(compute(values, own, layer.bias))
            seen = as_seen(quantisations[index], layer, values)
            sums.add(*sample(layer, seen, outputs[-1], places, index))
        coarse.append(
            _round_coarsely(
                own,
                quantisations[index].row_factors(layer.groups * own.shape[1]),
                sums.moments(),
                chosen,
                params,
            )
        )
        progress(layer.name)
        return outputs

    Stages(network).run(spared, visit)
    profiles: list[Profile] = []
    for first in range(0, len(coarse), _LAYERS):
        some = list(enumerate(coarse))[first : first + _LAYERS]
        divergences = _measure(network, some, measured, progress)
        profiles += [
            _profile(own, *found) for (_, own), found in zip(some, divergences, strict=True)
        ]
    return profiles


def _profile(coarse: _Coarse, divergences: Sequence[float], removed: float) -> Profile:
    """Return a profile whose estimates agree with what was measured at the finest size."""
    scale = divergences[0] / (coarse.losses[0] or 1.0)
    points = tuple(
        (loss * scale, divergence)
        for loss, divergence in zip(coarse.losses, divergences, strict=True)
    )
    return Profile(coarse.weights, coarse.importance * scale, points, removed)


def _cut(batches: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the images to measure on, and all others; too few to spare any are for both."""
    images = sum(len(batch) for batch in batches)
    left = min(_IMAGES, (images - FEWEST_VECTORS) // 3)
    if left < 1:
        return list(batches), list(batches)
    measured, spared = [], []
    for batch in batches:
        measured.append(batch[:left])
        spared.append(batch[left:])
        left = max(0, left - len(batch))
    return [b for b in measured if len(b)], [b for b in spared if len(b)]


def _round_coarsely(
    own: np.ndarray,
    factors: np.ndarray,
    moments: Moments,
    parameters: Parameters,
    params: FitParams,
) -> _Coarse:
    groups, rows, _ = own.shape
    hardware, forms = parameters.hardware, row_forms(parameters)
    factors = factors.reshape(groups, rows, 1)
    weights = own * factors
    importance = 1 / np.einsum("grr->gr", np.linalg.inv(moments.damped(params.damping)))
    losses = row_losses(weights, importance, width=hardware.cols, forms=forms)
    rounded: list[_Rounded] = []
    estimated: list[float] = []
    for size in dict.fromkeys(min(size, int(forms.sizes[-1])) for size in _SIZES):
        plan = uniform_plan(forms, size, losses.shape[1:])
        found = round_layer(weights, moments, plan, hardware.cols, params)
        values = found.weights(forms, hardware.cols)
        means = np.einsum("gr,grc->gc", moments.inputs, values)
        rounded.append(_Rounded(values / factors, (moments.outputs - means).ravel()))
        estimated.append(float(losses[forms.sizes == size].min(axis=0).sum()))
    removed = _Rounded(np.zeros_like(weights), moments.outputs.ravel())
    return _Coarse(rounded, estimated, removed, weights, importance)


def _measure(
    network: Network,
    some: Sequence[tuple[int, _Coarse]],
    batches: Sequence[np.ndarray],
    progress: Callable[[str], None],
) -> list[tuple[list[float], float]]:
    """Return the divergences of the network's output for some layers, rounded and removed."""
    layers = [network.layers[index] for index, _ in some]
    end = network.output_name
    tensors = sorted({layer.input for layer in layers} - {end, network.input_name})
    before = FloatNetwork(network, [end, *tensors])
    after = [FloatNetwork(network, given=[layer.output]) for layer in layers]
    compute = [RealLayer(layer) for layer in layers]
    found = [[Comparison() for _ in (*coarse.rounded, coarse.removed)] for _, coarse in some]
    seen = 0
    for images in batches:
        values = dict(zip([end, *tensors], before.run(images), strict=True))
        values[network.input_name] = images
        for k, (layer, (_, coarse)) in enumerate(zip(layers, some, strict=True)):
            forms = coarse.rounded + ([coarse.removed] if seen < _REMOVED_IMAGES else [])
            for comparison, form in zip(found[k], forms, strict=False):
                output = compute[k](values[layer.input], form.weights, form.bias)
                result = after[k].compute(values | {layer.output: output})[0]
                comparison.add(result, values[end], None)
        seen += len(images)
    for layer in layers:
        progress(layer.name)
    means = [[float(np.mean(comparison.divergence)) for comparison in own] for own in found]
    return [(own[:-1], own[-1]) for own in means]
