"""Maps a network layer after layer: each one knows what the layers before it have lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sim.mapping import LayerCalibration, LayerMapping, Quantisation
from sim.network.layer import NetworkLayer
from sim.network.network import Network
from sim.network.real_layer import RealLayer, real_weights
from sim.network.stages import Stages
from sme_hw.errors import InputError

from .additions import added_tensors
from .moments import Moments, MomentSums, places_of_image, sample
from .params import FitParams

__all__ = ["MapLayer", "as_seen", "map_in_sequence"]

MapLayer = Callable[[int, np.ndarray, Moments, Sequence[Moments]], LayerMapping]
"""Maps layer n, given its weights, shape (groups, rows, columns), in units of its common input
scale, and the moments of its inputs: for all images, and for each half of them."""


def map_in_sequence(
    network: Network,
    quantisations: Sequence[Quantisation],
    batches: Sequence[np.ndarray],
    map_layer: MapLayer,
    params: FitParams,
    progress: Callable[[str], None] = lambda name: None,
) -> list[LayerMapping]:
    """Map a network's layers, one after the other, on the inputs that the mapped layers cause.

    ADCs are taken as exact: what clips is not made up for.

    Parameters
    ----------
    network : Network
    quantisations : sequence of Quantisation
        Of every layer's input.
    batches : sequence of numpy.ndarray
        Calibration images.
    map_layer : MapLayer
    params : FitParams
    progress : callable
        Told the name of each layer that is mapped.

    Returns
    -------
    list of LayerMapping
        Calibrated: with input quantisations and biases.

    Raises
    ------
    InputError
        A layer has too few input vectors, or some are no numbers; it is named.
    """
    images = sum(len(batch) for batch in batches)
    others = added_tensors(network) if params.additions else [None] * len(network.layers)
    count = len(batches)
    places = places_of_image(images)
    mappings: list[LayerMapping] = []

    def visit(
        index: int, inputs: list[np.ndarray], extra: list[np.ndarray] | None
    ) -> list[np.ndarray]:
        layer, quantisation = network.layers[index], quantisations[index]
        compute = RealLayer(layer)
        own = compute.weights
        sums = MomentSums(layer.name)
        floats: list[np.ndarray] = []
        seen = 0
        for k in range(count):
            floats.append(compute(inputs[k], own, layer.bias))
            inputs[k + count] = as_seen(quantisation, layer, inputs[k + count])
            wanted = floats[k]
            if extra is not None and extra[k].shape == wanted.shape:
                wanted = wanted + (extra[k] - extra[k + count])
            for half in range(min(2, len(wanted))):
                chosen = slice(half, None, 2)  # every other image
                part = sample(layer, inputs[k + count][chosen], wanted[chosen], places, index)
                sums.add(*part, (seen + half) % 2)
            seen += len(wanted)
        moments = sums.moments()
        folded = own * quantisation.row_factors(layer.groups * own.shape[1]).reshape(
            layer.groups, -1, 1
        )
        mapping = map_layer(index, folded, moments, sums.halves())
        weights = real_weights(mapping)
        bias = layer.bias
        if params.bias_correction:
            means = np.einsum("gr,grc->gc", moments.inputs, weights)
            bias = (moments.outputs - means).ravel()
        mappings.append(replace(mapping, calibration=LayerCalibration(quantisation, bias)))
        progress(layer.name)
        return floats + [compute(values, weights, bias) for values in inputs[count:]]

    Stages(network, others).run([*batches, *batches], visit)
    return mappings


def as_seen(quantisation: Quantisation, layer: NetworkLayer, values: np.ndarray) -> np.ndarray:
    """Return inputs as crossbars see them, in units of the common scale.

    Raises
    ------
    InputError
        Some are no numbers; the layer is named.
    """
    if not np.isfinite(values).all():
        raise InputError(f"{layer.name}: its inputs hold values that are no numbers")
    integers = quantisation.to_integers(values, layer.axis)
    return (integers - np.float32(quantisation.zero_point)) * np.float32(quantisation.scale)
