"""Execution of one mapped layer."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import groupby

import numpy as np

from sim.golden.compute_unit import vector_bit_cycles
from sim.mapping import LayerMapping, MatrixMapping
from sme_hw.tile_image import TileImage

from .columns import split
from .converter import Converter
from .products import ExactProduct

__all__ = ["LayerEngine", "Paths"]

_ELEMENTS = 1 << 19
"""Inputs or results that are worked on at a time, about: 4 MB."""

_VECTORS = 512
"""Vectors that are worked on at a time, at least."""


@dataclass(frozen=True)
class Paths:
    """How a layer is executed.

    Parameters
    ----------
    tiles : int
    converted_tiles : int
        Those with columns that are converted bit by bit; all others are products alone.
    sums : int
        Columns of all groups, planes and signs.
    converted_sums : int
        Those that are converted bit by bit, because their codes can differ from their sums.
    """

    tiles: int
    converted_tiles: int
    sums: int
    converted_sums: int

    def as_dict(self) -> dict[str, int]:
        """Return what machines read."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Block:
    """A matrix to multiply by, and what part of a layer's inputs and outputs it has."""

    weights: np.ndarray
    inputs: slice
    outputs: slice


class LayerEngine:
    """A layer, prepared to be executed on many vectors.

    Where an ADC code cannot differ from its column sum, planes, signs and bit-cycles add up to one
    matrix product. The other columns are converted bit by bit, 64 vectors in a word. Results and
    clips are those of :func:`sim.golden.compute_unit.compute_unit_bit_serial`, bit for bit.

    Parameters
    ----------
    layer : LayerMapping

    Raises
    ------
    InputError
        Columns must be converted, and numba is not installed.
    """

    def __init__(self, layer: LayerMapping):
        self.layer = layer
        # Inputs of every tile, and its image but for the cells.
        self._tiles: list[tuple[np.ndarray, TileImage]] = []
        self._converters: list[Converter] = []
        self._products: list[tuple[slice, slice, ExactProduct]] = []
        hardware = layer.parameters.hardware
        for _, same in groupby(self._blocks(), lambda block: block.weights.shape):
            blocks = list(same)
            product = ExactProduct([block.weights for block in blocks], hardware.input_range)
            inputs = slice(blocks[0].inputs.start, blocks[-1].inputs.stop)
            outputs = slice(blocks[0].outputs.start, blocks[-1].outputs.stop)
            self._products.append((inputs, outputs, product))

    def _blocks(self) -> Iterator[_Block]:
        """Yield the matrices of a layer, those of the same inputs side by side as one."""
        for _, same in groupby(self.layer.matrices, lambda matrix: matrix.placement.groups):
            matrices = list(same)
            first, last = matrices[0].placement, matrices[-1].placement
            weights = np.hstack([self._split(matrix) for matrix in matrices])
            outputs = slice(first.output_slice.start, last.output_slice.stop)
            yield _Block(weights, first.input_slice, outputs)

    def _split(self, matrix: MatrixMapping) -> np.ndarray:
        """Return what inputs are multiplied by, and note what is converted."""
        hardware, placement = self.layer.parameters.hardware, matrix.placement
        effective = matrix.effective_codes(hardware)
        for _, row in groupby(matrix.tiles(hardware), lambda tile: tile.row_tile):
            parts = []
            for tile in row:
                rows = placement.input_slice.start + tile.rows
                image = matrix.image(tile, hardware)
                self._tiles.append((rows, replace(image, cells=image.cells[:0].copy())))
                found = split(image, hardware)
                if found is not None:
                    effective[tile.pieces, tile.columns] = found[0]
                    parts.append((placement.output_slice.start + tile.columns.start, found[1]))
            if parts:
                self._converters.append(Converter(rows, parts, hardware))
        return matrix.add_pieces(effective)

    @cached_property
    def paths(self) -> Paths:
        """How the tiles are executed."""
        hardware = self.layer.parameters.hardware
        sums = sum(2 * hardware.planes * len(i.groups) * i.columns for _, i in self._tiles)
        parts = [part for converter in self._converters for _, part in converter.parts]
        return Paths(len(self._tiles), len(parts), sums, sum(len(part.sums) for part in parts))

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Execute the layer.

        Parameters
        ----------
        inputs : numpy.ndarray, shape (vectors, inputs)
            Integers in the hardware's range, of any type; float32 is the fastest.

        Returns
        -------
        results : numpy.ndarray of float64, shape (vectors, outputs)
            Exact integers, in code steps times input steps.
        clips : numpy.ndarray of int64, shape (planes,)
            Conversions that clipped, the most significant plane first.
        """
        hardware = self.layer.parameters.hardware
        results = np.empty((len(inputs), self.layer.outputs))
        clips = np.zeros(hardware.planes, np.int64)
        widest = max(self.layer.inputs, self.layer.outputs)
        batch = max(_VECTORS, _ELEMENTS // widest // _VECTORS * _VECTORS)
        for start in range(0, len(inputs), batch):
            taken, out = inputs[start : start + batch], results[start : start + batch]
            for columns, outputs, product in self._products:
                product.write(out[:, outputs], taken[:, columns])
            for converter in self._converters:
                clips += converter.add(out, taken)
        return results, clips

    def conversions(self, inputs: np.ndarray) -> int:
        """Return the executed conversions of each plane: both signs, all tiles and vectors.

        Parameters
        ----------
        inputs : numpy.ndarray, shape (vectors, inputs)
            As for :meth:`run`.
        """
        hardware = self.layer.parameters.hardware
        if not hardware.zero_skip:
            return len(inputs) * sum(2 * i.columns * sum(i.bit_cycles) for _, i in self._tiles)
        total = 0
        for rows, image in self._tiles:
            cycles = vector_bit_cycles(image, hardware, inputs[:, rows])
            total += 2 * image.columns * int(cycles.sum())
        return total
