"""Which data belong to which network, and what accuracy is to be reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import onnx

from .float_layers import Arrays
from .float_networks import lenet, mobilenet_v2, resnet8, resnet20, squeezenet
from .quantised_networks import mobilenet_v2_int8, resnet8_int8

__all__ = ["NETWORKS", "Entry"]

_IMAGENET = "imagenet_sample1000_224_q95.npz"
_CIFAR = "cifar10_test_jpeg10k.npz"
_MNIST = "mnist_test10k.npz"


@dataclass(frozen=True)
class Entry:
    """A network, its weights and its data, by the names of files in the data folder.

    Parameters
    ----------
    build : callable
        Makes the graph of the arrays in the weights file.
    weights, data : str
    normalise : str
        For :func:`sim.network.images.normalise.parse_normalise`.
    top1 : float
        Per cent, of all images, as the data folder's README states it; of int8 networks with their
        weights as they are, but activations in floating point.
    label_offset : int
        Classes of the network that come before those of the data.
    """

    build: Callable[[Arrays], onnx.ModelProto]
    weights: str
    data: str
    normalise: str
    top1: float
    label_offset: int = 0


NETWORKS: Mapping[str, Entry] = {
    "squeezenet1.1": Entry(
        squeezenet, "squeezenet1.1_imagenet_f16.npz", _IMAGENET, "imagenet", 61.5
    ),
    "mobilenetv2": Entry(mobilenet_v2, "mobilenetv2_imagenet_f16.npz", _IMAGENET, "imagenet", 83.8),
    "mobilenetv2-int8": Entry(
        mobilenet_v2_int8,
        "mobilenetv2_imagenet_int8_perchannel.npz",
        _IMAGENET,
        "symmetric",
        89.2,
        label_offset=1,
    ),
    # Trained with ImageNet's mean and standard deviation.
    "resnet20": Entry(resnet20, "resnet20_cifar10.npz", _CIFAR, "imagenet", 81.0),
    "resnet8": Entry(resnet8, "resnet8_cifar10_fp32.npz", _CIFAR, "none", 75.5),
    "resnet8-int8": Entry(resnet8_int8, "resnet8_cifar10_int8.npz", _CIFAR, "none", 75.6),
    "lenet": Entry(lenet, "lenet_mnist.npz", _MNIST, "unit", 98.95),
}
