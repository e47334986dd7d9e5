"""A network whose layers are mapped, calibrated, and run as on crossbars."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import LayerMapping, Parameters, map_layer

from .calibration import calibrate, collect
from .crossbar_layer import CrossbarLayer, Work
from .forward import forward
from .network import Network

__all__ = ["MappedNetwork", "map_network", "prepare"]


def map_network(
    network: Network, parameters: Sequence[Parameters], progress: Callable[[str, int], None]
) -> list[LayerMapping]:
    """Map all layers of a network.

    Parameters
    ----------
    network : Network
    parameters : sequence of Parameters
        Of every layer.
    progress : callable
        Told a layer's name and how many of its weights were mapped, now and then.
    """
    mappings = []
    for layer, chosen in zip(network.layers, parameters, strict=True):

        def report(count: int, name: str = layer.name) -> None:
            progress(name, count)

        mappings.append(
            map_layer(layer.name, layer.weights, chosen, groups=layer.groups, progress=report)
        )
    return mappings


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


def prepare(
    network: Network,
    mappings: Sequence[LayerMapping],
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    *,
    method: str,
    zero_point: bool,
    progress: Callable[[int], None] = lambda count: None,
) -> MappedNetwork:
    """Calibrate a mapped network.

    Parameters
    ----------
    network : Network
    mappings : sequence of LayerMapping
        Of every layer.
    batches : iterable of (images, labels)
        Calibration images; gone through twice.
    method : str
        One of :data:`sim.network.calibration.RANGES`.
    zero_point : bool
        Whether the integer for 0 may be another one than 0.
    progress : callable
        Told how many images were seen, twice for each.
    """
    statistics = collect(network, batches, progress)
    quantisations = calibrate(
        network,
        statistics,
        [mapping.parameters.hardware for mapping in mappings],
        method=method,
        zero_point=zero_point,
    )
    triples = zip(network.layers, mappings, quantisations, strict=True)
    return MappedNetwork(network, tuple(CrossbarLayer(*triple) for triple in triples))
