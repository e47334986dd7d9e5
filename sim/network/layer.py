"""What a weight layer of a network is: numbers, and how its input becomes vectors."""

from dataclasses import dataclass

import numpy as np

from sim.mapping import Quantisation
from sme_hw.errors import InputError
from sme_hw.params import ceil_div

__all__ = ["NetworkLayer", "Window"]


@dataclass(frozen=True)
class Window:
    """How a convolution moves over its input.

    Parameters
    ----------
    kernel, strides, dilations : tuple of int, (height, width)
    pads : tuple of int, (top, left, bottom, right), or None
        None: as many as ``same`` says.
    same : str
        ``"upper"`` or ``"lower"``: outputs are as many as inputs over strides, and an odd padding
        has its larger half behind or before; only without ``pads``.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int] | None
    same: str = ""

    def padding(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return the rows and columns to add at top, left, bottom and right of an input."""
        if self.pads is not None:
            return self.pads
        before, after = [], []
        for axis, size in enumerate((height, width)):
            stride, reach = self.strides[axis], self._reach(axis)
            total = max(0, (ceil_div(size, stride) - 1) * stride + reach - size)
            small = total // 2
            before.append(small if self.same == "upper" else total - small)
            after.append(total - before[-1])
        return before[0], before[1], after[0], after[1]

    def _reach(self, axis: int) -> int:
        """Return the inputs from the first to the last one of a window."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def outputs(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of the output.

        Raises
        ------
        InputError
            The window is larger than the padded input.
        """
        top, left, bottom, right = self.padding(height, width)
        sizes = height + top + bottom, width + left + right
        result = []
        for axis, size in enumerate(sizes):
            if size < self._reach(axis):
                raise InputError(
                    f"an input of {height} x {width} is smaller than a window of "
                    f"{self._reach(0)} x {self._reach(1)}"
                )
            result.append((size - self._reach(axis)) // self.strides[axis] + 1)
        return result[0], result[1]

    def windows(self, images: np.ndarray, padding: float) -> np.ndarray:
        """Return the windows of images, without copying what does not need padding.

        Parameters
        ----------
        images : numpy.ndarray, shape (images, channels, height, width)
        padding : float
            What stands beyond the edges.

        Returns
        -------
        numpy.ndarray of the same type
            Shape (images, output rows, output columns, channels, kernel rows, kernel columns):
            the last three axes are the inputs of a vector in the order of unrolled weights, and
            those of a group of channels follow one another.
        """
        count, channels, height, width = images.shape
        rows, columns = self.outputs(height, width)
        top, left, bottom, right = self.padding(height, width)
        if top or left or bottom or right:
            edges = ((0, 0), (0, 0), (top, bottom), (left, right))
            images = np.pad(images, edges, constant_values=images.dtype.type(padding))
        n, c, h, w = images.strides
        return np.lib.stride_tricks.as_strided(
            images,
            (count, rows, columns, channels, *self.kernel),
            (
                n,
                h * self.strides[0],
                w * self.strides[1],
                c,
                h * self.dilations[0],
                w * self.dilations[1],
            ),
            writeable=False,
        )


@dataclass(frozen=True, eq=False)
class NetworkLayer:
    """A convolution or matrix product of a network, with constant weights.

    Parameters
    ----------
    name : str
        What the layer is called in reports: its weights' name, or its node's.
    kind : str
        ``"Conv"``, ``"Gemm"`` or ``"MatMul"``.
    input, output : str
        Tensors of the graph.
    weights : numpy.ndarray, shape (out, in / groups, kh, kw) or (out, in)
        Floats; or integers, the codes of a quantised model.
    weight_scales : numpy.ndarray of float64, shape (out,)
        Real weight that 1 stands for; ones if ``weights`` are floats.
    bias : numpy.ndarray of float64, shape (out,)
    groups : int
    window : Window or None
        None for matrix products.
    quantisation : Quantisation or None
        That of a quantised model, or None.
    left : bool
        Weights stand on the left of a matrix product.
    """

    name: str
    kind: str
    input: str
    output: str
    weights: np.ndarray
    weight_scales: np.ndarray
    bias: np.ndarray
    groups: int
    window: Window | None
    quantisation: Quantisation | None
    left: bool = False

    @property
    def axis(self) -> int:
        """Axis of inputs in the layer's input, and of outputs in its output."""
        if self.window is not None:
            return 1
        return -2 if self.left else -1

    def along_outputs(self, numbers: np.ndarray, axes: int) -> np.ndarray:
        """Return a number per output in a shape that broadcasts with outputs of so many axes."""
        shape = [1] * axes
        shape[self.axis] = -1
        return numbers.reshape(shape)
