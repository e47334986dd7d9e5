"""Reference of :class:`sme_hw.tile_array.TileArray`: its tiles one by one, then the sums."""

from collections.abc import Sequence

import numpy as np

from sme_hw.array_image import ArrayImage
from sme_hw.params import CLIP_COUNTER_BITS, HardwareParams

from .clip_counter import clip_counter
from .compute_unit import compute_unit
from .result_join import result_join

__all__ = ["tile_array", "tile_array_sets", "tile_inputs"]


def tile_inputs(image: ArrayImage, packets: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the input vectors of every tile, given those of every input packet."""
    of_unit = {
        unit: packet
        for units, packet in zip(image.routes.inputs, packets, strict=True)
        for unit in units
    }
    return [of_unit[unit] for unit in range(len(image.tiles))]


def tile_array(
    image: ArrayImage, hardware: HardwareParams, packets: Sequence[np.ndarray]
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Return the results of input vectors and the clips they cause.

    Parameters
    ----------
    image : ArrayImage
    hardware : HardwareParams
    packets : sequence of numpy.ndarray of integers, shape (vectors, inputs)
        For each input packet, its part of all vectors.

    Returns
    -------
    results : tuple of numpy.ndarray of int64, shape (vectors, columns)
        For each result packet, in code steps times input steps.
    clips : numpy.ndarray of int64, shape (tiles, planes)
        Clip counters of the units with tiles, the most significant plane first.
    """
    inputs = tile_inputs(image, packets)
    runs = [compute_unit(t, hardware, v) for t, v in zip(image.tiles, inputs, strict=True)]
    sums = result_join(image.routes.results, [results for results, _ in runs])
    return sums, np.array([clips for _, clips in runs])


def tile_array_sets(
    images: Sequence[ArrayImage],
    hardware: HardwareParams,
    units: int,
    packets: Sequence[Sequence[np.ndarray]],
) -> tuple[list[tuple[np.ndarray, ...]], np.ndarray]:
    """Return what :func:`tile_array` does for each weight set, and the clips of all together.

    Parameters
    ----------
    images : sequence of ArrayImage
        One for each set in use.
    hardware : HardwareParams
    units : int
        Units of the array.
    packets : sequence of sequence of numpy.ndarray
        For each of them, its input packets.

    Returns
    -------
    results : list of tuple of numpy.ndarray of int64, shape (vectors, columns)
        For each of them, its result packets.
    clips : numpy.ndarray of int64, shape (units, planes)
    """
    results = []
    totals = np.zeros((units, hardware.planes), np.int64)
    for image, vectors in zip(images, packets, strict=True):
        sums, clips = tile_array(image, hardware, vectors)
        results.append(sums)
        totals[: len(clips)] += clips
    saturated = [
        [clip_counter(total, width=CLIP_COUNTER_BITS) for total in unit] for unit in totals.tolist()
    ]
    return results, np.array(saturated, np.int64)
