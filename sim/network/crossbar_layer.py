"""A weight layer computed as the hardware does: integer vectors in, real outputs out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from sim.execution import LayerEngine
from sim.mapping import LayerMapping
from sme_hw.errors import InputError

from .layer import NetworkLayer

__all__ = ["CrossbarLayer", "Work", "layer_weights"]

_ELEMENTS = 1 << 22
"""Elements of the vectors that exist at a time, about: 16 MB."""

Product = Callable[[np.ndarray], np.ndarray]
"""Vectors in, shape (vectors, inputs); their products with a layer's weights out."""


def layer_weights(mapping: LayerMapping) -> list[np.ndarray]:
    """Return the integer weights that the crossbars of each matrix of a layer stand for.

    Shifts are included, and pieces of rows added up; shapes are (rows, columns) of the matrices.
    """
    hardware = mapping.parameters.hardware
    return [matrix.weights(hardware) for matrix in mapping.matrices]


@dataclass(eq=False)
class Work:
    """What a layer's crossbars have done.

    Parameters
    ----------
    clips : numpy.ndarray of int64, shape (planes,)
        Conversions that clipped, the most significant plane first.
    vectors : int
    conversions : int
        Executed conversions of each plane: both signs, all tiles.
    """

    clips: np.ndarray
    vectors: int = 0
    conversions: int = 0

    def add(self, vectors: int, conversions: int, clips: np.ndarray) -> None:
        """Add what was done for some more vectors."""
        self.vectors += vectors
        self.conversions += conversions
        self.clips += clips


class CrossbarLayer:
    """A layer with its mapping, which is calibrated.

    Parameters
    ----------
    layer : NetworkLayer
    mapping : LayerMapping

    Raises
    ------
    InputError
        The mapping is that of another layer, or holds no calibration.
    """

    def __init__(self, layer: NetworkLayer, mapping: LayerMapping):
        shapes = (mapping.shape, mapping.groups), (layer.weights.shape, layer.groups)
        if shapes[0] != shapes[1]:
            given, own = (f"{shape} in {groups} groups" for shape, groups in shapes)
            raise InputError(f"{layer.name}: its mapping has weights {given}, the layer {own}")
        if mapping.calibration is None:
            raise InputError(f"{layer.name}: its mapping was not calibrated, so it cannot be run")
        self.layer = layer
        self.mapping = mapping
        self.quantisation = mapping.calibration.quantisation
        self.bias = mapping.calibration.bias
        self.engine = LayerEngine(mapping)
        outputs = len(layer.weights)
        self.steps = np.empty(outputs)
        self.column_sums = np.empty(outputs, np.int64)
        for matrix, weights in zip(mapping.matrices, layer_weights(mapping), strict=True):
            place = matrix.placement.output_slice
            self.steps[place] = matrix.code_steps
            self.column_sums[place] = weights.sum(axis=0, dtype=np.int64)
        self.steps *= layer.weight_scales

    def __call__(self, values: np.ndarray, work: Work | None = None) -> np.ndarray:
        """Return the layer's output for real inputs, bit for bit as crossbars give it.

        Parameters
        ----------
        values : numpy.ndarray
            The layer's input, as for :meth:`apply`.
        work : Work, optional
            What is done is added to it.
        """

        def product(vectors: np.ndarray) -> np.ndarray:
            results, clips = self.engine.run(vectors)
            if work is not None:
                work.add(len(vectors), self.engine.conversions(vectors), clips)
            return results

        integers = self.to_integers(values)
        return self.to_reals(self.apply(integers, product, self.quantisation.zero_point))

    def idle(self) -> Work:
        """Return work of nothing done yet."""
        return Work(np.zeros(self.mapping.parameters.hardware.planes, np.int64))

    def to_integers(self, values: np.ndarray) -> np.ndarray:
        """Return what the crossbars get for real inputs, as float32.

        Raises
        ------
        InputError
            Some inputs are infinite or no numbers; the layer is named.
        """
        if not np.isfinite(values).all():
            raise InputError(f"{self.layer.name}: its inputs hold values that are no numbers")
        return self.quantisation.to_integers(values, self.layer.axis)

    def to_reals(self, results: np.ndarray) -> np.ndarray:
        """Return real outputs, float32, of integer results: channels are on the axis of outputs.

        An input of 0 is the integer ``zero_point``: what that adds to a column is its sum of
        weights as they are on the crossbars, times the zero point.
        """
        zeros, scale, bias = (
            self.layer.along_outputs(numbers, results.ndim)
            for numbers in (
                self.quantisation.zero_point * self.column_sums,
                self.steps * self.quantisation.scale,
                self.bias,
            )
        )
        return ((results - zeros) * scale + bias).astype(np.float32)

    def apply(self, values: np.ndarray, product: Product, padding: float) -> np.ndarray:
        """Return the products of a layer's weights with all vectors of its input.

        Parameters
        ----------
        values : numpy.ndarray
            The layer's input, shape (images, channels, ...) for a convolution; else inputs are
            on the layer's axis.
        product : callable
        padding : float
            What stands beyond the edges of images.

        Returns
        -------
        numpy.ndarray
            In the shape of the layer's output.
        """
        outputs = len(self.layer.weights)
        if self.layer.window is None:
            last = np.moveaxis(values, self.layer.axis, -1)
            flat = product(last.reshape(-1, last.shape[-1]))
            return np.moveaxis(flat.reshape(*last.shape[:-1], outputs), -1, self.layer.axis)
        results = None
        for place, vectors, shape in self.blocks(values, padding):
            part = product(vectors)
            if results is None:
                results = np.empty((*shape, outputs), part.dtype)
            results[place] = part.reshape(results[place].shape)
        assert results is not None
        moved = np.moveaxis(results, -1, 1)
        return moved[:, :, 0] if values.ndim == 3 else moved

    def blocks(
        self, values: np.ndarray, padding: float
    ) -> Iterator[tuple[tuple[slice, slice], np.ndarray, tuple[int, int, int]]]:
        """Yield the vectors of a convolution's input, few enough at a time to fit the cache.

        Yields
        ------
        place : tuple of slice
            Images and output rows that they belong to.
        vectors : numpy.ndarray, shape (vectors, inputs)
        shape : tuple of int
            Images, output rows and output columns in all.
        """
        assert self.layer.window is not None
        if values.ndim == 3:  # one axis: as if the image had a single row
            values = values[:, :, np.newaxis]
        try:
            view = self.layer.window.windows(values, padding)
        except InputError as error:
            raise InputError(f"{self.layer.name}: {error}") from None
        images, rows, columns = view.shape[:3]
        row_size = columns * int(np.prod(view.shape[3:]))
        rows_at_once = min(rows, max(1, _ELEMENTS // row_size))
        images_at_once = max(1, _ELEMENTS // (row_size * rows)) if rows_at_once == rows else 1
        for i in range(0, images, images_at_once):
            for r in range(0, rows, rows_at_once):
                place = slice(i, i + images_at_once), slice(r, r + rows_at_once)
                part = view[place]
                vectors = part.reshape(-1, int(np.prod(view.shape[3:])))
                yield place, vectors, (images, rows, columns)
