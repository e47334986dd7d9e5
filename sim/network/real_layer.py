"""A weight layer in floating point, with any weights."""

from typing import Any

import numpy as np

from sim.mapping import LayerMapping

from .layer import NetworkLayer
from .operators import open_session
from .packages import require

__all__ = ["RealLayer", "real_weights"]


def real_weights(mapping: LayerMapping) -> np.ndarray:
    """Return what a mapping stands for: float64, shape (groups, rows, columns)."""
    rows, columns = mapping.group_shape
    result = np.zeros((mapping.groups, rows, columns))
    for matrix in mapping.matrices:
        place = matrix.placement
        weights = matrix.weights(mapping.parameters.hardware) * matrix.code_steps
        for i, group in enumerate(place.groups):
            width = len(place.part)
            block = weights[i * rows : (i + 1) * rows, i * width : (i + 1) * width]
            result[group, :, place.part.start : place.part.stop] = block
    return result


class RealLayer:
    """Computes a layer for real inputs.

    Parameters
    ----------
    layer : NetworkLayer
    """

    def __init__(self, layer: NetworkLayer):
        self._layer = layer
        self._session: Any = None

    @property
    def weights(self) -> np.ndarray:
        """The layer's own weights, float64, shape (groups, rows, columns)."""
        layer = self._layer
        real = layer.weights.astype(np.float64).reshape(len(layer.weights), -1)
        real *= layer.weight_scales[:, np.newaxis]
        return real.reshape(layer.groups, -1, real.shape[1]).swapaxes(1, 2)

    def __call__(self, values: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Return the layer's output as float32.

        Parameters
        ----------
        values : numpy.ndarray of float32
            The layer's input.
        weights : numpy.ndarray, shape (groups, rows, columns)
            Unrolled.
        bias : numpy.ndarray, shape (outputs,)
        """
        layer = self._layer
        rows = weights.swapaxes(1, 2).reshape(layer.weights.shape).astype(np.float32)
        bias = bias.astype(np.float32)
        if layer.window is None:
            last = np.moveaxis(values, layer.axis, -1)
            return np.moveaxis(last @ rows.T + bias, -1, layer.axis)
        flat = values.ndim == 3  # one axis: as if images had a single row
        if self._session is None:
            self._session = self._convolution()
        images = values[:, :, np.newaxis] if flat else values
        outputs = self._session.run(None, {"x": images, "w": rows, "b": bias})[0]
        return outputs[:, :, 0] if flat else outputs

    def _convolution(self) -> Any:
        """Return a session that computes a convolution of ``x`` with weights ``w`` and ``b``."""
        helper, window = require("onnx.helper"), self._layer.window
        assert window is not None
        if window.pads is not None:
            padding: dict[str, Any] = {"pads": window.pads}
        else:
            padding = {"auto_pad": f"SAME_{window.same.upper()}"}
        node = helper.make_node(
            "Conv",
            ["x", "w", "b"],
            ["y"],
            group=self._layer.groups,
            strides=window.strides,
            dilations=window.dilations,
            **padding,
        )
        float32 = require("onnx").TensorProto.FLOAT
        tensors = [helper.make_tensor_value_info(name, float32, None) for name in "xwby"]
        graph = helper.make_graph([node], "layer", tensors[:3], tensors[3:])
        opsets = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return open_session(model, keeps_memory=False)
