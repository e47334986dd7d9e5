"""What a network takes: shape and layout of its input, and how pixels become its numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sme_hw.errors import InputError

from .image_files import MODES
from .normalise import NORMALISATIONS, Normalise

__all__ = ["LAYOUTS", "InputForm"]

LAYOUTS = ("NCHW", "NHWC")
"""Orders of axes: images, channels, height, width; or channels last."""


@dataclass(frozen=True)
class InputForm:
    """The form of a network's input.

    Parameters
    ----------
    shape : tuple of int
        Without the batch axis.
    layout : str
        One of :data:`LAYOUTS`.
    normalise : Normalise or None
        None for inputs that are the network's numbers already.
    """

    shape: tuple[int, ...]
    layout: str
    normalise: Normalise | None

    def image_shape(self, name: str) -> tuple[int, int, int]:
        """Return height, width and channels of the images called ``name``.

        Raises
        ------
        InputError
            The network takes no images.
        """
        if len(self.shape) != 3:
            raise InputError(f"{name} holds images, the network's input has shape {self.shape}")
        last = self.shape if self.layout == "NHWC" else (*self.shape[1:], self.shape[0])
        height, width, channels = last
        if channels not in MODES:
            raise InputError(
                f"{name} holds images, the network's input has {channels} channels ({self.layout})"
            )
        return height, width, channels

    def converter(self, name: str) -> Callable[[np.ndarray], np.ndarray]:
        """Return a function from pixels, uint8, shape (n, H, W, C), to the network's inputs.

        Raises
        ------
        InputError
            There is no normalisation, or one for another number of channels.
        """
        if self.normalise is None:
            raise InputError(
                f"{name} holds pixels of 0 to 255: a normalisation is needed "
                f"({', '.join(NORMALISATIONS)}, or mean/std)"
            )
        table = self.normalise.table(self.image_shape(name)[2])
        axis = 3 if self.layout == "NHWC" else 1

        def convert(pixels: np.ndarray) -> np.ndarray:
            return np.stack([row[pixels[..., c]] for c, row in enumerate(table)], axis=axis)

        return convert
