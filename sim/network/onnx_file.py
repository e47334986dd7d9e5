"""Reads an .onnx file, trusting nothing in it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sme_hw.errors import InputError

from .packages import one_line, require

if TYPE_CHECKING:
    import onnx

__all__ = ["MAX_ELEMENTS", "load_model", "tensor_shapes"]

MAX_ELEMENTS = 1 << 28
"""Elements of the largest tensor that a network may have, for one image: 1 GiB as float32."""

MAX_BYTES = (1 << 31) - 1
"""Size of the largest .onnx file: protobuf's own limit. Weights in external files do not count."""


def load_model(path: str | Path) -> "onnx.ModelProto":
    """Return the model in an .onnx file, checked and with all its weights.

    Shapes are inferred with every unknown dimension 1, so that what cannot fit the memory is
    refused before anything is computed.

    Parameters
    ----------
    path : path
        Weights may lie in files beside it (external data), in its folder or below.

    Raises
    ------
    InputError
        It cannot be read or is cut short, breaks the rules of ONNX (cycles, types, unknown
        operators), has tensors of more than :data:`MAX_ELEMENTS` elements, or external data
        outside its folder.
    """
    onnx = require("onnx")
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than an .onnx file can be: {MAX_BYTES} bytes")
        model = onnx.load_model(str(path), load_external_data=False)
    except InputError:
        raise
    except Exception as error:  # protobuf's errors have no common base beside Exception
        raise InputError(f"{path} cannot be read as ONNX: {one_line(error)}") from None
    if not model.graph.node:
        raise InputError(f"{path} cannot be read as ONNX: its graph has no nodes")
    _check_tensors(path, model)
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        onnx.checker.check_model(model)
        _check_shapes(path, model)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path} is no valid ONNX model: {one_line(error)}") from None
    return model


def _tensors(graph: "onnx.GraphProto") -> Iterator["onnx.TensorProto"]:
    """Yield the tensors that a graph holds, those of its nodes' attributes and subgraphs too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _check_tensors(path: Path, model: "onnx.ModelProto") -> None:
    """Refuse tensors that are larger than their data, or whose data lies elsewhere."""
    folder = path.parent.resolve()
    for tensor in _tensors(model.graph):
        elements = math.prod(tensor.dims)
        if any(size < 0 for size in tensor.dims) or elements > MAX_ELEMENTS:
            raise InputError(
                f"{path}: tensor {tensor.name} has shape {list(tensor.dims)}, at most "
                f"{MAX_ELEMENTS} elements are possible"
            )
        if tensor.external_data:
            _check_external(path, folder, tensor)
    if model.graph.sparse_initializer:
        raise InputError(f"{path}: sparse initializers are not supported")


def _check_external(path: Path, folder: Path, tensor: "onnx.TensorProto") -> None:
    """Refuse external data that is outside the model's folder or has another size."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    target = (folder / location).resolve()
    if not location or not target.is_relative_to(folder):
        raise InputError(
            f"{path}: tensor {tensor.name} lies in {location!r}, outside the folder of the model"
        )
    if not target.is_file():
        raise InputError(f"{path}: tensor {tensor.name} lies in {location!r}, which is no file")
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError:
        raise InputError(f"{path}: tensor {tensor.name} has no usable offset and length") from None
    size = target.stat().st_size
    # Without a length, everything behind the offset is read.
    last = offset + length if length else size
    if not 0 <= offset <= last <= size or last - offset > 8 * MAX_ELEMENTS:
        raise InputError(
            f"{path}: tensor {tensor.name} takes bytes {offset}..{last} of {location!r}, which has "
            f"{size}"
        )


def tensor_shapes(model: "onnx.ModelProto") -> dict[str, list[int]]:
    """Return the shapes of inputs, outputs and computed tensors, for one image.

    Dimensions that are not known are 1; without them, 0.
    """
    onnx = require("onnx")
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in sized.graph.input:
        for dimension in value.type.tensor_type.shape.dim:
            if not dimension.HasField("dim_value"):
                dimension.dim_value = 1
    graph = onnx.shape_inference.infer_shapes(sized, strict_mode=True, data_prop=True).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


def _check_shapes(path: Path, model: "onnx.ModelProto") -> None:
    """Refuse tensors that are too large for the memory as far as shapes can be inferred."""
    for name, sizes in tensor_shapes(model).items():
        if math.prod(sizes) > MAX_ELEMENTS or any(size < 0 for size in sizes):
            raise InputError(
                f"{path}: {name} would have shape {sizes}, at most {MAX_ELEMENTS} elements are "
                "possible"
            )
