"""The search of :mod:`sim.compensation.search`, done on a network and images."""

from collections.abc import Callable, Iterator, Sequence

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

__all__ = ["measure_accuracy", "search_network"]

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


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

    def advance(count: int) -> None:
        nonlocal done
        done += count
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
    progress: Progress = lambda what, done, total: None,
) -> Iterator[Trial]:
    """Yield the trials of a search, ever nearer to the mapping that just meets a target.

    Parameters
    ----------
    network : Network
    candidates : sequence of Parameters
        What each layer may be mapped with.
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
        There are too few images, or they lack labels that the target needs, or a layer cannot be
        fitted.
    """
    check_fit(network, calibration)
    if target.max_drop is not None and validation.images.labels is None:
        raise InputError(f"max_drop = {target.max_drop}: {validation.images.name} has no labels")
    count = len(network.layers)
    seen = 0

    def step(what: str, name: str, total: int = count) -> None:
        nonlocal seen
        seen += 1
        progress(f"{what} {name}", (seen - 1) % total + 1, total)

    profiles = measure_profiles(
        network,
        [candidates[-1]] * count,
        quantisations,
        calibration,
        params,
        lambda name: step("weighing", name, 2 * count),
    )
    seen = 0
    curves = []
    for layer, profile in zip(network.layers, profiles, strict=True):
        curves.append([Curve(own, rows_of(own, profile)) for own in candidates])
        step("candidates for", layer.name)

    def try_out(
        parameters: list[Parameters], plans: list[LayerPlan]
    ) -> tuple[list[LayerMapping], Accuracy]:
        nonlocal seen
        seen = 0
        mappings = fit_network(
            network, parameters, quantisations, calibration, params, step, plans=plans
        )
        return mappings, measure_accuracy(network, mappings, validation, progress)

    yield from search(curves, try_out, target, most)
