"""Shapes and types of a model's tensors, and whether the memory can hold them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sme_hw.errors import InputError

from .packages import one_line, require

if TYPE_CHECKING:
    import onnx

__all__ = ["MAX_ELEMENTS", "check_shapes", "check_types", "tensor_shapes"]

MAX_ELEMENTS = 1 << 28
"""Elements of the largest tensor that a network may have, for one image: 1 GiB as float32."""

MAX_TOTAL = 4 * MAX_ELEMENTS
"""Elements of all its tensors together: ONNX's reference keeps them all until it is done."""


def _inferred(model: "onnx.ModelProto", image: Sequence[int] | None) -> list["onnx.ValueInfoProto"]:
    """Return what is known of inputs, outputs and computed tensors, for one image."""
    onnx = require("onnx")
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in sized.graph.input:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.HasField("dim_value"):
                continue
            if axis == 0:
                dimension.dim_value = 1
            elif image is not None:
                dimension.dim_value = image[axis - 1]
    graph = onnx.shape_inference.infer_shapes(sized, strict_mode=True, data_prop=True).graph
    return [*graph.input, *graph.value_info, *graph.output]


def tensor_shapes(
    model: "onnx.ModelProto", image: Sequence[int] | None = None
) -> dict[str, list[int]]:
    """Return the shapes of inputs, outputs and computed tensors, for one image.

    Dimensions that are not known are 0.

    Parameters
    ----------
    model : onnx.ModelProto
    image : sequence of int, optional
        Shape of the input without the batch axis, for models that leave it open.
    """
    return {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in _inferred(model, image)
    }


def check_shapes(name: str, model: "onnx.ModelProto", image: Sequence[int] | None = None) -> int:
    """Return the elements of all tensors for one image, as far as shapes can be inferred.

    Parameters
    ----------
    name : str
        The model's name, for messages.
    model : onnx.ModelProto
    image : sequence of int, optional
        Shape of the input without the batch axis, for models that leave it open.

    Raises
    ------
    InputError
        Shapes contradict one another, or the memory would not hold all tensors.
    """
    try:
        shapes = tensor_shapes(model, image)
    except Exception as error:  # shape inference has errors of its own
        raise InputError(f"{name} is no valid ONNX model: {one_line(error)}") from None
    total = 0
    for tensor, sizes in shapes.items():
        if any(size < 0 for size in sizes):
            raise InputError(f"{name}: {tensor} would have shape {sizes}: its input is too small")
        elements = math.prod(sizes)
        if elements > MAX_ELEMENTS:
            raise InputError(
                f"{name}: {tensor} would have shape {sizes}, at most {MAX_ELEMENTS} elements are "
                "possible"
            )
        total += elements
    if total > MAX_TOTAL:
        raise InputError(
            f"{name}: its tensors would have {total} elements for one image, {MAX_TOTAL} are "
            "possible"
        )
    return total


def check_types(name: str, model: "onnx.ModelProto", tensors: Sequence[str]) -> None:
    """Refuse a model in which tensors are known to have another type than float32.

    Raises
    ------
    InputError
        The tensor and its type are named.
    """
    kinds = require("onnx").TensorProto
    for value in _inferred(model, None):
        kind = value.type.tensor_type.elem_type
        if value.name in tensors and kind != kinds.FLOAT:
            found = "no tensor" if kind == 0 else kinds.DataType.Name(kind).lower()
            raise InputError(f"{name}: {value.name} is {found}, only float32 can be run")
