"""Images and labels that networks are evaluated on, read when they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sme_hw.errors import InputError

from .image_files import Load
from .image_table import read_folder_images
from .input_form import InputForm
from .normalise import Normalise
from .npz_images import read_npz_images

__all__ = ["Images", "read_images"]

_CHECK_BLOCK = 64
_ANY_CLASS = 1 << 31
"""Bound of labels where the number of classes is not known."""


@dataclass(frozen=True, eq=False)
class Images:
    """Inputs of a network and their classes.

    Parameters
    ----------
    name : str
        For messages.
    count : int
    labels : numpy.ndarray or None
        int64, shape (count,).
    load : callable
        Gives the inputs with given indices; see :meth:`batch`.
    """

    name: str
    count: int
    labels: np.ndarray | None
    load: Load

    def batch(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some inputs, float32, shape (indices, *input of the network).

        Raises
        ------
        InputError
            An image cannot be decoded, or an input is not finite; it is named.
        """
        return self.load([int(index) for index in indices])

    def check(self, indices: Sequence[int] | np.ndarray) -> None:
        """Decode some inputs and forget them, so that :meth:`batch` will not fail on them.

        Raises
        ------
        InputError
            As for :meth:`batch`.
        """
        for start in range(0, len(indices), _CHECK_BLOCK):
            self.batch(indices[start : start + _CHECK_BLOCK])


def _checked_labels(
    name: str, count: int, labels: np.ndarray, classes: int | None, offset: int
) -> np.ndarray:
    """Return labels as the network numbers its classes."""
    if len(labels) != count:
        raise InputError(f"{name} has {count} images and {len(labels)} labels")
    last = (_ANY_CLASS if classes is None else classes) - 1
    # Compared before the offset is added: sums of small integers would wrap.
    wrong = np.flatnonzero((labels < -offset) | (labels > last - offset))
    if wrong.size:
        raise InputError(
            f"{name}: the label of image {wrong[0]} is {labels[wrong[0]]}, "
            f"{max(-offset, 0)} to {last - offset} are possible"
        )
    return labels.astype(np.int64) + offset


def read_images(
    path: str | Path,
    *,
    shape: tuple[int, ...],
    normalise: Normalise | None,
    layout: str = "NCHW",
    classes: int | None = None,
    label_offset: int = 0,
) -> Images:
    """Open images for a network, and check all that can be checked without decoding them.

    Parameters
    ----------
    path : path
        An .npz file with ``jpeg`` (uint8, the bytes of JPEG or PNG images end to end) and
        ``offset`` (images + 1); or with ``images`` or ``x``: uint8, shape (n, C, H, W),
        (n, H, W, C) or, if grey, (n, H, W); or floats, taken as the network's inputs as they are.
        ``labels`` or ``y`` may be in it. Or a .csv file with the columns ``file,label``, or a
        folder that holds one.
    shape : tuple of int
        Shape of the network's input without the batch axis.
    normalise : Normalise or None
        None for inputs that are floats already, and only for these.
    layout : str
        One of :data:`sim.network.images.input_form.LAYOUTS`.
    classes : int, optional
        How many the network tells apart.
    label_offset : int
        Added to the labels, for networks with classes of their own in front.

    Returns
    -------
    Images

    Raises
    ------
    InputError
        Something cannot be read, has the wrong form or size, or labels are out of range; file,
        image or line, and value are named.
    """
    form = InputForm(tuple(shape), layout, normalise)
    path = Path(path)
    if path.is_dir() or path.suffix == ".csv":
        count, labels, load = read_folder_images(path, form)
    elif path.suffix == ".npz":
        count, labels, load = read_npz_images(path, form)
    else:
        raise InputError(f"{path}: an .npz file, a .csv file or a folder with one is needed")
    if labels is not None:
        labels = _checked_labels(str(path), count, labels, classes, label_offset)
    return Images(str(path), count, labels, load)
