"""Reads an .onnx file, trusting nothing in it."""

import math
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sme_hw.errors import InputError

from .packages import one_line, require
from .shapes import MAX_ELEMENTS, check_shapes

if TYPE_CHECKING:
    import onnx

__all__ = ["load_model"]

MAX_BYTES = (1 << 31) - 1
"""Size of the largest model, weights in external files included: protobuf's own limit."""

MAX_NODES = 1 << 17
"""Nodes of the largest model, when the functions that it defines stand where they are called."""

_FIRST_WITHOUT_STORED_INPUTS = 4
"""Version of ONNX's format in which stored tensors need not be inputs, too."""


def load_model(path: str | Path) -> "onnx.ModelProto":
    """Return the model in an .onnx file, checked and with all its weights.

    Shapes are inferred, so that what cannot fit the memory is refused before anything is computed.
    Functions of the model stand where they were called, and inputs with a stored value are none.

    Parameters
    ----------
    path : path
        Weights may lie in files beside it (external data), in its folder or below.

    Raises
    ------
    InputError
        It cannot be read or is cut short, breaks the rules of ONNX (cycles, types, unknown
        operators), has more than :data:`sim.network.shapes.MAX_ELEMENTS` elements in its tensors,
        :data:`MAX_BYTES` or :data:`MAX_NODES`, or external data outside its folder.
    """
    onnx = require("onnx")
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{path} is larger than an .onnx file can be: {MAX_BYTES} bytes")
        model = onnx.load_model(str(path), load_external_data=False)
    except InputError:
        raise
    except Exception as error:  # protobuf's errors have no common base beside Exception
        raise InputError(f"{path} cannot be read as ONNX: {one_line(error)}") from None
    if not model.graph.node:
        raise InputError(f"{path} cannot be read as ONNX: its graph has no nodes")
    if not model.graph.output:
        raise InputError(f"{path} has no output")
    _check_tensors(path, model, size)
    _check_functions(path, model)
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
        if model.functions:
            model = require("onnx.inliner").inline_local_functions(model)
        onnx.checker.check_model(model)
    except Exception as error:
        raise InputError(f"{path} is no valid ONNX model: {one_line(error)}") from None
    _drop_stored_inputs(model)
    check_shapes(str(path), model)
    return model


def _all_nodes(nodes: Iterable["onnx.NodeProto"]) -> Iterator["onnx.NodeProto"]:
    """Yield nodes, and those of the graphs in their attributes."""
    for node in nodes:
        yield node
        for inner in _graphs(node):
            yield from _all_nodes(inner.node)


def _graphs(node: "onnx.NodeProto") -> Iterator["onnx.GraphProto"]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _tensors(model: "onnx.ModelProto") -> Iterator["onnx.TensorProto"]:
    """Yield the tensors that a model holds, wherever they are."""
    yield from model.graph.initializer
    for nodes in (model.graph.node, *(function.node for function in model.functions)):
        for node in _all_nodes(nodes):
            for inner in _graphs(node):
                yield from inner.initializer
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors


def _check_tensors(path: Path, model: "onnx.ModelProto", size: int) -> None:
    """Refuse tensors that are larger than their data, or whose data lies elsewhere."""
    folder = path.parent.resolve()
    for tensor in _tensors(model):
        elements = math.prod(tensor.dims)
        if any(length < 0 for length in tensor.dims) or elements > MAX_ELEMENTS:
            raise InputError(
                f"{path}: tensor {tensor.name} has shape {list(tensor.dims)}, at most "
                f"{MAX_ELEMENTS} elements are possible"
            )
        if tensor.external_data:
            size += _external_bytes(path, folder, tensor)
            if size > MAX_BYTES:
                raise InputError(
                    f"{path} with its external data is larger than {MAX_BYTES} bytes, at tensor "
                    f"{tensor.name}"
                )
    if model.graph.sparse_initializer:
        raise InputError(f"{path}: sparse initializers are not supported")


def _external_bytes(path: Path, folder: Path, tensor: "onnx.TensorProto") -> int:
    """Return the size of external data; it must be in the model's folder and exist."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    try:
        target = (folder / location).resolve()
        is_file = target.is_file()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: tensor {tensor.name}: {one_line(error)}") from None
    if not location or not target.is_relative_to(folder):
        raise InputError(
            f"{path}: tensor {tensor.name} lies in {location!r}, outside the folder of the model"
        )
    if not is_file:
        raise InputError(f"{path}: tensor {tensor.name} lies in {location!r}, which is no file")
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError:
        raise InputError(f"{path}: tensor {tensor.name} has no usable offset and length") from None
    size = target.stat().st_size
    # Without a length, everything behind the offset is read.
    last = offset + length if length else size
    if not 0 <= offset <= last <= size:
        raise InputError(
            f"{path}: tensor {tensor.name} takes bytes {offset}..{last} of {location!r}, which has "
            f"{size}"
        )
    return last - offset


def _check_functions(path: Path, model: "onnx.ModelProto") -> None:
    """Refuse functions that call one another without end, or would grow beyond all bounds."""
    functions = {(f.domain, f.name, f.overload): f for f in model.functions}

    def nodes_of(nodes: Iterable["onnx.NodeProto"]) -> int:
        called = ((node.domain, node.op_type, node.overload) for node in _all_nodes(nodes))
        return sum(size_of(key) if key in functions else 1 for key in called)

    @cache
    def size_of(key: tuple[str, str, str]) -> int:
        return nodes_of(functions[key].node)

    try:
        nodes = nodes_of(model.graph.node)
    except RecursionError:
        raise InputError(f"{path}: its functions call one another without end") from None
    if nodes > MAX_NODES:
        raise InputError(f"{path} has {nodes} nodes, functions unfolded; {MAX_NODES} are possible")


def _drop_stored_inputs(model: "onnx.ModelProto") -> None:
    """Let inputs that have a stored value, as in files of old versions, be constants."""
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    if len(inputs) < len(model.graph.input):
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        model.ir_version = max(model.ir_version, _FIRST_WITHOUT_STORED_INPUTS)
