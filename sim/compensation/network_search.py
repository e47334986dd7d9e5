"""The search of :mod:`sim.compensation.search`, done on a network and images."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import numpy as np

from sim.mapping import LayerMapping, Parameters, Quantisation
from sim.network.batches import Batches
from sim.network.evaluation import evaluate
from sim.network.mapped_network import assemble
from sim.network.network import Network
from sme_hw.errors import InputError

from .curves import Curve
from .fit import check_fit, fit_network
from .params import FitParams
from .plan import LayerPlan
from .profile import measure_profiles
from .rows import rows_of
from .search import Accuracy, Target, Trial, search

__all__ = ["check_search", "measure_accuracy", "search_network"]

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


def check_search(
    network: Network, calibration: Sequence[np.ndarray], validation: Batches, target: Target
) -> None:
    """Find out before long work whether a network can be fitted, and a target be measured.

    Raises
    ------
    InputError
        There are too few images, or they lack labels that the target needs, or a layer cannot be
        fitted.
    """
    check_fit(network, calibration)
    images = validation.images
    if target.max_drop is not None and images.labels is None:
        raise InputError(f"max_drop = {target.max_drop} needs labels, {images.name} has none")


def measure_accuracy(
    network: Network, mappings: Sequence[LayerMapping], images: Batches, progress: Progress
) -> Accuracy:
    """Return the accuracy of a mapped network on crossbars.

    Parameters
    ----------
    network : Network
    mappings : sequence of LayerMapping
        Calibrated.
    images : Batches
    progress : callable
        Told what is done, how many images are, and of how many.
    """
    done = 0

    def advance(images_done: int) -> None:
        nonlocal done
        done += images_done
        progress("images on crossbars", done, len(images))

    return evaluate(assemble(network, mappings), images, advance).comparison.as_dict()


def search_network(
    network: Network,
    candidates: Sequence[Parameters],
    quantisations: Sequence[Quantisation],
    calibration: Sequence[np.ndarray],
    validation: Batches,
    params: FitParams,
    target: Target,
    most: int,
    progress: Progress,
) -> Iterator[Trial]:
    """Yield the trials of a search, ever nearer to the mapping that just meets a target.

    Parameters
    ----------
    network : Network
    candidates : sequence of Parameters
        What each layer may be mapped with; what errors in it cost is weighed with the last ones.
    quantisations : sequence of Quantisation
        Of every layer's input.
    calibration : sequence of numpy.ndarray
        Images that weights are fitted to.
    validation : Batches
        Other images, which targets are measured on.
    params : FitParams
        Rounding is compensated; the ratio does not matter.
    target : Target
    most : int
        Trials, at most.
    progress : callable
        Told what is done, how much of it, and of how much.

    Raises
    ------
    InputError
        As :func:`check_search`, or a layer's inputs are no numbers or too few.
    """
    check_search(network, calibration, validation, target)
    layers = len(network.layers)
    weighed = _counter(progress, 2 * layers)
    profiles = measure_profiles(
        network,
        [candidates[-1]] * layers,
        quantisations,
        calibration,
        params,
        lambda name: weighed(f"weighing {name}"),
    )
    compared = _counter(progress, layers)
    curves = []
    for layer, profile in zip(network.layers, profiles, strict=True):
        curves.append([Curve(own, rows_of(own, profile)) for own in candidates])
        compared(f"candidates for {layer.name}")

    def try_out(
        parameters: list[Parameters], plans: list[LayerPlan]
    ) -> tuple[list[LayerMapping], Accuracy]:
        mapped = _counter(progress, layers)
        mappings = fit_network(
            network,
            parameters,
            quantisations,
            calibration,
            params,
            lambda what, name: mapped(f"{what} {name}"),
            plans=plans,
        )
        return mappings, measure_accuracy(network, mappings, validation, progress)

    yield from search(curves, try_out, target, most)


def _counter(progress: Progress, total: int) -> Callable[[str], None]:
    """Return a function that is told what is done, one step at a time."""
    numbers = count(1)
    return lambda what: progress(what, next(numbers), total)
