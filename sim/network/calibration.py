"""Calibration: which real range of a layer's inputs becomes the hardware's integers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from sim.mapping import Quantisation
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams, check_choice

from .forward import FloatNetwork
from .network import Network

__all__ = [
    "INPUT_SCALES",
    "RANGES",
    "CalibrationParams",
    "Statistics",
    "calibrate",
    "calibrate_network",
    "choose_quantisation",
    "collect",
]

_BINS = 1 << 13

_SMALLEST = float(np.finfo(np.float32).tiny)
"""What real numbers are divided by has to be at least that, or precision is lost."""

_OWN_PART = 0.8
"""Exponent of what a channel needs in its scale; the rest of 1 is that of the tensor."""

_SMALLEST_PART = 2.0**-10
"""What a channel needs of the tensor's scale, at least."""


@dataclass(frozen=True, kw_only=True)
class CalibrationParams:
    """How inputs are quantised.

    Parameters
    ----------
    method : str
        What range of a tensor the integers cover: one of :data:`RANGES`.
    zero_point : bool
        Whether the integer for 0 may be another one than 0.
    input_scale : str
        Whether a tensor's channels have scales of their own: one of :data:`INPUT_SCALES`.
    """

    method: str = "mse"
    zero_point: bool = True
    input_scale: str = "tensor"

    def __post_init__(self) -> None:
        check_choice("method", self.method, list(RANGES))
        check_choice("input_scale", self.input_scale, list(INPUT_SCALES))


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


def _one_scale(statistics: Statistics, chosen: Quantisation) -> np.ndarray:
    """Let all channels share the tensor's scale."""
    return np.ones(1)


def _channel_scales(statistics: Statistics, chosen: Quantisation) -> np.ndarray:
    """Give channels of small values smaller scales, between what they need and the tensor's."""
    above, below = chosen.high - chosen.zero_point, chosen.zero_point - chosen.low
    # Where there are no integers for a side, values there are within half a step of 0.
    needs = np.maximum(
        statistics.highs / above if above else 0.0, -statistics.lows / below if below else 0.0
    )
    if not needs.any():
        return np.ones(1)
    parts = needs / needs.max()
    # A channel that was always 0 may hold anything.
    parts[parts == 0] = 1.0
    return np.maximum(parts, _SMALLEST_PART) ** _OWN_PART


INPUT_SCALES: dict[str, Callable[[Statistics, Quantisation], np.ndarray]] = {
    "tensor": _one_scale,
    "channel": _channel_scales,
}
"""Which factors of channels follow from what was seen and a tensor's quantisation
(reconstructed)."""


def collect(
    network: Network,
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    progress: Callable[[int], None] = lambda count: None,
) -> list[Statistics]:
    """Return the statistics of every layer's input, from the float network.

    Parameters
    ----------
    network : Network
    batches : iterable of (images, labels)
        Calibration images; gone through twice.
    progress : callable
        Told how many images were seen, twice for each.

    Raises
    ------
    InputError
        There are no images, or a layer's inputs are empty or no numbers.
    """
    tensors = sorted({layer.input for layer in network.layers})
    floats = FloatNetwork(network, tensors)
    found = {(n.input, n.axis): Statistics(n.axis) for n in network.layers}
    for measure in (Statistics.widen, Statistics.count):
        seen = 0
        for images, _ in batches:
            known = dict(zip(tensors, floats.run(images), strict=True))
            for name, values in known.items():
                if not values.size or not np.isfinite(values).all():
                    layer = next(n.name for n in network.layers if n.input == name)
                    what = "hold values that are no numbers" if values.size else "are empty"
                    raise InputError(f"{layer}: its inputs {what}")
            for (name, _), statistics in found.items():
                measure(statistics, known[name])
            seen += len(images)
            progress(len(images))
        if not seen:
            raise InputError(f"{network.name}: there are no images to calibrate on")
    return [found[layer.input, layer.axis] for layer in network.layers]


def calibrate(
    network: Network,
    statistics: Sequence[Statistics],
    hardware: Sequence[HardwareParams],
    params: CalibrationParams,
) -> list[Quantisation]:
    """Return the quantisation of every layer's input.

    Layers of a quantised model keep its own; where the hardware has not all of its integers
    (signed ones in an unsigned range, or the other way round), they and the zero point move.
    Layers with integer weights, which no factor can be moved into, keep one scale for all channels.

    Parameters
    ----------
    network : Network
    statistics : sequence of Statistics
        From :func:`collect`.
    hardware : sequence of HardwareParams
        Of every layer.
    params : CalibrationParams

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
            quantise = partial(choose_quantisation, hardware=unit, zero_point=params.zero_point)
            common = RANGES[params.method](seen, quantise)
        except InputError as error:
            raise InputError(f"{layer.name}: {error}") from None
        kind = params.input_scale if layer.weights.dtype.kind == "f" else "tensor"
        chosen.append(replace(common, factors=INPUT_SCALES[kind](seen, common)))
    return chosen


def calibrate_network(
    network: Network,
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]],
    hardware: Sequence[HardwareParams],
    params: CalibrationParams,
    progress: Callable[[int], None] = lambda count: None,
) -> list[Quantisation]:
    """Return the quantisation of every layer's input from images: see :func:`calibrate`.

    Parameters
    ----------
    network : Network
    batches : iterable of (images, labels)
        Gone through twice.
    hardware : sequence of HardwareParams
        Of every layer.
    params : CalibrationParams
    progress : callable
        Told how many images were seen, twice for each.
    """
    return calibrate(network, collect(network, batches, progress), hardware, params)


def _moved(given: Quantisation, hardware: HardwareParams) -> Quantisation:
    """Return a model's own quantisation in the hardware's range of integers."""
    least, largest = hardware.input_range
    if given.high - given.low > largest - least:
        bits = (given.high - given.low).bit_length()
        raise InputError(f"the model's inputs have {bits} bits, input_bits = {hardware.input_bits}")
    move = 0 if least <= given.low and given.high <= largest else least - given.low
    low, high = given.low + move, given.high + move
    return Quantisation(given.scale, given.zero_point + move, low, high)
