"""Maps a layer with rounding that makes up for its errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import Errors, LayerMapping, Parameters, map_layer
from sim.mapping.layout import lay_out
from sim.mapping.slicing import ored_codes
from sim.network.network import Network
from sim.network.real_layer import real_weights

from .moments import Moments
from .placing import place
from .plan import LayerPlan
from .rounding import Rounded, round_weights
from .sequence import MapLayer

__all__ = ["Rounding", "compensated_layers", "nearest_layers", "round_layer"]


@dataclass(frozen=True)
class Rounding:
    """How errors are compensated.

    Parameters
    ----------
    damping : float
        What is added to the diagonal of second moments, as a share of their mean.
    ridge : float
        The same for the regression that finds the weights to be rounded: how strongly these are
        held at the network's own.
    passes : int
        Times that all rows are rounded again.
    """

    damping: float = 0.03
    ridge: float = 0.2
    passes: int = 4


def round_layer(
    weights: np.ndarray, moments: Moments, plan: LayerPlan, tile_columns: int, options: Rounding
) -> Rounded:
    """Round a layer's weights, shape (groups, rows, columns), as planned."""
    return round_weights(
        moments.target(weights, options.ridge),
        moments.damped(options.damping),
        plan.low,
        plan.high,
        width=tile_columns,
        forms=plan.forms,
        passes=options.passes,
    )


def nearest_layers(network: Network, parameters: Sequence[Parameters]) -> MapLayer:
    """Return a function that maps layers by themselves, to the nearest codes."""

    def build(index: int, weights: np.ndarray, moments: Moments) -> LayerMapping:
        return _map_nearest(network, index, weights, parameters[index])

    return build


def compensated_layers(
    network: Network,
    parameters: Sequence[Parameters],
    plans: Sequence[LayerPlan],
    options: Rounding,
) -> MapLayer:
    """Return a function that maps layers with compensated rounding, as planned."""

    def build(index: int, weights: np.ndarray, moments: Moments) -> LayerMapping:
        layer, chosen, plan = network.layers[index], parameters[index], plans[index]
        kept = _map_nearest(network, index, weights, chosen.without_squeeze())
        rounded = round_layer(weights, moments, plan, chosen.hardware.cols, options)
        before = [
            ored_codes(np.abs(matrix.codes), chosen.hardware.cols) for matrix in kept.matrices
        ]
        mapping = lay_out(
            layer.name,
            layer.weights.shape,
            layer.groups,
            chosen,
            kept.codec,
            place(rounded, plan, chosen),
            before,
        )
        found = real_weights(mapping)
        quantised = real_weights(kept)
        mapping.errors.add(
            Errors(
                signal=_power(weights),
                quantisation=_power(weights - quantised),
                squeeze=_power(quantised - found),
                total=_power(weights - found),
            )
        )
        return mapping

    return build


def _power(values: np.ndarray) -> float:
    return float(np.einsum("grc,grc->", values, values))


def _map_nearest(
    network: Network, index: int, weights: np.ndarray, parameters: Parameters
) -> LayerMapping:
    layer = network.layers[index]
    array = weights.swapaxes(1, 2).reshape(layer.weights.shape)
    return map_layer(layer.name, array, parameters, groups=layer.groups)
