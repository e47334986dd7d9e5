"""Calibration: which real range of a layer's inputs becomes the hardware's integers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

from .forward import FloatNetwork
from .layer import Quantisation
from .network import Network

__all__ = ["RANGES", "Statistics", "calibrate", "choose_quantisation", "collect"]

_BINS = 2048

_LEAST = 1e-30
"""What is nearer to 0 counts as 0: its scale would be no usable float32."""


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
        low, high = float(values.min()), float(values.max())
        self.low = min(self.low, low if low < -_LEAST else 0.0)
        self.high = max(self.high, high if high > _LEAST else 0.0)

    def count(self, values: np.ndarray) -> None:
        """Count values within the range; 0 always has an integer, so it loses nothing."""
        counts, _ = np.histogram(values[values != 0], _BINS, (self.low, self.high or 1.0))
        self.counts = counts if self.counts is None else self.counts + counts


def _full(statistics: Statistics, steps: int) -> tuple[float, float]:
    """Take all that was seen."""
    return statistics.low, statistics.high


def _least_error(statistics: Statistics, steps: int) -> tuple[float, float]:
    """Cut both ends where the squared error of rounding and saturation together is least."""
    counts = statistics.counts
    assert counts is not None
    low, high = statistics.low, statistics.high
    edges = np.linspace(low, high, len(counts) + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    best, chosen = np.inf, (low, high)
    for part in np.linspace(0.2, 1.0, 81):
        a, b = low * part, high * part
        outside = np.maximum(centres - b, 0) + np.maximum(a - centres, 0)
        rounding = counts[outside == 0].sum() * ((b - a) / steps) ** 2 / 12
        error = float(counts @ outside**2) + rounding
        if error <= best:
            best, chosen = error, (a, b)
    return chosen


RANGES: dict[str, Callable[[Statistics, int], tuple[float, float]]] = {
    "mse": _least_error,
    "full": _full,
}
"""How the range follows from what was seen (reconstructed)."""


def choose_quantisation(
    low: float, high: float, hardware: HardwareParams, *, zero_point: bool
) -> Quantisation:
    """Return the quantisation that covers a real range with the hardware's inputs.

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
        The range reaches below 0, and neither signed inputs nor a zero point are there for it.
    """
    least, largest = hardware.input_range
    if zero_point:
        scale = float(high - low) / (largest - least) or 1.0
        zero = int(np.clip(np.floor(least - low / scale + 0.5), least, largest))
        # Rounding the zero point moves the range by up to half a step: make both ends fit.
        scale = max(high / max(largest - zero, 0.5), low / min(least - zero, -0.5), scale)
        return Quantisation(float(scale), zero, least, largest)
    if low < 0 and least == 0:
        raise InputError(
            f"inputs reach down to {low:.4g}: unsigned inputs need a zero point for that"
        )
    scale = max(high / max(largest, 1), low / (least or -1)) or 1.0
    return Quantisation(float(scale), 0, least, largest)


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

    Layers of a quantised model keep its own; where its integers are signed and the hardware's are
    not, or the other way round, both they and the zero point move by half the range.

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
            low, high = RANGES[method](seen, 2**unit.input_bits - 1)
            chosen.append(choose_quantisation(low, high, unit, zero_point=zero_point))
        except InputError as error:
            raise InputError(f"{layer.name}: {error}") from None
    return chosen


def _moved(given: Quantisation, hardware: HardwareParams) -> Quantisation:
    """Return a model's own quantisation in the hardware's range of integers."""
    least, largest = hardware.input_range
    if given.high - given.low > largest - least:
        bits = (given.high - given.low).bit_length()
        raise InputError(f"the model's inputs have {bits} bits, input_bits = {hardware.input_bits}")
    move = least - given.low
    return Quantisation(given.scale, given.zero_point + move, least, given.high + move)
