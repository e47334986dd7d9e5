"""Moments of a layer's inputs, and of these with the outputs that are wanted."""

from dataclasses import dataclass

import numpy as np

from sim.network.layer import NetworkLayer
from sme_hw.errors import InputError

__all__ = ["Moments", "sample"]

FEWEST_VECTORS = 8
"""With fewer input vectors, moments say nothing."""


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

    @classmethod
    def of(cls, name: str, samples: list[tuple[np.ndarray, np.ndarray]]) -> "Moments":
        """Return the moments of what :func:`sample` returned for several batches.

        Parameters
        ----------
        name : str
            The layer's name, for messages.
        samples : list of (vectors, outputs)

        Raises
        ------
        InputError
            There are too few vectors, or some are no numbers.
        """
        count = sum(len(vectors) for vectors, _ in samples)
        if count < FEWEST_VECTORS:
            raise InputError(
                f"{name}: {count} input vectors were seen in calibration, at least "
                f"{FEWEST_VECTORS} are needed: give more calibration images"
            )
        if not all(np.isfinite(part).all() for pair in samples for part in pair):
            raise InputError(f"{name}: its inputs or outputs hold values that are no numbers")
        means = [
            sum(pair[side].sum(axis=0, dtype=np.float64) for pair in samples) / count
            for side in (0, 1)
        ]
        (groups, rows), columns = means[0].shape, means[1].shape[1]
        second, cross = np.zeros((groups, rows, rows)), np.zeros((groups, rows, columns))
        for pair in samples:
            # About the means from the start: differences of large numbers would lose digits.
            vectors, outputs = (
                (part - mean.astype(np.float32)).swapaxes(0, 1)
                for part, mean in zip(pair, means, strict=True)
            )
            second += vectors.swapaxes(1, 2) @ vectors
            cross += vectors.swapaxes(1, 2) @ outputs
        return cls(count, means[0], means[1], second / count, cross / count)

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
