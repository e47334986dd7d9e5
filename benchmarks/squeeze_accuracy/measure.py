"""Maps a network as a rung says and measures it on crossbars, exactly."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from sim.compensation.allocation import plans_at
from sim.compensation.fit import fit_network
from sim.mapping import LayerMapping
from sim.network.batches import Batches
from sim.network.evaluation import evaluate
from sim.network.forward import FloatNetwork, forward
from sim.network.mapped_network import MappedNetwork, assemble, map_network
from sim.network.metrics import Comparison
from sim.network.real_layer import RealLayer, mapped_weights

from .costs import costs
from .ladder import Rung
from .subjects import Subject

__all__ = ["FIT_VERSION", "PLAN_VERSION", "VERSION", "measure", "result_key"]

VERSION = 3
"""Raised when mapping or measuring gives other results than before for the same parameters."""

FIT_VERSION = 3
"""Raised when only what is fitted to images gives other results."""

PLAN_VERSION = 2
"""Raised when only what gets a share of the crossbars gives other results."""


def result_key(subject: Subject, rung: Rung) -> dict[str, Any]:
    """Return all that a result depends on, as plain JSON values."""
    versions = [VERSION]
    if rung.fit.needs_images:
        versions.append(FIT_VERSION)
    if rung.fit.ratio is not None:
        versions.append(PLAN_VERSION)
    return {
        "version": versions,
        **subject.key,
        **({} if rung.inputs is None else {"range": rung.inputs}),
        "parameters": rung.parameters.as_dict(),
        "fit": asdict(rung.fit),
        "keeps_empty_planes": rung.keeps_empty_planes,
    }


def _mapped(subject: Subject, rung: Rung, progress: Callable[[str], None]) -> list[LayerMapping]:
    network = subject.network
    parameters = [rung.parameters] * len(network.layers)
    quantisations = subject.quantisations
    if rung.inputs is not None:
        quantisations = subject.quantised(rung.inputs)
    if not rung.fit.needs_images:
        return map_network(network, parameters, quantisations)
    plans = None
    if rung.fit.ratio is not None:
        profiles = subject.profiles(rung.parameters, rung.fit, progress)
        plans = plans_at(rung.fit.ratio, parameters, profiles)
    return fit_network(
        network,
        parameters,
        quantisations,
        subject.images,
        rung.fit,
        lambda what, name: progress(f"{what} {name}"),
        plans=plans,
    )


def _divergence(comparison: Comparison) -> float:
    """Return the mean divergence: six decimals would be too few for the smallest."""
    return float(f"{np.mean(comparison.divergence):.4g}")


def weights_alone(mapped: MappedNetwork, batches: Batches) -> Comparison:
    """Compare a network with the weights of its crossbars, but inputs that are not quantised."""
    network = mapped.network
    compute = [RealLayer(layer) for layer in network.layers]
    weights = [mapped_weights(layer.layer, layer.mapping) for layer in mapped.layers]
    run = forward(network, lambda index, values: compute[index](values, *weights[index]))
    floats, comparison = FloatNetwork(network), Comparison()
    for images, labels in batches:
        comparison.add(run(images), floats.run(images)[0], labels)
    return comparison


def measure(
    subject: Subject, rung: Rung, progress: Callable[[str], None] = lambda what: None
) -> dict[str, Any]:
    """Return what a rung costs and loses on a network, as plain JSON values.

    Parameters
    ----------
    subject : Subject
    rung : Rung
    progress : callable
        Told what is done.
    """
    start = time.perf_counter()
    mapped = assemble(subject.network, _mapped(subject, rung, progress))
    mapping_seconds = time.perf_counter() - start
    layers = [layer.mapping for layer in mapped.layers]
    found = costs(layers, keeps_empty_planes=rung.keeps_empty_planes)
    progress("images on crossbars")
    comparison = evaluate(mapped, subject.evaluated).comparison
    alone = None
    if rung.fit.rounding == "compensated":
        alone = _divergence(weights_alone(mapped, subject.evaluated))
    return {
        **asdict(found),
        "ratio": found.conventional / max(found.crossbars, 1),
        **comparison.as_dict(),
        "kl": _divergence(comparison),
        "kl_weights": alone,
        "mapping_seconds": round(mapping_seconds, 1),
        "seconds": round(time.perf_counter() - start, 1),
    }
