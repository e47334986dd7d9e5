"""What the subcommands that run a network do before: calibrate and map it, or load that."""

from collections.abc import Sequence
from typing import Any

from sim.compensation.fit import fit_network
from sim.compensation.params import FitParams
from sim.mapping import LayerMapping, Parameters, Quantisation, load_mapping, load_seen
from sim.network.batches import Batches
from sim.network.calibration import CalibrationParams, calibrate_network
from sim.network.mapped_network import MappedNetwork, assemble, map_network
from sim.network.network import Network
from sme_hw.errors import InputError

from .console import bar
from .fit_options import take_fit_params
from .network_options import open_images, open_unseen_images, take_calibration_params
from .options import take_layer_parameters

__all__ = ["calibrate_layers", "map_layers", "open_network"]


def calibrate_layers(
    network: Network,
    batches: Batches,
    parameters: Sequence[Parameters],
    params: CalibrationParams,
) -> list[Quantisation]:
    """Return the quantisation of every layer's input."""
    if not len(batches):
        raise InputError("--calibration-images 0: images to calibrate on are needed")
    hardware = [chosen.hardware for chosen in parameters]
    with bar(2 * len(batches)) as (progress, task):
        progress.update(task, description="calibrating")
        return calibrate_network(
            network, batches, hardware, params, lambda count: progress.advance(task, count)
        )


def map_layers(
    network: Network,
    parameters: Sequence[Parameters],
    quantisations: Sequence[Quantisation],
    batches: Batches,
    params: FitParams,
) -> list[LayerMapping]:
    """Map all layers of a network, as nearest codes or fitted to calibration images."""
    if not params.needs_images:
        with bar(sum(layer.weights.size for layer in network.layers)) as (progress, task):

            def mapped(name: str, count: int) -> None:
                progress.update(task, description=f"mapping {name}", advance=count)

            return map_network(network, parameters, quantisations, mapped)
    images = [values for values, _ in batches]
    rounds = 1 if params.ratio is None else 3  # layers are rounded, weighed, and rounded again
    with bar(rounds * len(network.layers)) as (progress, task):

        def fitted(what: str, name: str) -> None:
            progress.update(task, description=f"{what} {name}", advance=1)

        return fit_network(network, parameters, quantisations, images, params, fitted)


def open_network(
    network: Network,
    base: Parameters,
    *,
    layers_file: str | None,
    mapping: str | None,
    images: int | None,
    **options: Any,
) -> tuple[MappedNetwork, Batches]:
    """Return a network on crossbars and the images to run it on.

    It is calibrated and mapped, or all of that is read from ``mapping`` if that is given.
    """
    params, fit = take_calibration_params(options), take_fit_params(options)
    if mapping is not None:
        try:
            mapped = assemble(network, load_mapping(mapping))
        except InputError as error:
            raise InputError(f"--mapping {mapping}: {error}") from None
        del options["calibration"], options["calibration_images"]
        seen = load_seen(mapping)
        return mapped, open_unseen_images(network, seen, images=images, **options)
    found = take_layer_parameters(base, layers_file, [layer.name for layer in network.layers])
    parameters = list(found.values())
    spared, evaluated = open_images(network, images=images, **options)
    quantisations = calibrate_layers(network, spared, parameters, params)
    return assemble(network, map_layers(network, parameters, quantisations, spared, fit)), evaluated
