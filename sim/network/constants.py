"""Constants of a graph: initialisers, and what is computed from nothing else."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sme_hw.errors import InputError

from .operators import reference_evaluator
from .packages import one_line, require

if TYPE_CHECKING:
    import onnx

__all__ = ["Constants", "attributes"]

_FOLDABLE = frozenset(
    [
        "Add",
        "Cast",
        "Concat",
        "Constant",
        "DequantizeLinear",
        "Div",
        "Flatten",
        "Identity",
        "Mul",
        "Neg",
        "Reshape",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Transpose",
        "Unsqueeze",
    ]
)
"""Operators that exporters put between stored weights and a layer."""


def attributes(node: "onnx.NodeProto") -> dict[str, Any]:
    """Return the attributes of a node as Python values."""
    onnx = require("onnx")
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


class Constants:
    """The constants of a model, computed when they are asked for.

    Parameters
    ----------
    name : str
        The model's name, for messages.
    model : onnx.ModelProto
    """

    def __init__(self, name: str, model: "onnx.ModelProto"):
        self._name = name
        onnx = require("onnx")
        self._to_array = onnx.numpy_helper.to_array
        self._model = model
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        # An initialiser that is an input, too, can be changed by whoever runs the graph; files of
        # old versions list all of them, so they count as constants.
        self.producers = {name: node for node in model.graph.node for name in node.output if name}
        self._known: dict[str, np.ndarray | None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._stored

    def get(self, name: str) -> np.ndarray | None:
        """Return a tensor's constant value, or None if it depends on the network's input.

        Raises
        ------
        InputError
            It is stored in a form that is not known, or cannot be computed.
        """
        if name not in self._known:
            try:
                self._known[name] = self._compute(name)
            except InputError:
                raise
            except Exception as error:  # whatever ONNX's implementation says
                raise InputError(
                    f"{self._name}: constant {name} cannot be computed: {one_line(error)}"
                ) from None
        return self._known[name]

    def _compute(self, name: str) -> np.ndarray | None:
        if name in self._stored:
            return self._to_array(self._stored[name])
        node = self.producers.get(name)
        if node is None or node.domain not in ("", "ai.onnx") or node.op_type not in _FOLDABLE:
            return None
        values = {i: self.get(i) for i in node.input if i}
        if any(value is None for value in values.values()):
            return None
        return self._run(node, values)[list(node.output).index(name)]

    def _run(
        self, node: "onnx.NodeProto", values: dict[str, np.ndarray | None]
    ) -> list[np.ndarray]:
        """Compute one node as ONNX defines it."""
        onnx = require("onnx")
        helper = onnx.helper

        def describe(name: str, value: np.ndarray | None) -> Any:
            kind = 0 if value is None else helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(name, kind, None)

        graph = helper.make_graph(
            [node],
            "constant",
            [describe(name, value) for name, value in values.items()],
            [describe(name, None) for name in node.output],
        )
        model = helper.make_model(graph, opset_imports=self._model.opset_import)
        return reference_evaluator(model).run(None, values)
