"""A network: an ONNX graph and its weight layers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim.mapping import LayerWeights, Quantisation
from sme_hw.errors import InputError

from .layer import NetworkLayer
from .layer_import import LayerImporter, describe_node
from .onnx_file import load_model
from .operators import reference_evaluator
from .packages import one_line, require
from .shapes import tensor_shapes
from .surgery import with_layers

if TYPE_CHECKING:
    import onnx

__all__ = ["Network", "read_network"]

_WITHOUT_CROSSBARS = frozenset(
    [
        "ConvInteger",
        "ConvTranspose",
        "DeformConv",
        "GRU",
        "LSTM",
        "MatMulInteger",
        "QLinearConv",
        "QLinearMatMul",
        "RNN",
    ]
)
"""Operators with weights that no crossbars are made for: not to be passed over silently."""

_WITHOUT_BOUND = frozenset(["If", "Loop", "Scan"])
"""Operators whose time and memory nobody can tell before they run."""


@dataclass(frozen=True, eq=False)
class Network:
    """A network and its weight layers.

    Parameters
    ----------
    name : str
        For messages.
    model : onnx.ModelProto
        As it was read.
    mapped : onnx.ModelProto
        The same with a single operator in place of every layer, and of the batch normalisation
        behind it (:func:`sim.network.surgery.with_layers`).
    layers : tuple of NetworkLayer
        In the order of computation.
    """

    name: str
    model: "onnx.ModelProto"
    mapped: "onnx.ModelProto"
    layers: tuple[NetworkLayer, ...]

    @property
    def input_name(self) -> str:
        """Name of the only input."""
        return _only_input(self.name, self.model).name

    @property
    def output_name(self) -> str:
        """Name of the first output, the classes' scores."""
        return self.model.graph.output[0].name

    @property
    def classes(self) -> int | None:
        """Classes that the first output has scores for; None where that is not fixed."""
        shape = tensor_shapes(self.model)[self.output_name]
        return (len(shape) > 1 and math.prod(shape[1:])) or None

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the input with the batch axis first; None where it is not fixed."""
        dims = _only_input(self.name, self.model).type.tensor_type.shape.dim
        return tuple(d.dim_value if d.HasField("dim_value") else None for d in dims)

    def sources(self, quantisations: Sequence[Quantisation] | None = None) -> list[LayerWeights]:
        """Return the weights of all layers as they are to be mapped.

        Parameters
        ----------
        quantisations : sequence of Quantisation, optional
            Of every layer's input: their channels' factors are taken into the weights.
        """
        weights = (layer.weights for layer in self.layers)
        if quantisations is not None:
            weights = (
                chosen.fold(layer.weights, layer.groups)
                for layer, chosen in zip(self.layers, quantisations, strict=True)
            )
        return [
            LayerWeights(layer.name, values, layer.groups)
            for layer, values in zip(self.layers, weights, strict=True)
        ]


def read_network(path: str | Path) -> Network:
    """Read a network from an .onnx file.

    Raises
    ------
    InputError
        It cannot be read, is not safe to run (:func:`sim.network.onnx_file.load_model`), or has
        operators that are not supported; the node is named.
    """
    name, model = str(path), load_model(path)
    _only_input(name, model)
    _check_operators(name, model)
    importer = LayerImporter(name, model)
    found = [layer for node in model.graph.node if (layer := importer.layer(node)) is not None]
    if not found:
        raise InputError(f"{name} has no Conv, Gemm or MatMul with constant weights")
    return Network(name, model, with_layers(model, found), tuple(found))


def _only_input(name: str, model: "onnx.ModelProto") -> "onnx.ValueInfoProto":
    inputs = list(model.graph.input)
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs) or "none"
        raise InputError(f"{name}: a network with one input is needed, this has {names}")
    return inputs[0]


def _check_operators(name: str, model: "onnx.ModelProto") -> None:
    """Refuse operators that cannot be run, or hold weights beside the crossbars."""
    helper = require("onnx.helper")
    seen = set()
    for node in model.graph.node:
        if node.op_type in _WITHOUT_CROSSBARS:
            raise InputError(
                f"{name}: {describe_node(node)}: this operator is not supported; of those with "
                "weights, Conv, Gemm and MatMul are"
            )
        if node.op_type in _WITHOUT_BOUND:
            raise InputError(f"{name}: {describe_node(node)}: control flow is not supported")
        if (node.domain, node.op_type) in seen:
            continue
        seen.add((node.domain, node.op_type))
        probe = helper.make_graph([node], "probe", [], [])
        try:
            reference_evaluator(helper.make_model(probe, opset_imports=model.opset_import))
        except Exception as error:  # whatever the operator's implementation says
            raise InputError(
                f"{name}: {describe_node(node)}: this operator cannot be run: {one_line(error)}"
            ) from None
