"""A network run once on a few images, so that what cannot work is said before long work."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from sme_hw.errors import InputError

from .forward import FloatNetwork, forward
from .network import Network
from .shapes import check_types

__all__ = ["check_runnable", "rehearse"]


def _layer_tensors(network: Network) -> list[str]:
    """Return the names of the layers' inputs and outputs, without the network's output."""
    names = {name for layer in network.layers for name in (layer.input, layer.output)}
    return sorted(names - {network.output_name})


def check_runnable(network: Network) -> None:
    """Refuse a network with layers, inputs or outputs of another type than float32.

    Raises
    ------
    InputError
        A tensor is known to have another type.
    """
    ends = [network.input_name, network.output_name]
    check_types(network.name, network.model, [*ends, *_layer_tensors(network)])


def rehearse(network: Network, batches: Iterable[tuple[np.ndarray, np.ndarray | None]]) -> None:
    """Run a network in floating point, and all that is no layer by ONNX's reference, too.

    Parameters
    ----------
    network : Network
    batches : iterable of (images, labels)

    Raises
    ------
    InputError
        An operator cannot run, a tensor of a layer is empty or not finite, or the
        output is none for each image.
    """
    tensors = _layer_tensors(network)
    floats = FloatNetwork(network, [network.output_name, *tensors])
    for images, _ in batches:
        reference, *values = floats.run(images)
        known = dict(zip(tensors, values, strict=True)) | {network.output_name: reference}
        for name, tensor in known.items():
            if not tensor.size or not np.isfinite(tensor).all():
                what = "holds values that are no numbers" if tensor.size else "is empty"
                raise InputError(f"{network.name}: {name} {what}")
        outputs = [known[layer.output] for layer in network.layers]
        ours = forward(network, partial(_replay, outputs))(images)
        for result in (reference, ours):
            if result.shape[:1] != (len(images),):
                raise InputError(
                    f"{network.name}: its output {network.output_name} has shape {result.shape} "
                    f"for {len(images)} images: these must be its first axis"
                )


def _replay(outputs: Sequence[np.ndarray], index: int, values: np.ndarray) -> np.ndarray:
    return outputs[index]
