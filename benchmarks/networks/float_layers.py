"""Layers of floating-point networks, by the names of their weights."""

from collections.abc import Mapping, Sequence

import numpy as np

from .graph import Graph

__all__ = ["batch_norm", "conv", "linear"]

Arrays = Mapping[str, np.ndarray]


def _weights(graph: Graph, arrays: Arrays, name: str) -> list[str]:
    """Add weights, and the bias if there is one."""
    names = [key for key in (f"{name}.weight", f"{name}.bias") if key in arrays]
    return [graph.constant(key, arrays[key]) for key in names]


def conv(
    graph: Graph,
    arrays: Arrays,
    x: str,
    name: str,
    *,
    stride: int = 1,
    pads: Sequence[int] = (0, 0, 0, 0),
    groups: int = 1,
) -> str:
    """Add a convolution."""
    return graph.add(
        name,
        "Conv",
        x,
        *_weights(graph, arrays, name),
        strides=[stride, stride],
        pads=pads,
        group=groups,
    )


def batch_norm(graph: Graph, arrays: Arrays, x: str, name: str) -> str:
    """Add a batch normalisation."""
    keys = [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
    return graph.add(
        name, "BatchNormalization", x, *(graph.constant(k, arrays[k]) for k in keys), epsilon=1e-5
    )


def linear(graph: Graph, arrays: Arrays, x: str, name: str) -> str:
    """Add a fully connected layer; weights have shape (out, in)."""
    return graph.add(name, "Gemm", x, *_weights(graph, arrays, name), transB=1)
