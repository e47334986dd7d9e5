"""Arrays into words: the program that loads a tile array, and the beats of its input vectors."""

from collections.abc import Sequence

import numpy as np

from .array_image import ArrayImage, check_array_image
from .array_program import (
    ROUTE_FINAL,
    ROUTE_LAST_BEAT_OFFSET,
    ROUTE_RESULTS,
    ArrayRegion,
    check_units,
)
from .cycles import input_beats
from .errors import InputError
from .pack import control_record, pack_inputs, record, tile_records
from .params import HardwareParams
from .program import MODE_CLEAR, MODE_ENABLE, Control

__all__ = ["pack_array", "pack_array_inputs"]


def _mask(units: Sequence[int]) -> int:
    return sum(1 << unit for unit in units)


def _choose(mask: int) -> np.ndarray:
    """Return the record that sends those after it to some units."""
    return record(ArrayRegion.UNITS, mask, np.zeros((0, 1)))


def _route_records(
    image: ArrayImage, hardware: HardwareParams, weight_set: int
) -> list[np.ndarray]:
    """Return the records of the routes of one set."""
    inputs = [
        _mask(packet) | (input_beats(hardware, count) - 1) << ROUTE_LAST_BEAT_OFFSET
        for packet, count in zip(image.routes.inputs, image.packet_inputs, strict=True)
    ]
    results = [_mask(packet) | ROUTE_RESULTS for packet in image.routes.results]
    records = []
    for words in (inputs, results):
        words[-1] |= ROUTE_FINAL
        column = np.array(words)[:, np.newaxis]
        records.append(record(ArrayRegion.ROUTES, 0, column, weight_set))
    return records


def pack_array(
    images: ArrayImage | Sequence[ArrayImage], hardware: HardwareParams, units: int
) -> np.ndarray:
    """Return the program that loads tiles and routes and enables the array.

    It stops all units, loads everything, clears the clip counters and enables all of them.

    Parameters
    ----------
    images : ArrayImage or sequence of ArrayImage
        One for each weight set, from set 0; sets without an image must not be used.
    hardware : HardwareParams
    units : int
        Units of the array.

    Returns
    -------
    numpy.ndarray of uint32, shape (words,)

    Raises
    ------
    InputError
        There are no images, or more than weight sets, or one of them cannot be computed rightly;
        its set is named where there are several.
    """
    check_units(units)
    sets = [images] if isinstance(images, ArrayImage) else list(images)
    if not 1 <= len(sets) <= hardware.weight_sets:
        raise InputError(
            f"{len(sets)} images do not fit: weight_sets = {hardware.weight_sets} hold 1.."
            f"{hardware.weight_sets}"
        )
    everyone = _choose((1 << units) - 1)
    parts = [everyone, control_record(Control.MODE, 0)]
    for weight_set, image in enumerate(sets):
        try:
            check_array_image(image, hardware, units)
        except InputError as error:
            if hardware.weight_sets == 1:
                raise
            raise InputError(f"set {weight_set}: {error}") from None
        for unit, tile in enumerate(image.tiles):
            parts += [_choose(1 << unit), *tile_records(tile, hardware, weight_set)]
        parts += _route_records(image, hardware, weight_set)
    return np.concatenate(
        [*parts, everyone, control_record(Control.MODE, MODE_ENABLE | MODE_CLEAR)]
    )


def pack_array_inputs(packets: Sequence[np.ndarray], hardware: HardwareParams) -> np.ndarray:
    """Return vectors as beats of an array's input stream; lanes that hold no input are 0.

    Parameters
    ----------
    packets : sequence of numpy.ndarray of integers, shape (vectors, inputs)
        For each input packet, its part of all vectors.
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of int64, shape (vectors, beats of all packets, inputs_per_beat)
    """
    return np.concatenate([pack_inputs(packet, hardware) for packet in packets], axis=1)
