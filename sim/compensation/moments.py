"""Moments of a layer's inputs, and of these with the outputs that are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.network.layer import NetworkLayer
from sme_hw.errors import InputError

__all__ = ["FEWEST_VECTORS", "MomentSums", "Moments", "places_of_image", "sample"]

FEWEST_VECTORS = 8
"""With fewer input vectors, moments say nothing."""

_VECTORS = 30_000
"""Vectors of a layer that moments are taken of, about: more do not change them."""

_LARGEST = 1e15
"""Beyond it, sums of squares would overflow."""

_LEAST_POWER = 1e-12
"""Of inputs about their means, as a share of the means' squares."""


def places_of_image(images: int) -> int:
    """Return how many vectors of each image are enough, given the number of images."""
    return max(1, _VECTORS // images)


def sample(
    layer: NetworkLayer, values: np.ndarray, outputs: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return some vectors of a layer's input, and the outputs at the same places.

    Parameters
    ----------
    layer : NetworkLayer
    values, outputs : numpy.ndarray of float32
        The layer's real input and output for some images.
    count : int
        Vectors of each image, at most.
    seed : int
        For the choice of places; equal for all images.

    Returns
    -------
    vectors : numpy.ndarray, shape (vectors, groups, rows)
    outputs : numpy.ndarray, shape (vectors, groups, columns)
    """
    rng = np.random.default_rng(seed)
    if layer.window is None:
        vectors, found = (
            np.moveaxis(part, layer.axis, -1).reshape(len(part), -1, part.shape[layer.axis])
            for part in (values, outputs)
        )
        chosen = rng.permutation(vectors.shape[1])[:count]
        vectors, found = vectors[:, chosen], found[:, chosen]
    else:
        if values.ndim == 3:
            values, outputs = values[:, :, np.newaxis], outputs[:, :, np.newaxis]
        view = layer.window.windows(values, 0.0)
        chosen = rng.permutation(view.shape[1] * view.shape[2])[:count]
        place = np.divmod(chosen, view.shape[2])
        vectors = view[:, *place]
        found = np.moveaxis(outputs, 1, -1)[:, *place]
    places = found.shape[0] * found.shape[1]
    return vectors.reshape(places, layer.groups, -1), found.reshape(places, layer.groups, -1)


@dataclass(frozen=True, eq=False)
class Moments:
    """Means and second moments of input vectors and wanted outputs.

    Parameters
    ----------
    count : int
        Vectors.
    inputs : numpy.ndarray of float64, shape (groups, rows)
        Means.
    outputs : numpy.ndarray of float64, shape (groups, columns)
        Means.
    second : numpy.ndarray of float64, shape (groups, rows, rows)
        Of the inputs, about their means.
    cross : numpy.ndarray of float64, shape (groups, rows, columns)
        Of inputs and outputs, about their means.
    """

    count: int
    inputs: np.ndarray
    outputs: np.ndarray
    second: np.ndarray
    cross: np.ndarray

    def damped(self, share: float) -> np.ndarray:
        """Return the second moments with part of their mean power added to the diagonal.

        So they are positive definite, and what few vectors show by chance counts less: the part
        grows where vectors are fewer than rows. Without any power they are the identity.

        Parameters
        ----------
        share : float
            Positive.
        """
        rows = self.second.shape[1]
        power = np.einsum("grr->g", self.second) / rows
        # Less is what float32 makes of inputs that never change.
        power = np.maximum(power, _LEAST_POWER * np.mean(self.inputs**2, axis=1))
        added = share * max(1.0, rows / self.count) * power
        added = np.where(power > 0, added, 1.0)
        return self.second + added[:, np.newaxis, np.newaxis] * np.eye(rows)

    def target(self, weights: np.ndarray, share: float) -> np.ndarray:
        """Return the weights that give the wanted outputs best: ridge regression about weights.

        Parameters
        ----------
        weights : numpy.ndarray of float64, shape (groups, rows, columns)
            What is returned where inputs say nothing.
        share : float
            As for :meth:`damped`.
        """
        damped = self.damped(share)
        # damped - second is what pulls towards the given weights.
        return np.linalg.solve(damped, self.cross + (damped - self.second) @ weights)


class MomentSums:
    """Adds up what moments are made of, some vectors at a time.

    Parameters
    ----------
    name : str
        The layer's name, for messages.
    """

    def __init__(self, name: str):
        self._name = name
        self._counts = [0, 0]
        self._origins: list[np.ndarray] = []
        self._sums: list[list[np.ndarray]] = [[], []]

    def add(self, vectors: np.ndarray, outputs: np.ndarray, half: int = 0) -> None:
        """Take in what :func:`sample` returned.

        Parameters
        ----------
        vectors, outputs : numpy.ndarray
        half : int
            Which half they belong to, 0 or 1.

        Raises
        ------
        InputError
            Some values are no numbers, or too large.
        """
        for part in (vectors, outputs):
            if not (np.abs(part) < _LARGEST).all():
                raise InputError(
                    f"{self._name}: its inputs or outputs hold values that are no numbers, or "
                    f"beyond {_LARGEST:g}"
                )
        if not self._origins:
            # Sums about a point near the means: differences of large numbers would lose digits.
            # The nearer the better where inputs hardly change; means in float32 are far off.
            self._origins = [
                part.mean(axis=0, dtype=np.float64).astype(np.float32)
                for part in (vectors, outputs)
            ]
        x, y = (
            np.ascontiguousarray((part - origin).swapaxes(0, 1))
            for part, origin in zip((vectors, outputs), self._origins, strict=True)
        )
        found = [
            x.sum(axis=1, dtype=np.float64),
            y.sum(axis=1, dtype=np.float64),
            (x.swapaxes(1, 2) @ x).astype(np.float64),
            (x.swapaxes(1, 2) @ y).astype(np.float64),
        ]
        if self._counts[half]:
            for total, part in zip(self._sums[half], found, strict=True):
                total += part
        else:
            self._sums[half] = found
        self._counts[half] += len(vectors)

    def moments(self) -> Moments:
        """Return the moments of all that was added.

        Raises
        ------
        InputError
            There are too few vectors.
        """
        count = sum(self._counts)
        if count < FEWEST_VECTORS:
            raise InputError(
                f"{self._name}: {count} input vectors were seen in calibration, at least "
                f"{FEWEST_VECTORS} are needed: give more calibration images"
            )
        there = [sums for sums in self._sums if sums]
        return self._about_means(
            count, [np.sum(parts, axis=0) for parts in zip(*there, strict=True)]
        )

    def halves(self) -> list[Moments]:
        """Return the moments of both halves; none may be empty."""
        return [
            self._about_means(count, sums)
            for count, sums in zip(self._counts, self._sums, strict=True)
        ]

    def _about_means(self, count: int, sums: Sequence[np.ndarray]) -> Moments:
        x, y, second, cross = (total / count for total in sums)
        return Moments(
            count,
            self._origins[0] + x,
            self._origins[1] + y,
            second - x[:, :, np.newaxis] * x[:, np.newaxis],
            cross - x[:, :, np.newaxis] * y[:, np.newaxis],
        )
