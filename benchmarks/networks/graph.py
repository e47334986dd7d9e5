"""A small builder of ONNX graphs."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Graph", "same_pads"]

OPSET = 18
IR_VERSION = 10
INPUT, OUTPUT = "input", "logits"


def same_pads(size: int, kernel: int, stride: int) -> list[int]:
    """Return TensorFlow's padding ``SAME`` of a square image: top, left, bottom, right."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    before = total // 2
    return [before, before, total - before, total - before]


class Graph:
    """Nodes and constants of a network with one input.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of the input, without the batch axis, which stays free.
    """

    input = INPUT

    def __init__(self, name: str, shape: tuple[int, ...]):
        self._name = name
        self._input = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", *shape])
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, values: npt.ArrayLike) -> str:
        """Add a constant, unless it is there already; float16 becomes float32."""
        array = np.asarray(values)
        if array.dtype in (np.float16, np.float64):
            array = array.astype(np.float32)
        self._constants.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def add(self, name: str, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; returns its output, which is called like it."""
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def relu(self, x: str) -> str:
        """Add a rectifier."""
        return self.add(f"{x}.relu", "Relu", x)

    def relu6(self, x: str) -> str:
        """Add a rectifier that ends at 6."""
        bounds = self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))
        return self.add(f"{x}.relu6", "Clip", x, *bounds)

    def mean(self, x: str) -> str:
        """Add the mean of every channel; the spatial axes stay, with length 1."""
        return self.add(f"{x}.mean", "GlobalAveragePool", x)

    def flat(self, x: str) -> str:
        """Add what makes one axis of all but the first."""
        return self.add(f"{x}.flat", "Flatten", x)

    def model(self, output: str, classes: int) -> onnx.ModelProto:
        """Return the network, checked, with ``output`` as its classes' scores."""
        self.add(OUTPUT, "Identity", output)
        scores = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", classes])
        graph = helper.make_graph(
            self._nodes, self._name, [self._input], [scores], list(self._constants.values())
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model, full_check=True)
        return model
