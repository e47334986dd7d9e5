"""Opens networks and images in the data folder."""

import os
from pathlib import Path

import onnx

from sim.network.images import Images, read_images
from sim.network.images.normalise import parse_normalise
from sim.network.images.npz_file import array_names, read_npz
from sme_hw.errors import InputError

from .catalogue import Entry

__all__ = ["build_network", "data_folder", "open_images"]


def data_folder(given: str | None) -> Path:
    """Return the folder with weights and images: as given, or from the variable SME_DATA.

    Raises
    ------
    InputError
        There is none.
    """
    folder = given or os.environ.get("SME_DATA")
    if not folder:
        raise InputError("no data: give the folder with --data, or by the variable SME_DATA")
    if not Path(folder).is_dir():
        raise InputError(f"no data: there is no folder {folder}")
    return Path(folder)


def build_network(folder: Path, entry: Entry) -> onnx.ModelProto:
    """Return a network's graph.

    Raises
    ------
    InputError
        Its weights cannot be read.
    """
    path = folder / entry.weights
    names = array_names(path)
    return entry.build(dict(zip(names, read_npz(path, names), strict=True)))


def open_images(folder: Path, entry: Entry, model: onnx.ModelProto) -> Images:
    """Open a network's images.

    Raises
    ------
    InputError
        They cannot be read.
    """
    inputs, outputs = (
        tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)[1:]
        for value in (model.graph.input[0], model.graph.output[0])
    )
    return read_images(
        folder / entry.data,
        shape=inputs,
        normalise=parse_normalise(entry.normalise),
        classes=outputs[0],
        label_offset=entry.label_offset,
    )
