"""Images and labels in .npz files."""

import io
from itertools import pairwise
from pathlib import Path

import numpy as np

from sme_hw.errors import InputError

from .image_files import Load, Source, encoded_images
from .input_form import InputForm
from .npz_file import array_names, read_npz

__all__ = ["read_npz_images"]

_PIXELS = ("images", "x")
_LABELS = ("labels", "y")


def _described(array: np.ndarray) -> str:
    return f"{array.dtype} of shape {array.shape}"


def _jpeg(path: Path, form: InputForm) -> tuple[int, Load]:
    """Open images that are bytes end to end."""
    data, offset = read_npz(path, ["jpeg", "offset"])
    if data.ndim != 1 or data.dtype != np.uint8:
        raise InputError(f"{path}: jpeg must be bytes (uint8) end to end, not {_described(data)}")
    if offset.ndim != 1 or offset.dtype.kind not in "iu" or len(offset) < 2:
        raise InputError(
            f"{path}: offset must be integers, one more than images, not {_described(offset)}"
        )
    ends = [int(value) for value in offset]
    for index, (start, end) in enumerate(pairwise(ends)):
        if not 0 <= start < end <= len(data):
            raise InputError(
                f"{path}: offset[{index}] = {start}, offset[{index + 1}] = {end}: ascending "
                f"numbers of 0 to {len(data)} are needed"
            )

    def name(index: int) -> str:
        return f"{path}, image {index}"

    def source(index: int) -> Source:
        return lambda: io.BytesIO(data[ends[index] : ends[index + 1]].tobytes())

    convert = form.converter(str(path))
    count = len(ends) - 1
    return count, encoded_images(name, source, count, form.image_shape(str(path)), convert)


def _array(path: Path, name: str, form: InputForm) -> tuple[int, Load]:
    """Open an array of pixels, or of the network's inputs themselves."""
    (array,) = read_npz(path, [name])
    if array.ndim < 2 or not len(array):
        raise InputError(
            f"{path}: {name} must hold inputs one after the other, not {_described(array)}"
        )
    if array.dtype.kind == "f":
        return len(array), _inputs(path, name, array, form)
    if array.dtype != np.uint8:
        raise InputError(f"{path}: {name} must be uint8 or floats, not {array.dtype}")
    height, width, channels = form.image_shape(str(path))
    convert = form.converter(str(path))
    if array.shape[1:] == (channels, height, width):
        array = np.moveaxis(array, 1, 3)
    elif array.shape[1:] == (height, width) and channels == 1:
        array = array[..., None]
    elif array.shape[1:] != (height, width, channels):
        raise InputError(
            f"{path}: {name} holds images of shape {array.shape[1:]}, the network's input has "
            f"{channels} channels of {height} x {width}"
        )
    return len(array), lambda indices: convert(array[indices])


def _inputs(path: Path, name: str, array: np.ndarray, form: InputForm) -> Load:
    if form.normalise is not None:
        raise InputError(
            f"{path}: {name} holds floats, which are taken as they are: no normalisation"
        )
    if array.shape[1:] != form.shape:
        raise InputError(
            f"{path}: {name} holds inputs of shape {array.shape[1:]}, "
            f"the network's input has {form.shape}"
        )

    def load(indices: list[int]) -> np.ndarray:
        # What float32 cannot hold becomes infinite, and is refused.
        with np.errstate(over="ignore"):
            inputs = array[indices].astype(np.float32)
        for index, values in zip(indices, inputs, strict=True):
            if not np.isfinite(values).all():
                raise InputError(f"{path}: {name}[{index}] holds values that are no float32")
        return inputs

    return load


def _labels(path: Path, name: str) -> np.ndarray:
    (labels,) = read_npz(path, [name])
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise InputError(
            f"{path}: {name} must be class numbers, one for each image, not {_described(labels)}"
        )
    return labels


def read_npz_images(path: Path, form: InputForm) -> tuple[int, np.ndarray | None, Load]:
    """Open the images of an .npz file.

    Returns
    -------
    count : int
    labels : numpy.ndarray or None
        Integers, as the file holds them.
    load : callable

    Raises
    ------
    InputError
        It cannot be read, lacks the arrays that are needed, or these have the wrong form.
    """
    names = array_names(path)
    labels = next((name for name in _LABELS if name in names), None)
    pixels = next((name for name in _PIXELS if name in names), None)
    if {"jpeg", "offset"} <= set(names):
        count, load = _jpeg(path, form)
    elif pixels is not None:
        count, load = _array(path, pixels, form)
    else:
        raise InputError(
            f"{path} must hold jpeg and offset, or one of {', '.join(_PIXELS)}; it holds "
            f"{', '.join(names) or 'nothing'}"
        )
    return count, None if labels is None else _labels(path, labels), load
