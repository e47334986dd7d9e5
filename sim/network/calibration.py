"""Calibration: which real range of a layer's inputs becomes the hardware's integers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

from .forward import FloatNetwork
from .layer import Quantisation
from .network import Network

__all__ = ["RANGES", "Statistics", "calibrate", "choose_quantisation", "collect"]

_BINS = 1 << 13

_SMALLEST = float(np.finfo(np.float32).tiny)
"""What real numbers are divided by has to be at least that, or precision is lost."""


@dataclass(eq=False)
class Statistics:
    """How the values of a tensor are distributed.

    Parameters
    ----------
    low, high : float
        Least and largest value, 0 included.
    counts : numpy.ndarray of int64, shape (bins,)
        Values other than 0 in equal parts of the range.
    """

    low: float = 0.0
    high: float = 0.0
    counts: np.ndarray | None = None

    def widen(self, values: np.ndarray) -> None:
        """Make room for values."""
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))

    def count(self, values: np.ndarray) -> None:
        """Count values within the range; 0 always has an integer, so it loses nothing."""
        # In float64, which has room for bins in any range of float32.
        others = values[values != 0].astype(np.float64)
        counts, _ = np.histogram(others, _BINS, (self.low, self.high))
        self.counts = counts if self.counts is None else self.counts + counts


Quantise = Callable[[float, float], Quantisation]
"""Gives the quantisation that covers a real range."""


def _full(statistics: Statistics, quantise: Quantise) -> Quantisation:
    """Cover all that was seen."""
    return quantise(statistics.low, statistics.high)


def _least_error(statistics: Statistics, quantise: Quantise) -> Quantisation:
    """Cut both ends alike where the squared error of all that was seen is least."""
    counts = statistics.counts
    assert counts is not None
    edges = np.linspace(statistics.low, statistics.high, len(counts) + 1)
    centres = (edges[:-1] + edges[1:]) / 2

    def error(chosen: Quantisation) -> float:
        lost = chosen.to_reals(chosen.to_integers(centres)) - centres
        return float(counts @ lost**2)

    parts = np.linspace(1.0, 0.2, 81).tolist()
    return min(
        (quantise(statistics.low * part, statistics.high * part) for part in parts), key=error
    )


RANGES: dict[str, Callable[[Statistics, Quantise], Quantisation]] = {
    "mse": _least_error,
    "full": _full,
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


def collect(
    network: Network,
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    progress: Callable[[int], None],
) -> list[Statistics]:
    """Return the statistics of every layer's input, from the float network.

    Parameters
    ----------
    network : Network
    batches : iterable of (images, labels)
        Calibration images; gone through twice.
    progress : callable
        Told how many images were seen, twice for each.
    """
    tensors = sorted({layer.input for layer in network.layers})
    floats = FloatNetwork(network, tensors)
    found = {name: Statistics() for name in tensors}
    for measure in (Statistics.widen, Statistics.count):
        for images, _ in batches:
            for name, values in zip(tensors, floats.run(images), strict=True):
                if not values.size or not np.isfinite(values).all():
                    layer = next(n.name for n in network.layers if n.input == name)
                    what = "hold values that are no numbers" if values.size else "are empty"
                    raise InputError(f"{layer}: its inputs {what}")
                measure(found[name], values)
            progress(len(images))
    return [found[layer.input] for layer in network.layers]


def calibrate(
    network: Network,
    statistics: Sequence[Statistics],
    hardware: Sequence[HardwareParams],
    *,
    method: str,
    zero_point: bool,
) -> list[Quantisation]:
    """Return the quantisation of every layer's input.

    Layers of a quantised model keep its own; where the hardware has not all of its integers
    (signed ones in an unsigned range, or the other way round), they and the zero point move.

    Parameters
    ----------
    network : Network
    statistics : sequence of Statistics
        From :func:`collect`.
    hardware : sequence of HardwareParams
        Of every layer.
    method : str
        One of :data:`RANGES`.
    zero_point : bool
        See :func:`choose_quantisation`.

    Raises
    ------
    InputError
        A layer's inputs do not fit the hardware.
    """
    chosen = []
    for layer, seen, unit in zip(network.layers, statistics, hardware, strict=True):
        try:
            if layer.quantisation is not None:
                chosen.append(_moved(layer.quantisation, unit))
                continue
            quantise = partial(choose_quantisation, hardware=unit, zero_point=zero_point)
            chosen.append(RANGES[method](seen, quantise))
        except InputError as error:
            raise InputError(f"{layer.name}: {error}") from None
    return chosen


def _moved(given: Quantisation, hardware: HardwareParams) -> Quantisation:
    """Return a model's own quantisation in the hardware's range of integers."""
    least, largest = hardware.input_range
    if given.high - given.low > largest - least:
        bits = (given.high - given.low).bit_length()
        raise InputError(f"the model's inputs have {bits} bits, input_bits = {hardware.input_bits}")
    move = 0 if least <= given.low and given.high <= largest else least - given.low
    low, high = given.low + move, given.high + move
    return Quantisation(given.scale, given.zero_point + move, low, high)
