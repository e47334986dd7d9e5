"""How a layer's real inputs and outputs relate to the integers of its crossbars."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["LayerCalibration", "Quantisation"]


@dataclass(frozen=True, eq=False)
class Quantisation:
    """How real inputs relate to the hardware's integers.

    For channel c, real = scale * factors[c] * (integer - zero_point). The factors are moved into
    the weights (:meth:`fold`), so that one code step means the same in all rows. They cost no
    hardware: whatever requantises the activations multiplies every channel anyway.

    Parameters
    ----------
    scale : float
        Positive.
    zero_point : int
        The integer that stands for 0, in every channel: what pads an image knows no channels.
    low, high : int
        Range of the integers; what is beyond saturates.
    factors : numpy.ndarray of float64, shape (channels,) or (1,)
        Positive; a single one, by default 1, holds for all channels.
    """

    scale: float
    zero_point: int
    low: int
    high: int
    factors: np.ndarray = field(default_factory=lambda: np.ones(1))

    def as_dict(self) -> dict[str, float]:
        """Return what machines read of it: all but the factors, of which it has the least."""
        return {
            "scale": self.scale,
            "zero_point": self.zero_point,
            "low": self.low,
            "high": self.high,
            "least_factor": float(self.factors.min()),
        }

    def to_integers(self, values: np.ndarray, axis: int = -1) -> np.ndarray:
        """Return the nearest integers, halves upwards, as float32 (they are exact there).

        Parameters
        ----------
        values : numpy.ndarray
        axis : int
            That of channels.
        """
        scales = self._along(axis, values.ndim).astype(np.float32)
        integers = np.divide(values, scales, dtype=np.float32)
        integers += np.float32(self.zero_point + 0.5)
        np.floor(integers, out=integers)
        return np.clip(integers, self.low, self.high, out=integers)

    def to_reals(self, integers: np.ndarray, axis: int = -1) -> np.ndarray:
        """Return the real values of integers, as float64; ``axis`` is that of channels."""
        scales = self._along(axis, integers.ndim)
        return (np.asarray(integers, np.float64) - self.zero_point) * scales

    def _along(self, axis: int, axes: int) -> np.ndarray:
        """Return the scale of every channel in a shape that broadcasts with so many axes."""
        shape = [1] * axes
        shape[axis] = -1
        return (self.scale * self.factors).reshape(shape)

    def row_factors(self, inputs: int) -> np.ndarray:
        """Return the factor of every element of a layer's input vector.

        Parameters
        ----------
        inputs : int
            Elements, in the order (channel, kernel row, kernel column).
        """
        return np.repeat(self.factors, inputs // len(self.factors))

    def fold(self, weights: np.ndarray, groups: int = 1) -> np.ndarray:
        """Return weights times the factors of the channels that they take.

        Parameters
        ----------
        weights : numpy.ndarray of floats, shape (out, in) or (out, in / groups, kh, kw)
        groups : int

        Returns
        -------
        numpy.ndarray
            The same shape, float32 or float64; the same array if all factors are 1.
        """
        if (self.factors == 1).all():
            return weights
        factors = np.broadcast_to(self.factors, groups * weights.shape[1])
        parts = weights.reshape(groups, -1, weights.shape[1], *weights.shape[2:])
        shape = (groups, 1, weights.shape[1], *[1] * (weights.ndim - 2))
        kind = np.result_type(weights.dtype, np.float32)
        return (parts * factors.reshape(shape)).astype(kind).reshape(weights.shape)


@dataclass(frozen=True, eq=False)
class LayerCalibration:
    """What turns a mapped layer's integers into real numbers.

    Parameters
    ----------
    quantisation : Quantisation
        That of the inputs.
    bias : numpy.ndarray of float64, shape (outputs,)
        Added to the real outputs.
    """

    quantisation: Quantisation
    bias: np.ndarray
