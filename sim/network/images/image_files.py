"""JPEG and PNG images: checked by their headers, decoded when they are needed."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from sme_hw.errors import InputError

from ..packages import one_line, require

__all__ = ["MODES", "Load", "Source", "encoded_images"]

MODES = {1: "L", 3: "RGB"}
"""Pillow's names for grey and colour, by the number of channels."""

_FORMATS = ("JPEG", "PNG")
_EIGHT_BITS = frozenset(["1", "CMYK", "L", "LA", "P", "PA", "RGB", "RGBA", "YCbCr"])

Source = Callable[[], IO[bytes] | io.BytesIO]
"""Opens the bytes of an image."""

Load = Callable[[list[int]], np.ndarray]
"""Gives the inputs with given indices, float32, shape (indices, *input of the network)."""


@contextmanager
def _opened(name: str, source: Source) -> Iterator[Any]:
    """Open an image; whatever is wrong with it becomes an InputError."""
    pillow = require("PIL.Image")
    try:
        with warnings.catch_warnings():
            # Of what Pillow warns of, only images that could exhaust the memory matter.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with source() as file, pillow.open(file, formats=_FORMATS) as image:
                yield image
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders raise all kinds on damaged files
        raise InputError(f"{name} is no intact JPEG or PNG image: {one_line(error)}") from None


def _check_header(name: str, source: Source, size: tuple[int, int]) -> None:
    with _opened(name, source) as image:
        found, mode = image.size, image.mode
    if found != size:
        raise InputError(
            f"{name} has {found[0]} x {found[1]} pixels, the network's input {size[0]} x {size[1]} "
            "(width x height)"
        )
    if mode not in _EIGHT_BITS:
        raise InputError(f"{name} has pixels of kind {mode}; 8 bits a channel are needed")


def encoded_images(
    name: Callable[[int], str],
    source: Callable[[int], Source],
    count: int,
    shape: tuple[int, int, int],
    convert: Callable[[np.ndarray], np.ndarray],
) -> Load:
    """Check the headers of images, and return what decodes them.

    Grey images become colour and the other way round as the network needs; transparency, and an
    orientation noted in the file, are ignored.

    Parameters
    ----------
    name, source : callable
        Give an image's name for messages, and its bytes, by its index.
    count : int
    shape : (int, int, int)
        Height, width and channels of all images.
    convert : callable
        Makes the network's inputs of pixels, uint8, shape (n, height, width, channels).

    Raises
    ------
    InputError
        An image is no JPEG or PNG of this size with 8 bits a channel; also when they are decoded.
    """
    height, width, channels = shape
    for index in range(count):
        _check_header(name(index), source(index), (width, height))

    def load(indices: list[int]) -> np.ndarray:
        pixels = np.empty((len(indices), height, width, channels), np.uint8)
        for row, index in enumerate(indices):
            with _opened(name(index), source(index)) as image:
                decoded = np.asarray(image.convert(MODES[channels]))
                pixels[row] = decoded.reshape(height, width, channels)
        return convert(pixels)

    return load
