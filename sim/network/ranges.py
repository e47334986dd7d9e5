"""Which real range of a tensor the hardware's integers stand for, from what was seen of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from sim.mapping import Quantisation
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

__all__ = ["RANGES", "Statistics", "choose_quantisation"]

_BINS = 1 << 13

_SMALLEST = float(np.finfo(np.float32).tiny)
"""What real numbers are divided by has to be at least that, or precision is lost."""

_OWN_PART = 0.7
"""Exponent of what a channel needs in its scale; the rest of 1 is that of the tensor."""

_SMALLEST_PART = 2.0**-10
"""What a channel needs of the tensor's scale, at least."""


@dataclass(eq=False)
class Statistics:
    """How the values of a tensor are distributed.

    Parameters
    ----------
    axis : int
        That of channels.
    lows, highs : numpy.ndarray of float64, shape (channels,)
        Least and largest value of every channel, 0 included.
    counts : numpy.ndarray of int64, shape (bins,)
        Values other than 0 in equal parts of the range.
    """

    axis: int = -1
    lows: np.ndarray = field(default_factory=lambda: np.zeros(1))
    highs: np.ndarray = field(default_factory=lambda: np.zeros(1))
    counts: np.ndarray = field(default_factory=lambda: np.zeros(_BINS, np.int64))

    @property
    def low(self) -> float:
        """Least value of all channels, 0 included."""
        return float(self.lows.min())

    @property
    def high(self) -> float:
        """Largest value of all channels, 0 included."""
        return float(self.highs.max())

    def widen(self, values: np.ndarray) -> None:
        """Make room for values."""
        others = tuple(i for i in range(values.ndim) if i != self.axis % values.ndim)
        self.lows = np.minimum(self.lows, values.min(axis=others))
        self.highs = np.maximum(self.highs, values.max(axis=others))

    def count(self, values: np.ndarray) -> None:
        """Count values within the range; 0 always has an integer, so it loses nothing."""
        # In float64, which has room for bins in any range of float32.
        others = values[values != 0].astype(np.float64)
        self.counts = self.counts + np.histogram(others, _BINS, (self.low, self.high))[0]


Quantise = Callable[[float, float], Quantisation]
"""Gives the quantisation that covers a real range."""


def _full(statistics: Statistics, quantise: Quantise) -> Quantisation:
    """Cover all that was seen."""
    return quantise(statistics.low, statistics.high)


def _least_error(statistics: Statistics, quantise: Quantise) -> Quantisation:
    """Cut both ends alike where the squared error of all that was seen is least."""
    counts = statistics.counts
    edges = np.linspace(statistics.low, statistics.high, len(counts) + 1)
    centres = (edges[:-1] + edges[1:]) / 2

    def error(chosen: Quantisation) -> float:
        lost = chosen.to_reals(chosen.to_integers(centres)) - centres
        return float(counts @ lost**2)

    parts = np.linspace(1.0, 0.2, 81).tolist()
    return min(
        (quantise(statistics.low * part, statistics.high * part) for part in parts), key=error
    )


def _of_channels(statistics: Statistics, quantise: Quantise) -> Quantisation:
    """Cover all that was seen, with smaller scales in channels of smaller values.

    They are between what the channel and what the tensor needs: the values of a single channel
    show little of what other images hold, and the smaller its scale, the more the rounding of its
    weights counts. To cut ends off costs more than it gains here.
    """
    common = _full(statistics, quantise)
    above, below = common.high - common.zero_point, common.zero_point - common.low
    # Where there are no integers for a side, values there are within half a step of 0.
    needs = np.maximum(
        statistics.highs / above if above else 0.0, -statistics.lows / below if below else 0.0
    )
    if needs.max() < _SMALLEST:
        return common
    # A channel that was always 0 may hold anything.
    parts = np.where(needs > 0, needs / needs.max(), 1.0)
    factors = np.maximum(parts, _SMALLEST_PART) ** _OWN_PART
    return replace(common, factors=np.maximum(factors, _SMALLEST / common.scale))


RANGES: dict[str, Callable[[Statistics, Quantise], Quantisation]] = {
    "mse": _least_error,
    "full": _full,
    "channels": _of_channels,
}
"""Which quantisation follows from what was seen (reconstructed)."""


def choose_quantisation(
    low: float, high: float, hardware: HardwareParams, *, zero_point: bool
) -> Quantisation:
    """Return the quantisation that covers a real range with the hardware's inputs.

    Its ends are within half a step of an integer, as all between them, and 0 has one of its own.

    Parameters
    ----------
    low, high : float
        The range; 0 lies in it.
    hardware : HardwareParams
        Tells the range of integers.
    zero_point : bool
        0 may be any integer; otherwise it is 0.

    Raises
    ------
    InputError
        The range reaches to a side of 0 where neither integers nor a zero point are there for it.
    """
    least, largest = hardware.input_range
    if high - low < _SMALLEST * (largest - least):
        return Quantisation(1.0, 0, least, largest)
    if zero_point:
        scale = (high - low) / (largest - least)
        zero = int(np.clip(np.floor(least - low / scale + 0.5), least, largest))
        return Quantisation(scale, zero, least, largest)
    if low < 0 and least == 0:
        raise InputError(
            f"inputs reach down to {low:.4g}: unsigned inputs need a zero point for that"
        )
    if high > 0 and largest == 0:
        raise InputError(
            f"inputs reach up to {high:.4g}: signed inputs of 1 bit need a zero point for that"
        )
    return Quantisation(max(high / (largest or 1), low / (least or -1)), 0, least, largest)
