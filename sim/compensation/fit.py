"""Maps a network with all that calibration images can do for it."""

from collections.abc import Callable, Sequence

import numpy as np

from sim.mapping import LayerMapping, Parameters, Quantisation
from sim.network.network import Network
from sim.network.real_layer import RealLayer
from sme_hw.errors import InputError
from sme_hw.params import ceil_div

from .allocation import allocate, conventional_crossbars
from .compensated import compensated_layers, nearest_layers
from .params import FitParams
from .plan import LayerPlan, row_forms, uniform_plan
from .profile import measure_profiles
from .sequence import map_in_sequence

__all__ = ["FEWEST_IMAGES", "fit_network", "uniform_plans"]

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


def fit_network(
    network: Network,
    parameters: Sequence[Parameters],
    quantisations: Sequence[Quantisation],
    batches: Sequence[np.ndarray],
    params: FitParams,
    progress: Callable[[str, str], None] = lambda what, name: None,
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

    Returns
    -------
    list of LayerMapping
        Calibrated.

    Raises
    ------
    InputError
        There are too few images, a layer's inputs are no numbers, or its weights are integers.
    """
    images = sum(len(batch) for batch in batches)
    if images < FEWEST_IMAGES:
        raise InputError(
            f"weights cannot be fitted to {images} calibration images, at least {FEWEST_IMAGES} "
            "are needed"
        )
    if params.rounding == "nearest":
        build = nearest_layers(network, parameters)
    else:
        if params.ratio is None:
            plans = uniform_plans(network, parameters)
        else:
            profiles = measure_profiles(
                network,
                parameters,
                quantisations,
                batches,
                params,
                lambda name: progress("weighing", name),
            )
            total = sum(
                conventional_crossbars(profile.weights.shape, own)
                for profile, own in zip(profiles, parameters, strict=True)
            )
            plans = allocate(parameters, profiles, int(total / params.ratio))
        build = compensated_layers(network, parameters, plans, params)
    return map_in_sequence(
        network, quantisations, batches, build, params, lambda name: progress("mapping", name)
    )
