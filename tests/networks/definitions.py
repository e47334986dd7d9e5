"""Definitions of the test networks in PyTorch, with weights and images from numpy's generator."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

__all__ = ["NETWORKS", "build", "images"]

IMAGES = 16
BLOCKS = 4
"""Images are made of BLOCKS x BLOCKS patches of one colour each, which compress well."""


def _conv_bn(inputs: int, outputs: int, kernel: int, **options: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class ResidualBlock(nn.Module):
    """Two convolutions beside an identity, or beside a strided 1 x 1 convolution."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = _conv_bn(inputs, outputs, 3, stride=stride, padding=1)
        self.second = _conv_bn(outputs, outputs, 3, padding=1)
        strided = stride > 1
        self.shortcut = _conv_bn(inputs, outputs, 1, stride=stride) if strided else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output."""
        inner = self.second(functional.relu(self.first(x)))
        return functional.relu(inner + self.shortcut(x))


class Residual(nn.Module):
    """Residual network with batch normalisation, 3 x 16 x 16 to 5 classes."""

    shape = (3, 16, 16)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv_bn(3, 4, 3, padding=1), nn.ReLU())
        self.blocks = nn.Sequential(ResidualBlock(4, 4, 1), ResidualBlock(4, 6, 2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return self.classifier(torch.flatten(self.pool(self.blocks(self.stem(x))), 1))


class Bottleneck(nn.Module):
    """Expand, depthwise convolution, linear projection; added to the input where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        hidden = 2 * inputs
        self.expand = nn.Sequential(_conv_bn(inputs, hidden, 1), nn.ReLU6())
        depthwise = _conv_bn(hidden, hidden, 3, stride=stride, padding=1, groups=hidden)
        self.depthwise = nn.Sequential(depthwise, nn.ReLU6())
        self.project = _conv_bn(hidden, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output."""
        inner = self.project(self.depthwise(self.expand(x)))
        return x + inner if self.residual else inner


class Separable(nn.Module):
    """Depthwise-separable network, 3 x 16 x 16 to 4 classes.

    The stem is padded on two sides only, the last convolution has two groups and is dilated.
    """

    shape = (3, 16, 16)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv_bn(3, 4, 3, stride=2), nn.ReLU6())
        self.blocks = nn.Sequential(Bottleneck(4, 4, 1), Bottleneck(4, 6, 2))
        self.grouped = nn.Conv2d(6, 8, 3, padding=2, dilation=2, groups=2)
        self.classifier = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        x = self.blocks(self.stem(functional.pad(x, (0, 1, 0, 1))))
        return self.classifier(functional.relu(self.grouped(x)).mean((2, 3)))


class Plain(nn.Module):
    """Convolutions, maximum pooling and linear layers, 1 x 12 x 12 to 6 classes."""

    shape = (1, 12, 12)

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 5)
        self.second = nn.Conv2d(4, 6, 3)
        self.hidden = nn.Linear(24, 8)
        self.classifier = nn.Linear(8, 6, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        x = functional.relu(functional.max_pool2d(self.first(x), 2))
        x = torch.flatten(functional.relu(self.second(x)), 1)
        return self.classifier(functional.relu(self.hidden(x)))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "residual": Residual,
    "separable": Separable,
    "plain": Plain,
}


SEEDS = {"residual": 2043, "separable": 2136, "plain": 2122}
"""With these, every network tells its images apart: three classes or more occur."""


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(SEEDS[name])


def build(name: str) -> nn.Module:
    """Return a network for inference, its weights drawn in the order of its parameters."""
    rng = _generator(name)
    network = NETWORKS[name]()
    state = network.state_dict()
    for key, tensor in state.items():
        shape = tuple(tensor.shape)
        if key.endswith("running_var"):
            values = rng.uniform(0.25, 2, size=shape)
        elif len(shape) > 1:
            values = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif key.endswith("weight"):
            # Of both signs, as trained ones are.
            values = rng.choice([-1, 1, 1, 1], size=shape) * rng.uniform(0.5, 1.5, size=shape)
        elif shape:
            values = rng.normal(size=shape) / 8
        else:
            continue
        state[key] = torch.from_numpy(values.astype(np.float32))
    network.load_state_dict(state)
    return network.eval()


def images(name: str) -> np.ndarray:
    """Return the images of a network, uint8, shape (IMAGES, channels, height, width)."""
    rng = _generator(name)
    channels, height, width = NETWORKS[name].shape
    patches = rng.integers(0, 256, size=(IMAGES, channels, BLOCKS, BLOCKS), dtype=np.uint8)
    # Half of them have the image's own colour, so that images differ in their means too.
    colour = rng.integers(0, 256, size=(IMAGES, channels, 1, 1), dtype=np.uint8)
    patches = np.where(rng.integers(2, size=(IMAGES, 1, BLOCKS, BLOCKS)), patches, colour)
    return patches.repeat(height // BLOCKS, axis=2).repeat(width // BLOCKS, axis=3)
