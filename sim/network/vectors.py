"""Input vectors that real images cause in the layers of a network."""

from collections.abc import Callable, Sequence

import numpy as np

from .crossbar_layer import CrossbarLayer
from .forward import forward
from .mapped_network import MappedNetwork

__all__ = ["sample_vectors"]


def sample_vectors(
    mapped: MappedNetwork,
    batches: Sequence[np.ndarray],
    count: int,
    seed: int,
    progress: Callable[[int], None] = lambda images: None,
) -> list[np.ndarray]:
    """Run a network and keep some of the integer vectors that each layer gets.

    Parameters
    ----------
    mapped : MappedNetwork
    batches : sequence of numpy.ndarray, shape (images, ...)
        The vectors are taken from all of them alike.
    count : int
        Vectors to keep of each layer; all where there are fewer.
    seed : int
        For the choice of vectors.
    progress : callable
        Told how many images were run.

    Returns
    -------
    list of numpy.ndarray of int64, shape (vectors, inputs)
        One for each layer.
    """
    rng = np.random.default_rng(seed)
    samples: list[list[np.ndarray]] = [[] for _ in mapped.layers]
    ends = np.cumsum([len(images) for images in batches])
    shares = np.diff(count * ends // ends[-1], prepend=0)
    share = 0

    def compute(index: int, values: np.ndarray) -> np.ndarray:
        layer = mapped.layers[index]
        samples[index].append(_choose(layer, values, share, rng))
        return layer(values)

    run = forward(mapped.network, compute)
    for images, part in zip(batches, shares.tolist(), strict=True):
        share = part
        run(images)
        progress(len(images))
    return [np.concatenate(parts) for parts in samples]


def _choose(
    layer: CrossbarLayer, values: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return some vectors of a layer's input, in their order."""
    integers = layer.to_integers(values)
    if layer.layer.window is None:
        last = np.moveaxis(integers, layer.layer.axis, -1)
        flat = last.reshape(-1, last.shape[-1])
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
