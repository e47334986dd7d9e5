"""Builders of the int8 networks: quantise-dequantise graphs of TensorFlow Lite's integers.

Layers are numbered in the order of the file. Between two layers stand a QuantizeLinear and a
DequantizeLinear with the scale and zero point that the file gives; TensorFlow Lite's rectifiers,
which are the ends of the int8 range, are written out. Its multipliers are fixed-point numbers,
those of a graph are floating-point: a result can be one step off.
"""

import numpy as np
import onnx

from .float_layers import Arrays
from .float_networks import MOBILENET_V2
from .graph import Graph, same_pads

__all__ = ["mobilenet_v2_int8", "resnet8_int8"]


class _Layers:
    """Adds quantised layers by their numbers; tensors between them are dequantised."""

    def __init__(self, graph: Graph, arrays: Arrays):
        self._graph = graph
        self._arrays = arrays
        self._names = {
            int(key.partition(".")[0]): key.removesuffix(".weight")
            for key in arrays
            if key.endswith(".weight")
        }

    def weights(self, number: int) -> np.ndarray:
        """Return a layer's weights."""
        return self._arrays[f"{self._names[number]}.weight"]

    def quantised(self, x: str, number: int, end: str) -> str:
        """Round a tensor as one end of a layer, ``in`` or ``out``, holds it."""
        graph, key = self._graph, f"{self._names[number]}.{end}"
        zero = self._arrays[f"{key}_zero_point"].astype(np.int8)
        parameters = (
            graph.constant(f"{key}_scale", self._arrays[f"{key}_scale"]),
            graph.constant(f"{key}_zero_point", zero),
        )
        integers = graph.add(f"{x}.quantised", "QuantizeLinear", x, *parameters)
        return graph.add(f"{x}.real", "DequantizeLinear", integers, *parameters)

    def _constants(self, number: int) -> tuple[str, str]:
        """Add weights and bias as integers, and what makes them real."""
        graph, name = self._graph, self._names[number]
        scale = self._arrays[f"{name}.scale"]
        # One scale for all columns may be an array of one; for ONNX it is a scalar then.
        scale = scale[0] if scale.size == 1 else scale
        bias_scale = scale * self._arrays[f"{name}.in_scale"]
        result = []
        for part, factor in (("weight", scale), ("bias", bias_scale)):
            integers = graph.constant(f"{name}.{part}", self._arrays[f"{name}.{part}"])
            factors = graph.constant(f"{name}.{part}.scale", factor)
            axis = {"axis": 0} if np.ndim(factor) else {}
            result.append(
                graph.add(f"{name}.{part}.real", "DequantizeLinear", integers, factors, **axis)
            )
        return result[0], result[1]

    def conv(self, x: str, number: int, size: int, stride: int = 1) -> str:
        """Add a convolution of images of a given size with padding ``SAME``."""
        weights = self.weights(number)
        depthwise = "dwconv" in self._names[number]
        return self._graph.add(
            self._names[number],
            "Conv",
            x,
            *self._constants(number),
            strides=[stride, stride],
            pads=same_pads(size, weights.shape[2], stride),
            group=len(weights) if depthwise else 1,
        )

    def linear(self, x: str, number: int) -> str:
        """Add a fully connected layer."""
        return self._graph.add(self._names[number], "Gemm", x, *self._constants(number), transB=1)


def mobilenet_v2_int8(arrays: Arrays) -> onnx.ModelProto:
    """Return MobileNet-v2 1.0 in int8: 3 x 224 x 224, -1 to 1, to 1,001 classes, 0 = background."""
    graph = Graph("mobilenetv2-int8", (3, 224, 224))
    layers = _Layers(graph, arrays)

    def active(x: str, number: int, size: int, stride: int = 1) -> str:
        return layers.quantised(graph.relu6(layers.conv(x, number, size, stride)), number, "out")

    x = active(layers.quantised(graph.input, 0, "in"), 0, 224, 2)
    size, number = 112, 1
    for stride in MOBILENET_V2:
        inner = x
        if number > 1:
            inner = active(inner, number, size)
            number += 1
        inner = active(inner, number, size, stride)
        size //= stride
        number += 1
        inner = layers.quantised(layers.conv(inner, number, size), number, "out")
        number += 1
        # A block's sum is quantised as the layer after it takes it.
        if (
            stride == 1
            and number > 3
            and len(layers.weights(number - 1)) == (layers.weights(number - 3).shape[1])
        ):
            inner = layers.quantised(graph.add(f"{inner}.add", "Add", x, inner), number, "in")
        x = inner
    x = graph.mean(active(x, 51, size))
    x = layers.conv(layers.quantised(x, 52, "in"), 52, 1)
    return graph.model(graph.flat(layers.quantised(x, 52, "out")), 1001)


def resnet8_int8(arrays: Arrays) -> onnx.ModelProto:
    """Return ResNet-8 of MLPerf Tiny in int8: 3 x 32 x 32, 0 to 255, to 10 classes."""
    graph = Graph("resnet8-int8", (3, 32, 32))
    layers = _Layers(graph, arrays)

    def active(x: str, number: int, size: int, stride: int = 1) -> str:
        return layers.quantised(graph.relu(layers.conv(x, number, size, stride)), number, "out")

    def linear(x: str, number: int, size: int, stride: int = 1) -> str:
        return layers.quantised(layers.conv(x, number, size, stride), number, "out")

    def added(x: str, y: str, number: int) -> str:
        """Add two tensors, rounded as the input of layer ``number``."""
        return layers.quantised(graph.relu(graph.add(f"{y}.add", "Add", x, y)), number, "in")

    x = active(layers.quantised(graph.input, 0, "in"), 0, 32)
    x = added(x, linear(active(x, 1, 32), 2, 32), 3)
    for first, size in ((3, 32), (6, 16)):
        inner = linear(active(x, first, size, 2), first + 1, size // 2)
        x = added(linear(x, first + 2, size, 2), inner, first + 3)
    # Averaging keeps scale and zero point; its result is rounded once more.
    x = layers.quantised(graph.flat(graph.mean(x)), 9, "in")
    return graph.model(layers.quantised(layers.linear(x, 9), 9, "out"), 10)
