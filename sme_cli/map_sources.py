"""What `sme map` maps: the layers of a file, calibrated if it is a network and images are given."""

from dataclasses import dataclass, replace
from typing import Any

import click

from sim.mapping import LayerMapping, LayerWeights, Parameters, SeenImages, map_layer, read_layers
from sim.network.network import Network, read_network
from sme_hw.errors import InputError

from .console import bar
from .fit_options import take_fit_params
from .network_options import open_calibration_images, refuse_without_data, take_calibration_params
from .network_run import calibrate_layers, map_layers

__all__ = ["Sources", "read_sources"]


def _parse_groups(entries: tuple[str, ...]) -> dict[str, int]:
    groups = {}
    for entry in entries:
        name, _, count = entry.rpartition("=")
        if not name or not count.isdecimal() or int(count) < 1:
            raise InputError(f"groups {entry}: NAME=N is needed, N at least 1")
        groups[name] = int(count)
    return groups


@dataclass(frozen=True, eq=False)
class Sources:
    """Layers to be mapped.

    Parameters
    ----------
    layers : list of LayerWeights
    ignored : list of str
        What else the file holds.
    network : Network or None
    fitted : list of LayerMapping or None
        A calibrated network's layers, mapped already.
    seen : tuple of SeenImages
        What images they were calibrated on.
    """

    layers: list[LayerWeights]
    ignored: list[str]
    network: Network | None = None
    fitted: list[LayerMapping] | None = None
    seen: tuple[SeenImages, ...] = ()

    def calibrate(
        self, context: click.Context, parameters: dict[str, Parameters], options: dict[str, Any]
    ) -> "Sources":
        """Return the same layers calibrated and mapped, if a command's options ask for it.

        Raises
        ------
        InputError
            They are no network's, or there are options about images but no images.
        """
        if options["data"] is None:
            refuse_without_data(context)
            return self
        if self.network is None:
            raise InputError(f"--data {options['data']}: only networks, .onnx, are calibrated")
        params, fit = take_calibration_params(options), take_fit_params(options)
        batches = open_calibration_images(self.network, **options)
        chosen = [parameters[layer.name] for layer in self.layers]
        quantisations = calibrate_layers(self.network, batches, chosen, params)
        layers = self.network.sources(quantisations)
        fitted = map_layers(self.network, chosen, quantisations, batches, fit)
        return replace(self, layers=layers, fitted=fitted, seen=(batches.seen,))

    def map(self, parameters: dict[str, Parameters]) -> list[LayerMapping]:
        """Return the layers' mappings, each with its parameters."""
        if self.fitted is not None:
            return self.fitted
        layers = []
        with bar(sum(source.weights.size for source in self.layers)) as (progress, task):
            for source in self.layers:
                progress.update(task, description=source.name)
                layers.append(
                    map_layer(
                        source.name,
                        source.weights,
                        parameters[source.name],
                        groups=source.groups,
                        progress=lambda count: progress.advance(task, count),
                    )
                )
        return layers


def read_sources(file: str, groups: tuple[str, ...]) -> Sources:
    """Return the layers of a file; ``groups`` are the option's entries."""
    parsed = _parse_groups(groups)
    if not file.endswith(".onnx"):
        return Sources(*read_layers(file, parsed))
    if parsed:
        raise InputError(f"groups {next(iter(parsed))}: an .onnx file says its groups")
    network = read_network(file)
    return Sources(network.sources(), [], network)
