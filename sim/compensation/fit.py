"""Maps a network with all that calibration images can do for it."""

from collections.abc import Callable, Sequence

import numpy as np

from sim.mapping import LayerMapping, Parameters, Quantisation
from sim.network.network import Network
from sim.network.real_layer import RealLayer
from sme_hw.errors import InputError
from sme_hw.params import ceil_div

from .allocation import plans_at
from .compensated import compensated_layers, nearest_layers
from .params import FitParams
from .plan import LayerPlan, row_forms, uniform_plan
from .profile import measure_profiles
from .sequence import map_in_sequence

__all__ = ["FEWEST_IMAGES", "check_fit", "fit_network", "uniform_plans"]

FEWEST_IMAGES = 4
"""Images that weights are fitted to, at least."""


def uniform_plans(network: Network, parameters: Sequence[Parameters]) -> list[LayerPlan]:
    """Return the plans in which all tiles have all planes, or rows all pieces, that there are."""
    plans = []
    for layer, own in zip(network.layers, parameters, strict=True):
        groups, rows, columns = RealLayer(layer).weights.shape
        forms = row_forms(own)
        shape = groups, rows, ceil_div(columns, own.hardware.cols)
        plans.append(uniform_plan(forms, int(forms.sizes[-1]), shape))
    return plans


def check_fit(network: Network, batches: Sequence[np.ndarray]) -> None:
    """Find out before long work whether a network can be fitted to images.

    Raises
    ------
    InputError
        There are too few images, or a layer's weights are integers.
    """
    images = sum(len(batch) for batch in batches)
    if images < FEWEST_IMAGES:
        raise InputError(
            f"weights cannot be fitted to {images} calibration images, at least {FEWEST_IMAGES} "
            "are needed"
        )
    for layer in network.layers:
        if layer.weights.dtype.kind != "f":
            raise InputError(
                f"{layer.name}: only float weights can be fitted to calibration images"
            )


def fit_network(
    network: Network,
    parameters: Sequence[Parameters],
    quantisations: Sequence[Quantisation],
    batches: Sequence[np.ndarray],
    params: FitParams,
    progress: Callable[[str, str], None] = lambda what, name: None,
    *,
    plans: Sequence[LayerPlan] | None = None,
) -> list[LayerMapping]:
    """Map a network's layers so that its output changes least on calibration images.

    Parameters
    ----------
    network : Network
    parameters : sequence of Parameters
        Of every layer.
    quantisations : sequence of Quantisation
        Of every layer's input.
    batches : sequence of numpy.ndarray
        Calibration images.
    params : FitParams
    progress : callable
        Told what is done, and the name of the layer that it was done for.
    plans : sequence of LayerPlan, optional
        What every layer is rounded to, instead of what ``params`` asks for.

    Returns
    -------
    list of LayerMapping
        Calibrated.

    Raises
    ------
    InputError
        There are too few images, a layer's inputs are no numbers, or its weights are integers.
    """
    check_fit(network, batches)
    if params.rounding == "nearest":
        build = nearest_layers(network, parameters)
    else:
        if plans is None:
            plans = _plans(network, parameters, quantisations, batches, params, progress)
        build = compensated_layers(network, parameters, plans, params)
    return map_in_sequence(
        network, quantisations, batches, build, params, lambda name: progress("mapping", name)
    )


def _plans(
    network: Network,
    parameters: Sequence[Parameters],
    quantisations: Sequence[Quantisation],
    batches: Sequence[np.ndarray],
    params: FitParams,
    progress: Callable[[str, str], None],
) -> list[LayerPlan]:
    """Plan layers as ``params`` asks for."""
    if params.ratio is None:
        return uniform_plans(network, parameters)

    def weighed(name: str) -> None:
        progress("weighing", name)

    profiles = measure_profiles(network, parameters, quantisations, batches, params, weighed)
    return plans_at(params.ratio, parameters, profiles)
