"""Input vectors that real images cause in the layers of a network."""

import numpy as np

from .crossbar_layer import CrossbarLayer
from .forward import forward
from .mapped_network import MappedNetwork

__all__ = ["sample_vectors"]


def sample_vectors(
    mapped: MappedNetwork, images: np.ndarray, count: int, seed: int
) -> list[np.ndarray]:
    """Run a network and keep some of the integer vectors that each layer gets.

    Parameters
    ----------
    mapped : MappedNetwork
    images : numpy.ndarray, shape (images, ...)
    count : int
        Vectors to keep of each layer; all where there are fewer.
    seed : int
        For the choice of vectors.

    Returns
    -------
    list of numpy.ndarray of int64, shape (vectors, inputs)
        One for each layer.
    """
    rng = np.random.default_rng(seed)
    samples: dict[int, np.ndarray] = {}

    def compute(index: int, values: np.ndarray) -> np.ndarray:
        layer = mapped.layers[index]
        samples[index] = _choose(layer, values, count, rng)
        return layer(values)

    forward(mapped.network, compute)(images)
    return [samples[index] for index in range(len(mapped.layers))]


def _choose(
    layer: CrossbarLayer, values: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return some vectors of a layer's input, in their order."""
    integers = layer.quantisation.to_integers(values)
    if layer.layer.window is None:
        flat = integers.reshape(-1, integers.shape[-1])
        return flat[np.sort(rng.permutation(len(flat))[:count])].astype(np.int64)
    kept: list[np.ndarray] = []
    chosen, start = None, 0
    for _, part, shape in layer.blocks(integers, layer.quantisation.zero_point):
        if chosen is None:
            chosen = np.sort(rng.permutation(int(np.prod(shape)))[:count])
        inside = chosen[(chosen >= start) & (chosen < start + len(part))]
        kept.append(part[inside - start])
        start += len(part)
    return np.concatenate(kept).astype(np.int64)
