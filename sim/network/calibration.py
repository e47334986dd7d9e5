"""Calibration: how the inputs of a network's layers become the hardware's integers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sim.mapping import Quantisation
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams, check_choice

from .forward import FloatNetwork
from .network import Network
from .ranges import RANGES, Statistics, choose_quantisation

__all__ = ["CalibrationParams", "calibrate", "calibrate_network", "collect"]


@dataclass(frozen=True, kw_only=True)
class CalibrationParams:
    """How inputs are quantised.

    Parameters
    ----------
    method : str
        What range of a tensor the integers cover: one of :data:`RANGES`.
    zero_point : bool
        Whether the integer for 0 may be another one than 0.
    """

    method: str = "mse"
    zero_point: bool = True

    def __post_init__(self) -> None:
        check_choice("method", self.method, list(RANGES))


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
            found = RANGES[params.method](seen, quantise)
        except InputError as error:
            raise InputError(f"{layer.name}: {error}") from None
        if layer.weights.dtype.kind != "f":
            found = replace(found, factors=np.ones(1))
        chosen.append(found)
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
