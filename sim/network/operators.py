"""Operators as ONNX's reference implementation runs them, and those that it lacks."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .packages import require

if TYPE_CHECKING:
    import onnx

__all__ = ["open_session", "reference_evaluator"]

_DELEGATED = ("AveragePool", "DequantizeLinear", "LRN", "LpPool", "MaxPool", "Resize")
"""Operators whose reference implementation is missing for some opsets, or goes through outputs one
by one."""


def open_session(model: "onnx.ModelProto", *, keeps_memory: bool = True) -> Any:
    """Return a session of ONNX Runtime that says what is wrong in its errors alone.

    Parameters
    ----------
    model : onnx.ModelProto
    keeps_memory : bool
        The session keeps the memory of its largest run, and is the faster for it: for few sessions.
    """
    runtime = require("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = keeps_memory
    # Threads that wait by spinning would take the cores from everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _node_session(operator: Any, inputs: Sequence[np.ndarray | None]) -> Any:
    """Return a session for the node of an operator alone, and for inputs like these."""
    onnx = require("onnx")
    helper, node = onnx.helper, operator.onnx_node
    values = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), [None] * value.ndim
        )
        for name, value in zip(node.input, inputs, strict=True)
        if value is not None
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], node.op_type, values, outputs)
    opsets = [helper.make_opsetid(*item) for item in operator.run_params["opsets"].items()]
    return open_session(helper.make_model(graph, opset_imports=opsets, ir_version=8))


def _run(operator: Any, *inputs: np.ndarray | None, **given: object) -> tuple[np.ndarray, ...]:
    """Run an operator; its session is kept."""
    if not hasattr(operator, "session"):
        operator.session = _node_session(operator, inputs)
    pairs = zip(operator.onnx_node.input, inputs, strict=True)
    feed = {name: value for name, value in pairs if value is not None}
    return tuple(operator.session.run(None, feed))


@cache
def _run_in_runtime(kind: str) -> Any:
    """Return an operator for the evaluator that leaves the work to ONNX Runtime.

    Parameters
    ----------
    kind : str
        Operator of the standard.
    """
    # No class statement: the base class is there only once it is needed.
    base = require("onnx.reference.op_run").OpRun
    return type(kind, (base,), {"op_domain": "", "_run": _run})


def reference_evaluator(model: "onnx.ModelProto", operators: Sequence[Any] = ()) -> Any:
    """Return an evaluator of a model.

    Parameters
    ----------
    model : onnx.ModelProto
    operators : sequence of classes
        Operators of our own.
    """
    reference = require("onnx.reference")
    delegates = [_run_in_runtime(kind) for kind in _DELEGATED]
    return reference.ReferenceEvaluator(model, new_ops=[*operators, *delegates])
