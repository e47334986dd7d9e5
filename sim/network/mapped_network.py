"""A network whose layers are mapped, calibrated, and run as on crossbars."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from sim.mapping import LayerCalibration, LayerMapping, Parameters, Quantisation, map_layer
from sme_hw.errors import InputError

from .crossbar_layer import CrossbarLayer, Work
from .forward import forward
from .network import Network

__all__ = ["MappedNetwork", "assemble", "calibrated", "map_network"]


def map_network(
    network: Network,
    parameters: Sequence[Parameters],
    quantisations: Sequence[Quantisation] | None = None,
    progress: Callable[[str, int], None] = lambda name, count: None,
) -> list[LayerMapping]:
    """Map all layers of a network.

    Parameters
    ----------
    network : Network
    parameters : sequence of Parameters
        Of every layer.
    quantisations : sequence of Quantisation, optional
        Of every layer's input: mapped are the weights times the channels' factors, and the mapping
        can be run.
    progress : callable
        Told a layer's name and how many of its weights were mapped, now and then.
    """
    mappings = []
    for layer, source, chosen in zip(
        network.layers, network.sources(quantisations), parameters, strict=True
    ):

        def report(count: int, name: str = layer.name) -> None:
            progress(name, count)

        mappings.append(
            map_layer(source.name, source.weights, chosen, groups=source.groups, progress=report)
        )
    return mappings if quantisations is None else calibrated(network, mappings, quantisations)


def calibrated(
    network: Network, mappings: Sequence[LayerMapping], quantisations: Sequence[Quantisation]
) -> list[LayerMapping]:
    """Return the mappings of a network's layers with what they need to be run.

    Parameters
    ----------
    network : Network
    mappings : sequence of LayerMapping
        Mapped from :meth:`sim.network.network.Network.sources` of the same quantisations.
    quantisations : sequence of Quantisation
    """
    return [
        replace(mapping, calibration=LayerCalibration(quantisation, layer.bias))
        for layer, mapping, quantisation in zip(
            network.layers, mappings, quantisations, strict=True
        )
    ]


@dataclass(frozen=True, eq=False)
class MappedNetwork:
    """A network with every layer on crossbars.

    Parameters
    ----------
    network : Network
    layers : tuple of CrossbarLayer
    """

    network: Network
    layers: tuple[CrossbarLayer, ...]

    def runner(self, works: Sequence[Work] | None = None) -> Callable[[np.ndarray], np.ndarray]:
        """Return a function from images to the network's output on crossbars.

        Parameters
        ----------
        works : sequence of Work, optional
            One for each layer; what is done is added to it.
        """

        def compute(index: int, values: np.ndarray) -> np.ndarray:
            return self.layers[index](values, None if works is None else works[index])

        return forward(self.network, compute)


def assemble(network: Network, mappings: Sequence[LayerMapping]) -> MappedNetwork:
    """Put calibrated mappings in the place of a network's layers.

    Parameters
    ----------
    network : Network
    mappings : sequence of LayerMapping
        Of every layer, in their order.

    Raises
    ------
    InputError
        They are not those of this network's layers, or hold no calibration; the layer is named.
    """
    names = [layer.name for layer in network.layers]
    for own, given in zip_longest(names, (mapping.name for mapping in mappings)):
        if own != given:
            raise InputError(
                f"the mapping is of another network: it has {given or 'no layer'} where "
                f"{network.name} has {own or 'no layer'}"
            )
    pairs = zip(network.layers, mappings, strict=True)
    return MappedNetwork(network, tuple(CrossbarLayer(*pair) for pair in pairs))
