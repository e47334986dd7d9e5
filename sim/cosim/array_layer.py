"""A mapped layer on a tile array: as many of its tiles at once as there are units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import LayerMapping
from sme_hw.array_image import ArrayImage, ArrayRoutes

from .jobs import UnitTile, layer_tiles

__all__ = ["ArrayLayer", "array_layers"]


@dataclass(frozen=True, eq=False)
class ArrayLayer:
    """What an array holds of a layer, and how the layer's vectors become packets.

    Parameters
    ----------
    name : str
        Of the tiles, for messages.
    outputs : int
        Of the layer.
    image : ArrayImage
    rows : tuple of numpy.ndarray of int64, shape (inputs,)
        For each input packet, the layer's inputs in it.
    columns : tuple of slice
        For each result packet, the layer's outputs that it adds to.
    """

    name: str
    outputs: int
    image: ArrayImage
    rows: tuple[np.ndarray, ...]
    columns: tuple[slice, ...]

    def packets(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Return the input packets of vectors, shape (vectors, layer inputs)."""
        return [inputs[:, rows] for rows in self.rows]

    def sums(self, packets: Sequence[np.ndarray]) -> np.ndarray:
        """Return what these tiles add to the layer's outputs, shape (vectors, layer outputs).

        Parameters
        ----------
        packets : sequence of numpy.ndarray of integers, shape (vectors, columns)
            Of results.
        """
        outputs = np.zeros((len(packets[0]), self.outputs), np.int64)
        for place, packet in zip(self.columns, packets, strict=True):
            outputs[:, place] += packet
        return outputs


def array_layers(layer: LayerMapping, units: int) -> list[ArrayLayer]:
    """Deal the tiles of a layer to arrays, as many together as an array has units.

    Tiles with the same inputs share an input packet, and tiles of the same outputs a result packet:
    so these come together.

    Parameters
    ----------
    layer : LayerMapping
        Of any number of groups; rows may be reordered, or split.
    units : int
        Units of the array.

    Returns
    -------
    list of ArrayLayer
        One if the array holds the layer; else the sum of their outputs is that of the layer.
    """
    tiles = sorted(layer_tiles(layer), key=lambda tile: (tile.columns.start, tile.columns.stop))
    return [_arranged(layer, tiles[first : first + units]) for first in range(0, len(tiles), units)]


def _arranged(layer: LayerMapping, tiles: Sequence[UnitTile]) -> ArrayLayer:
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
        " + ".join(tile.name for tile in tiles),
        layer.outputs,
        image,
        tuple(tiles[packet[0]].rows for packet in inputs),
        tuple(slice(*place) for place in by_columns),
    )
