"""Builders of the floating-point networks; every one makes a graph of arrays of weights."""

import numpy as np
import onnx

from .float_layers import Arrays, batch_norm, conv, linear
from .graph import Graph, same_pads

__all__ = ["MOBILENET_V2", "lenet", "mobilenet_v2", "resnet8", "resnet20", "squeezenet"]

PAD = [1, 1, 1, 1]
"""Keeps the size of an image under a 3 x 3 kernel with stride 1."""

MOBILENET_V2 = [
    stride if i == 0 else 1
    for blocks, stride in ((1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1))
    for i in range(blocks)
]
"""Strides of MobileNet-v2's 17 blocks (Sandler et al., CVPR 2018, table 2)."""


def squeezenet(arrays: Arrays) -> onnx.ModelProto:
    """Return SqueezeNet 1.1: 3 x 224 x 224 to 1,000 classes."""
    graph = Graph("squeezenet1.1", (3, 224, 224))

    def pool(x: str) -> str:
        sizes = {"kernel_shape": [3, 3], "strides": [2, 2]}
        return graph.add(f"{x}.pool", "MaxPool", x, ceil_mode=1, **sizes)

    def fire(x: str, name: str) -> str:
        squeezed = graph.relu(conv(graph, arrays, x, f"{name}.squeeze"))
        wide = (
            graph.relu(conv(graph, arrays, squeezed, f"{name}.expand1x1")),
            graph.relu(conv(graph, arrays, squeezed, f"{name}.expand3x3", pads=PAD)),
        )
        return graph.add(name, "Concat", *wide, axis=1)

    x = pool(graph.relu(conv(graph, arrays, graph.input, "conv0", stride=2)))
    for index in range(8):
        x = fire(x, f"fire{index}")
        if index in (1, 3):
            x = pool(x)
    x = graph.relu(conv(graph, arrays, x, "conv25"))
    return graph.model(graph.flat(graph.mean(x)), 1000)


def mobilenet_v2(arrays: Arrays) -> onnx.ModelProto:
    """Return MobileNet-v2 1.0: 3 x 224 x 224 to 1,000 classes."""
    graph = Graph("mobilenetv2", (3, 224, 224))

    def block(x: str, name: str, stride: int) -> str:
        hidden, outputs = (len(arrays[f"{name}.{part}.weight"]) for part in ("dw", "project"))
        inner, inputs = x, hidden
        if f"{name}.expand.weight" in arrays:
            inputs = arrays[f"{name}.expand.weight"].shape[1]
            inner = graph.relu6(conv(graph, arrays, inner, f"{name}.expand"))
        inner = conv(graph, arrays, inner, f"{name}.dw", stride=stride, pads=PAD, groups=hidden)
        inner = conv(graph, arrays, graph.relu6(inner), f"{name}.project")
        residual = stride == 1 and inputs == outputs
        return graph.add(f"{name}.add", "Add", x, inner) if residual else inner

    x = graph.relu6(conv(graph, arrays, graph.input, "features.0.0", stride=2, pads=PAD))
    for index, stride in enumerate(MOBILENET_V2, 1):
        x = block(x, f"features.{index}.conv", stride)
    x = graph.relu6(conv(graph, arrays, x, "features.18.0"))
    return graph.model(linear(graph, arrays, graph.flat(graph.mean(x)), "classifier"), 1000)


def resnet20(arrays: Arrays) -> onnx.ModelProto:
    """Return ResNet-20 with its batch normalisations: 3 x 32 x 32 to 10 classes.

    Shortcuts of another shape take every second pixel and pad the channels with zeros (option A of
    He et al., CVPR 2016).
    """
    graph = Graph("resnet20", (3, 32, 32))

    def shortcut(x: str, name: str, channels: int) -> str:
        ends = {"starts": [0, 0], "ends": [2**31] * 2, "axes": [2, 3], "steps": [2, 2]}
        values = [graph.constant(f"halve.{k}", np.array(v, np.int64)) for k, v in ends.items()]
        halved = graph.add(f"{name}.halved", "Slice", x, *values)
        pads = np.array([0, channels // 4, 0, 0] * 2, np.int64)
        return graph.add(
            f"{name}.shortcut", "Pad", halved, graph.constant(f"{name}.shortcut.pads", pads)
        )

    def block(x: str, name: str, stride: int) -> str:
        inner = conv(graph, arrays, x, f"{name}.conv1", stride=stride, pads=PAD)
        inner = graph.relu(batch_norm(graph, arrays, inner, f"{name}.bn1"))
        inner = conv(graph, arrays, inner, f"{name}.conv2", pads=PAD)
        inner = batch_norm(graph, arrays, inner, f"{name}.bn2")
        if stride > 1:
            x = shortcut(x, name, len(arrays[f"{name}.conv2.weight"]))
        return graph.relu(graph.add(f"{name}.add", "Add", inner, x))

    x = conv(graph, arrays, graph.input, "conv1", pads=PAD)
    x = graph.relu(batch_norm(graph, arrays, x, "bn1"))
    for stage in (1, 2, 3):
        for index in range(3):
            x = block(x, f"layer{stage}.{index}", 2 if stage > 1 and index == 0 else 1)
    return graph.model(linear(graph, arrays, graph.flat(graph.mean(x)), "linear"), 10)


def resnet8(arrays: Arrays) -> onnx.ModelProto:
    """Return ResNet-8 of MLPerf Tiny: 3 x 32 x 32, pixels of 0 to 255, to 10 classes."""
    graph = Graph("resnet8", (3, 32, 32))

    def layer(x: str, name: str, size: int, stride: int = 1) -> str:
        pads = same_pads(size, arrays[f"{name}.weight"].shape[2], stride)
        return conv(graph, arrays, x, name, stride=stride, pads=pads)

    x = graph.relu(layer(graph.input, "00.conv", 32))
    inner = layer(graph.relu(layer(x, "01.conv", 32)), "02.conv", 32)
    x = graph.relu(graph.add("02.add", "Add", x, inner))
    for first, size in ((3, 32), (6, 16)):
        inner = graph.relu(layer(x, f"{first:02}.conv", size, 2))
        inner = layer(inner, f"{first + 1:02}.conv", size // 2)
        x = layer(x, f"{first + 2:02}.conv", size, 2)
        x = graph.relu(graph.add(f"{first + 2:02}.add", "Add", x, inner))
    return graph.model(linear(graph, arrays, graph.flat(graph.mean(x)), "09.fc"), 10)


def lenet(arrays: Arrays) -> onnx.ModelProto:
    """Return Caffe's LeNet: 1 x 28 x 28 to 10 classes."""
    graph = Graph("lenet", (1, 28, 28))
    x = graph.input
    for name in ("conv1", "conv2"):
        x = conv(graph, arrays, x, name)
        x = graph.add(f"{name}.pool", "MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = graph.relu(linear(graph, arrays, graph.flat(x), "fc1"))
    return graph.model(linear(graph, arrays, x, "fc2"), 10)
