"""Operators as ONNX's reference implementation runs them, and those that it lacks."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .onnx_file import require

if TYPE_CHECKING:
    import onnx

__all__ = ["reference_evaluator"]

_DEQUANTIZE_SINCE = 19
"""First opset whose DequantizeLinear the reference implementation has."""


def _channels(values: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    """Return per-channel values in a shape that broadcasts with a tensor of ``ndim`` axes."""
    if values.ndim == 0 or values.size == 1:
        return values.reshape(())
    shape = [1] * ndim
    shape[axis] = -1
    return values.reshape(shape)


@cache
def _dequantize_linear() -> Any:
    op_run = require("onnx.reference.op_run")

    class DequantizeLinear(op_run.OpRun):  # type: ignore[misc, name-defined]
        """As the standard defines it since opset 10; the axis came with 13."""

        op_domain = ""

        def _run(
            self,
            x: np.ndarray,
            x_scale: np.ndarray,
            x_zero_point: np.ndarray | None = None,
            axis: int = 1,
            **later: object,
        ) -> tuple[np.ndarray]:
            # ``later``: attributes of newer opsets, at their defaults.
            if x_zero_point is not None:
                x = x.astype(np.int32) - _channels(x_zero_point.astype(np.int32), axis, x.ndim)
            return (x.astype(np.float32) * _channels(x_scale, axis, x.ndim),)

    return DequantizeLinear


def reference_evaluator(model: "onnx.ModelProto", operators: Sequence[Any] = ()) -> Any:
    """Return an evaluator of a model.

    Parameters
    ----------
    model : onnx.ModelProto
    operators : sequence of classes
        Operators of our own.
    """
    reference = require("onnx.reference")
    version = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    more = [_dequantize_linear()] if version < _DEQUANTIZE_SINCE else []
    return reference.ReferenceEvaluator(model, new_ops=[*operators, *more])
