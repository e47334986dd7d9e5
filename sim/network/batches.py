"""Which images a network is calibrated and evaluated on, a few at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import SeenImages
from sme_hw.errors import InputError

from .images import Images
from .network import Network
from .shapes import check_shapes

__all__ = ["Batches", "choose", "images_at_once", "split", "unseen"]

_ELEMENTS = 1 << 25
"""Elements of all tensors of the images that are run together, about: 128 MB."""

_MOST = 64


@dataclass(frozen=True, eq=False)
class Batches:
    """Some of the images of a data set, a few at a time, as often as one likes.

    Parameters
    ----------
    images : Images
    indices : numpy.ndarray of integers
    size : int
        How many at a time; the last ones may be fewer.
    """

    images: Images
    indices: np.ndarray
    size: int

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.indices)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Yield inputs of the network and their labels, None if there are none."""
        labels = self.images.labels
        for start in range(0, len(self.indices), self.size):
            part = self.indices[start : start + self.size]
            yield self.images.batch(part), None if labels is None else labels[part]

    def first(self, count: int) -> "Batches":
        """Return the first ``count`` of them."""
        return Batches(self.images, self.indices[:count], self.size)

    def after(self, count: int) -> "Batches":
        """Return all but the first ``count`` of them."""
        return Batches(self.images, self.indices[count:], self.size)

    @property
    def seen(self) -> SeenImages:
        """What a mapping that was calibrated on them keeps of them."""
        return SeenImages(self.images.count, tuple(sorted(self.indices.tolist())))


def images_at_once(network: Network, shape: Sequence[int]) -> int:
    """Return how many images to run together: what the model takes, or what fits the memory.

    Parameters
    ----------
    network : Network
    shape : sequence of int
        Shape of an image.

    Raises
    ------
    InputError
        The model takes several at a time, no more and no fewer, or tensors would not fit.
    """
    elements = check_shapes(network.name, network.model, shape)
    fixed = network.input_shape[0]
    if fixed is None:
        return max(1, min(_MOST, _ELEMENTS // max(1, elements)))
    if fixed != 1:
        raise InputError(
            f"{network.name} takes exactly {fixed} images at a time: export it with a free first "
            "axis, or with 1"
        )
    return 1


def choose(images: Images, count: int, *, size: int, seed: int) -> Batches:
    """Choose images at random, for calibration.

    Parameters
    ----------
    images : Images
    count : int
        How many, at most.
    size, seed : int
    """
    order = np.random.default_rng(seed).permutation(images.count)
    return Batches(images, np.sort(order[:count]), size)


def split(
    images: Images,
    calibration: Images | None,
    *,
    calibrate: int,
    evaluate: int | None,
    size: int,
    seed: int,
) -> tuple[Batches, Batches]:
    """Choose images for calibration and for evaluation at random.

    Parameters
    ----------
    images : Images
    calibration : Images or None
        Other images to calibrate on. None: some of ``images``, which are not evaluated then.
    calibrate : int
        How many to calibrate on, at most: those that :func:`choose` chooses.
    evaluate : int or None
        How many to evaluate on, at most; None for all.
    size, seed : int

    Raises
    ------
    InputError
        No image is left for evaluation.
    """
    chosen = choose(calibration or images, calibrate, size=size, seed=seed)
    if calibration is None and images.count <= calibrate:
        raise InputError(
            f"{images.name}: {calibrate} of {images.count} images are for calibration, none is "
            "left to evaluate"
        )
    seen = [chosen.seen] if calibration is None else []
    return chosen, unseen(images, seen, evaluate, size=size, seed=seed)


def unseen(
    images: Images, seen: Sequence[SeenImages], count: int | None, *, size: int, seed: int
) -> Batches:
    """Choose images for evaluation at random, among those that a mapping has not seen.

    Parameters
    ----------
    images : Images
    seen : sequence of SeenImages
        Those of other data sets do not matter.
    count : int or None
        How many, at most; None for all.
    size, seed : int

    Raises
    ------
    InputError
        All were seen.
    """
    order = np.random.default_rng(seed).permutation(images.count)
    known = [i for entry in seen if entry.of == images.count for i in entry.indices]
    # Chosen at random, and in random order: the first ones are a fair sample, too.
    order = order[~np.isin(order, known)]
    if not len(order):
        raise InputError(f"{images.name}: the mapping was calibrated on all {images.count} images")
    return Batches(images, order[:count], size)
