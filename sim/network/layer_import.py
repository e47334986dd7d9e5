"""Turns a Conv, Gemm or MatMul node of an ONNX graph into a layer."""

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.mapping import Quantisation
from sme_hw.errors import InputError

from .constants import Constants, attributes
from .layer import NetworkLayer, Window

if TYPE_CHECKING:
    import onnx

__all__ = ["LayerImporter", "describe_node"]

_SAME = {"SAME_UPPER": "upper", "SAME_LOWER": "lower"}
"""Values of ``auto_pad`` that keep the size of images, and what :class:`Window` calls them."""

_MOST = 1 << 24
"""Largest stride, dilation and padding: strides in memory stay far below 64 bits."""


def describe_node(node: "onnx.NodeProto") -> str:
    """Return what to call a node in messages."""
    return f"node {node.name or node.output[0]} ({node.op_type})"


class LayerImporter:
    """Finds out what the layers of a model are.

    Parameters
    ----------
    name : str
        The model's name, for messages.
    model : onnx.ModelProto
    """

    def __init__(self, name: str, model: "onnx.ModelProto"):
        self._name = name
        self._constants = Constants(name, model)
        self._uses = Counter(i for node in model.graph.node for i in node.input)
        self._uses.update(value.name for value in model.graph.output)
        self._consumers = {i: node for node in model.graph.node for i in node.input}
        self._names: Counter[str] = Counter()
        # Nodes are sorted, and paths through them may be too many and too long to walk back.
        self._computed = {value.name for value in model.graph.input}
        for node in model.graph.node:
            if not self._computed.isdisjoint(node.input):
                self._computed.update(name for name in node.output if name)

    def layer(self, node: "onnx.NodeProto") -> NetworkLayer | None:
        """Return the layer that a node is, or None if it is none.

        A batch normalisation behind it is taken into its weights if nothing else sees what is in
        between. A product of two activations (attention) is no layer.

        Raises
        ------
        InputError
            It has weights that are missing or not supported.
        """
        if node.domain not in ("", "ai.onnx"):
            return None
        if node.op_type == "Conv":
            return self._with_norm(self._convolution(node))
        if node.op_type == "Gemm":
            return None if node.input[1] in self._computed else self._with_norm(self._gemm(node))
        # Not with a normalisation: of more than two axes, it takes another one than the outputs'.
        if node.op_type == "MatMul" and node.input[1] not in self._computed:
            return self._product(node, 1)
        if node.op_type == "MatMul" and node.input[0] not in self._computed:
            return self._product(node, 0)
        return None

    def _error(self, node: "onnx.NodeProto", why: str) -> InputError:
        return InputError(f"{self._name}: {describe_node(node)}: {why}")

    def _convolution(self, node: "onnx.NodeProto") -> NetworkLayer:
        given = attributes(node)
        weights, scales = self._weights(node, out_axis=0)
        if weights.ndim not in (3, 4):
            raise self._error(node, f"weights of shape {weights.shape}: only 1 or 2 axes convolve")
        kernel = weights.shape[2:]
        if tuple(given.get("kernel_shape", kernel)) != kernel:
            raise self._error(
                node, f"kernel_shape = {given['kernel_shape']}, its weights are {weights.shape}"
            )
        groups = given.get("group", 1)
        if groups < 1 or len(weights) % groups:
            raise self._error(node, f"{len(weights)} output channels cannot form {groups} groups")
        axes = weights.ndim - 2
        if axes == 1:  # as if the image had a single row
            weights = weights[:, :, np.newaxis]

        def sizes(key: str, default: int, least: int, count: int) -> list[int]:
            values = list(given.get(key, [default] * count))
            if len(values) != count or min(values) < least or max(values) > _MOST:
                raise self._error(
                    node, f"{key} = {values}: {count} numbers of {least} to {_MOST} are needed"
                )
            return values

        def pair(key: str) -> tuple[int, int]:
            values = sizes(key, 1, 1, axes)
            return (values[0], values[1]) if axes == 2 else (1, values[0])

        mode = given.get("auto_pad", b"NOTSET").decode()
        pads: tuple[int, int, int, int] | None = None
        if mode in ("NOTSET", "VALID"):
            values = sizes("pads", 0, 0, 2 * axes) if mode == "NOTSET" else [0] * 2 * axes
            top, left, bottom, right = values if axes == 2 else (0, values[0], 0, values[1])
            pads = top, left, bottom, right
        elif mode not in _SAME:
            raise self._error(node, f"auto_pad = {mode}: NOTSET, VALID, {', '.join(_SAME)} exist")
        window = Window(
            (weights.shape[2], weights.shape[3]),
            pair("strides"),
            pair("dilations"),
            pads,
            _SAME.get(mode, ""),
        )
        bias = self._bias(node, len(weights))
        return self._make(node, weights, scales, bias, groups, window)

    def _gemm(self, node: "onnx.NodeProto") -> NetworkLayer:
        given = attributes(node)
        if given.get("transA", 0):
            raise self._error(node, "transA = 1 is not supported")
        transposed = bool(given.get("transB", 0))
        weights, scales = self._weights(node, out_axis=0 if transposed else 1)
        weights = weights if transposed else weights.T
        alpha = given.get("alpha", 1.0)
        if weights.dtype.kind == "f":
            with np.errstate(over="ignore"):  # the mapper refuses what is infinite
                weights = weights * weights.dtype.type(alpha)
        else:
            scales = scales * alpha
        bias = self._bias(node, len(weights)) * given.get("beta", 1.0)
        return self._make(node, weights, scales, bias)

    def _product(self, node: "onnx.NodeProto", place: int) -> NetworkLayer:
        """Return a matrix product whose weights are its input number ``place``."""
        weights, scales = self._weights(node, out_axis=place, place=place)
        weights = weights.T if place == 1 else weights
        return self._make(node, weights, scales, np.zeros(len(weights)), place=place)

    def _weights(
        self, node: "onnx.NodeProto", out_axis: int, place: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a layer's stored weights, and what 1 stands for in every output."""
        name = node.input[place]
        producer = self._constants.producers.get(name)
        if producer is not None and producer.op_type == "DequantizeLinear":
            codes = self._codes(producer, out_axis)
            if codes is not None:
                return codes
        weights = self._constants.get(name)
        if weights is None:
            raise self._error(node, f"its weights {name} are missing: they must be constants")
        if weights.dtype.kind != "f" or weights.ndim < 2 or 0 in weights.shape:
            raise self._error(node, f"weights {name} are {weights.dtype} of shape {weights.shape}")
        if node.op_type != "Conv" and weights.ndim != 2:
            raise self._error(node, f"weights {name} of shape {weights.shape} are no matrix")
        if not np.isfinite(weights).all():
            raise self._error(node, f"weights {name} hold values that are no numbers")
        return weights, np.ones(weights.shape[out_axis])

    def _codes(self, node: "onnx.NodeProto", out_axis: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return quantised weights as signed codes with their scales, if outputs have one each."""
        values = [self._constants.get(name) for name in node.input]
        if any(value is None for value in values):
            return None
        stored, scale = np.asarray(values[0]), np.asarray(values[1], np.float64).ravel()
        zero = np.asarray(values[2] if len(values) > 2 else 0).ravel()
        if stored.dtype not in (np.int8, np.uint8) or stored.ndim < 2:
            return None
        axis = attributes(node).get("axis", 1) % stored.ndim
        if len(scale) > 1 and (axis != out_axis or len(scale) != stored.shape[axis]):
            return None
        if not len(scale) or len(zero) not in (1, len(scale)) or not _usable(scale):
            raise self._error(node, f"its scale {scale} and zero point {zero} cannot be used")
        shape = [1] * stored.ndim
        shape[out_axis] = -1
        codes = stored.astype(np.int16) - zero.astype(np.int16).reshape(shape)
        return codes, np.broadcast_to(scale, stored.shape[out_axis]).copy()

    def _bias(self, node: "onnx.NodeProto", outputs: int) -> np.ndarray:
        """Return the constant bias of a Conv or Gemm node."""
        if len(node.input) < 3 or not node.input[2]:
            return np.zeros(outputs)
        bias = self._constants.get(node.input[2])
        if bias is None:
            raise self._error(node, f"its bias {node.input[2]} is missing: it must be constant")
        if bias.dtype.kind != "f" or bias.size not in (1, outputs):
            raise self._error(
                node, f"a bias of {bias.dtype}, shape {bias.shape}, does not fit {outputs} outputs"
            )
        if not np.isfinite(bias).all():
            raise self._error(node, f"bias {node.input[2]} holds values that are no numbers")
        return np.broadcast_to(bias.astype(np.float64).ravel(), outputs).copy()

    def _make(
        self,
        node: "onnx.NodeProto",
        weights: np.ndarray,
        scales: np.ndarray,
        bias: np.ndarray,
        groups: int = 1,
        window: Window | None = None,
        place: int = 1,
    ) -> NetworkLayer:
        source = node.input[1 - place]
        return NetworkLayer(
            name=self._unique_name(node, node.input[place]),
            kind=node.op_type,
            input=source,
            output=node.output[0],
            weights=weights,
            weight_scales=scales,
            bias=bias,
            groups=groups,
            window=window,
            quantisation=self._quantisation(source),
            left=place == 0,
        )

    def _unique_name(self, node: "onnx.NodeProto", weights: str) -> str:
        """Return a name that no other layer has: that of the weights if it means something."""
        producer = self._constants.producers.get(weights)
        stored = producer.input[0] if producer is not None and producer.input else weights
        stored = stored.removesuffix("_quantized")  # as ONNX Runtime's quantiser writes
        name = stored if stored.endswith("weight") else node.name or node.output[0]
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name} #{self._names[name]}"

    def _quantisation(self, name: str) -> Quantisation | None:
        """Return the quantisation of a layer's input if the model has one for it."""
        node = self._constants.producers.get(name)
        if node is None or node.op_type != "DequantizeLinear" or len(node.input) < 3:
            return None
        scale, zero = (self._constants.get(i) for i in node.input[1:3])
        if (
            scale is None
            or zero is None
            or scale.size != 1
            or zero.size != 1
            or zero.dtype not in (np.int8, np.uint8)
        ):
            return None
        if not _usable(scale):
            raise self._error(node, f"its scale {scale} cannot be used")
        limits = np.iinfo(zero.dtype)
        return Quantisation(float(scale.item()), int(zero.item()), int(limits.min), int(limits.max))

    def _with_norm(self, layer: NetworkLayer) -> NetworkLayer:
        """Take a batch normalisation behind a layer into its weights."""
        norm = self._consumers.get(layer.output)
        if norm is None or norm.op_type != "BatchNormalization" or self._uses[layer.output] != 1:
            return layer
        given: dict[str, Any] = attributes(norm)
        values = [self._constants.get(name) for name in norm.input[1:5]]
        trains = given.get("training_mode", 0) or len([o for o in norm.output if o]) > 1
        if trains or any(value is None for value in values):
            return layer
        gain, offset, mean, variance = (np.asarray(v, np.float64) for v in values)
        weights, scales = layer.weights, layer.weight_scales
        # What is no number is left to the operator itself.
        with np.errstate(all="ignore"):
            factors = gain / np.sqrt(variance + given.get("epsilon", 1e-5))
            if factors.shape != (len(weights),):
                return layer
            if weights.dtype.kind == "f":
                shape = (-1, *[1] * (weights.ndim - 1))
                weights = (weights * factors.reshape(shape)).astype(weights.dtype)
            else:
                scales = scales * factors
            bias = (layer.bias - mean) * factors + offset
        if not all(np.isfinite(values).all() for values in (weights, scales, bias)):
            return layer
        return replace(
            layer,
            weights=weights,
            weight_scales=scales,
            bias=bias,
            output=norm.output[0],
        )


def _usable(scale: np.ndarray) -> bool:
    """Tell whether scales are positive, and neither too small nor too large for float32."""
    limits = np.finfo(np.float32)
    return bool(((scale >= limits.tiny) & (scale <= limits.max)).all())
