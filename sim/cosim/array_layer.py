"""A mapped layer on a tile array: all of its tiles at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import LayerMapping
from sme_hw.array_image import ArrayImage, ArrayRoutes
from sme_hw.errors import InputError

from .jobs import layer_units

__all__ = ["ArrayLayer", "array_layer"]


@dataclass(frozen=True, eq=False)
class ArrayLayer:
    """What an array holds of a layer, and how the layer's vectors become packets.

    Parameters
    ----------
    image : ArrayImage
    rows : tuple of numpy.ndarray of int64, shape (inputs,)
        For each input packet, the layer's inputs in it.
    columns : tuple of slice
        For each result packet, the layer's outputs that it adds to.
    """

    image: ArrayImage
    rows: tuple[np.ndarray, ...]
    columns: tuple[slice, ...]

    def packets(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Return the input packets of vectors, shape (vectors, layer inputs)."""
        return [inputs[:, rows] for rows in self.rows]

    def outputs(self, packets: Sequence[np.ndarray]) -> np.ndarray:
        """Return the layer's outputs from result packets, shape (vectors, layer outputs).

        Parameters
        ----------
        packets : sequence of numpy.ndarray of integers, shape (vectors, columns)
        """
        count = max(place.stop for place in self.columns)
        outputs = np.zeros((len(packets[0]), count), np.int64)
        for place, packet in zip(self.columns, packets, strict=True):
            outputs[:, place] += packet
        return outputs


def array_layer(layer: LayerMapping, units: int) -> ArrayLayer:
    """Put all tiles of a layer into an array.

    Tiles with the same inputs share an input packet, and tiles of the same outputs a result packet.

    Parameters
    ----------
    layer : LayerMapping
        Of any number of groups; rows may be reordered, or split.
    units : int
        Units of the array.

    Raises
    ------
    InputError
        The layer has more tiles than the array has units.
    """
    tiles = [tile for unit in layer_units(layer) for tile in unit.tiles]
    if len(tiles) > units:
        raise InputError(
            f"{layer.name}: {len(tiles)} tiles do not fit an array of {units} units; a layer must "
            "fit as a whole"
        )
    by_rows: dict[bytes, list[int]] = {}
    by_columns: dict[tuple[int, int], list[int]] = {}
    for number, tile in enumerate(tiles):
        by_rows.setdefault(tile.rows.tobytes(), []).append(number)
        place = tile.columns
        by_columns.setdefault((place.start, place.stop), []).append(number)
    inputs, results = (
        tuple(tuple(packet) for packet in packets.values()) for packets in (by_rows, by_columns)
    )
    hardware = layer.parameters.hardware
    image = ArrayImage(
        tuple(tile.part.image(hardware) for tile in tiles), ArrayRoutes(inputs, results)
    )
    return ArrayLayer(
        image,
        tuple(tiles[packet[0]].rows for packet in inputs),
        tuple(slice(*place) for place in by_columns),
    )
