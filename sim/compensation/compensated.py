"""Maps a layer with rounding that makes up for its errors."""

from collections.abc import Sequence

import numpy as np

from sim.mapping import Errors, LayerMapping, Parameters, map_layer
from sim.mapping.layout import lay_out
from sim.mapping.scales import SCALES
from sim.mapping.slicing import ored_codes
from sim.mapping.squeeze import POLICIES
from sim.network.network import Network
from sim.network.real_layer import real_weights

from .moments import Moments
from .params import FitParams
from .placing import place
from .plan import LayerPlan
from .ridge import choose_ridge
from .rounding import Rounded, round_weights
from .sequence import MapLayer

__all__ = ["compensated_layers", "nearest_layers", "round_layer"]


def fixed_scales(parameters: Parameters) -> bool:
    """Tell whether the scales of columns are not free: powers of two, or one for the layer."""
    scale = SCALES[parameters.mapping.scale]
    control = POLICIES[parameters.mapping.policy].is_control
    return not control and (scale.power_of_two or not scale.per_column)


def round_layer(
    targets: np.ndarray,
    moments: Moments,
    plan: LayerPlan,
    tile_columns: int,
    params: FitParams,
    scales: np.ndarray | None = None,
) -> Rounded:
    """Round a layer's weights, or what is wanted instead, as planned.

    Targets have shape (groups, rows, columns); scales, shape (groups, columns), are fitted unless
    they are given.
    """
    return round_weights(
        targets,
        moments.damped(params.damping),
        plan.low,
        plan.high,
        width=tile_columns,
        forms=plan.forms,
        passes=params.passes,
        scales=scales,
    )


def nearest_layers(network: Network, parameters: Sequence[Parameters]) -> MapLayer:
    """Return a function that maps layers by themselves, to the nearest codes."""

    def build(
        index: int, weights: np.ndarray, moments: Moments, halves: Sequence[Moments]
    ) -> LayerMapping:
        return _map_nearest(network, index, weights, parameters[index])

    return build


def compensated_layers(
    network: Network,
    parameters: Sequence[Parameters],
    plans: Sequence[LayerPlan],
    params: FitParams,
) -> MapLayer:
    """Return a function that maps layers with compensated rounding, as planned."""

    def build(
        index: int, weights: np.ndarray, moments: Moments, halves: Sequence[Moments]
    ) -> LayerMapping:
        layer, chosen, plan = network.layers[index], parameters[index], plans[index]
        kept = _map_nearest(network, index, weights, chosen.without_squeeze())
        scales = None
        if fixed_scales(chosen):
            scales = kept.code_steps.reshape(layer.groups, -1)
        targets = moments.target(weights, choose_ridge(halves, weights))
        rounded = round_layer(targets, moments, plan, chosen.hardware.cols, params, scales)
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
