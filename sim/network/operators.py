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


@cache
def _run_in_runtime(kind: str) -> Any:
    """Return an operator for the evaluator that leaves the work to ONNX Runtime.

    Parameters
    ----------
    kind : str
        Operator of the standard.
    """
    onnx = require("onnx")
    op_run = require("onnx.reference.op_run")

    # The base class is imported only when it is needed: nothing that mypy could follow.
    class Delegate(op_run.OpRun):  # type: ignore[misc, name-defined]
        op_domain = ""

        def _session(self, inputs: Sequence[np.ndarray | None]) -> Any:
            helper = onnx.helper
            values = [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(value.dtype), [None] * value.ndim
                )
                for name, value in zip(self.onnx_node.input, inputs, strict=True)
                if value is not None
            ]
            outputs = [onnx.ValueInfoProto(name=name) for name in self.onnx_node.output]
            graph = helper.make_graph([self.onnx_node], kind, values, outputs)
            opsets = [helper.make_opsetid(*item) for item in self.run_params["opsets"].items()]
            model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
            return open_session(model)

        def _run(self, *inputs: np.ndarray | None, **given: object) -> tuple[np.ndarray, ...]:
            if not hasattr(self, "session"):
                self.session = self._session(inputs)
            pairs = zip(self.onnx_node.input, inputs, strict=True)
            feed = {name: value for name, value in pairs if value is not None}
            return tuple(self.session.run(None, feed))

    Delegate.__name__ = kind
    return Delegate


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
