"""Changes to ONNX graphs: layers as single operators, other inputs and outputs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .layer import NetworkLayer
from .packages import require

if TYPE_CHECKING:
    import onnx

__all__ = ["DOMAIN", "LAYER", "cut", "with_layers"]

DOMAIN, LAYER = "sme", "Layer"
"""Domain and name of the operator that stands for a layer."""


def with_layers(model: "onnx.ModelProto", layers: Sequence[NetworkLayer]) -> "onnx.ModelProto":
    """Return a model with every layer as an operator :data:`LAYER`, whose ``index`` numbers it.

    What only the layers needed, their weights for example, is left out.
    """
    onnx = require("onnx")
    result = _copy(model)
    replaced = {
        layer.output: onnx.helper.make_node(
            LAYER, [layer.input], [layer.output], layer.name, domain=DOMAIN, index=index
        )
        for index, layer in enumerate(layers)
    }
    for node in result.graph.node:
        if node.output[0] in replaced:
            node.CopyFrom(replaced[node.output[0]])
    result.opset_import.append(onnx.helper.make_opsetid(DOMAIN, 1))
    _prune(result.graph)
    return result


def cut(
    model: "onnx.ModelProto", outputs: Sequence[str] | None = None, given: Sequence[str] = ()
) -> "onnx.ModelProto":
    """Return a model that computes something else.

    Parameters
    ----------
    model : onnx.ModelProto
    outputs : sequence of str, optional
        Tensors, float32, that it shall return; its own outputs by default.
    given : sequence of str
        Float32 tensors that shall be inputs instead of being computed.
    """
    describe = require("onnx.helper").make_tensor_value_info
    float32 = require("onnx").TensorProto.FLOAT
    result = _copy(model)
    graph = result.graph
    if outputs is not None:
        del graph.output[:]
        graph.output.extend(describe(name, float32, None) for name in outputs)
    there = {value.name for value in graph.input}
    graph.input.extend(describe(name, float32, None) for name in given if name not in there)
    for node in graph.node:
        for position, name in enumerate(node.output):
            if name in given:
                node.output[position] = f"{name} as computed"
    _prune(graph)
    return result


def _copy(model: "onnx.ModelProto") -> "onnx.ModelProto":
    result = require("onnx").ModelProto()
    result.CopyFrom(model)
    return result


def _prune(graph: "onnx.GraphProto") -> None:
    """Take away nodes, inputs and stored tensors that no output needs."""
    needed = {value.name for value in graph.output}
    for place in reversed(range(len(graph.node))):
        if needed.isdisjoint(graph.node[place].output):
            del graph.node[place]
        else:
            needed.update(graph.node[place].input)
    for there in (graph.initializer, graph.input):
        for place in reversed(range(len(there))):
            if there[place].name not in needed:
                del there[place]
