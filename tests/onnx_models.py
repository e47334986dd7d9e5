"""Small ONNX models, written to files."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["norm_model", "save"]

OPSET = 18


def save(path, nodes, inputs, constants, outputs=("y",)):
    """Write a model; ``inputs`` are shapes by name, ``constants`` arrays by name."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 10
    model = onnx.shape_inference.infer_shapes(model)
    for output in model.graph.output:
        output.type.tensor_type.shape.SetInParent()  # a scalar where nothing is known
    onnx.save(model, path)
    return path


def norm_model(path, rng, *, shared=False):
    """Write Conv -> BatchNormalization; ``shared``: something else looks in between."""
    constants = {
        "w": rng.normal(size=(5, 3, 3, 3)).astype(np.float32),
        "gain": rng.normal(size=5).astype(np.float32),
        "offset": rng.normal(size=5).astype(np.float32),
        "mean": rng.normal(size=5).astype(np.float32),
        "variance": rng.uniform(0.1, 2, 5).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node(
            "BatchNormalization", ["c", "gain", "offset", "mean", "variance"], ["n"], epsilon=1e-3
        ),
        helper.make_node("Add", ["n", "c" if shared else "n"], ["y"]),
    ]
    return save(path, nodes, {"x": ["N", 3, 6, 6]}, constants)
