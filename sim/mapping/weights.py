"""Reads weight files: .npy, .npz and .safetensors."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sme_hw.errors import InputError

__all__ = ["LayerWeights", "read_array", "read_arrays", "read_layers"]


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """Weights of one layer as a file holds them.

    Parameters
    ----------
    name : str
    weights : numpy.ndarray, shape (out, in) or (out, in / groups, kh, kw)
    groups : int
    """

    name: str
    weights: np.ndarray
    groups: int


Layers = tuple[list[LayerWeights], list[str]]
Arrays = Callable[[Path], Iterator[tuple[str, Callable[[], np.ndarray]]]]


def read_array(path: str | Path) -> np.ndarray:
    """Return the array of a .npy file.

    Raises
    ------
    InputError
        It cannot be read, is cut short, or holds Python objects.
    """
    try:
        with Path(path).open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {_line(error)}") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} holds several arrays; a single one (.npy) is needed")
    return array


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file by their names.

    Raises
    ------
    InputError
        It cannot be read, is cut short, or holds Python objects.
    """
    try:
        return {name: load() for name, load in _npz_arrays(Path(path))}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {_line(error)}") from None


def _line(error: Exception) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _npz_arrays(path: Path) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    # numpy leaves a file open that it cannot read, unless it was opened for it.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        for name in archive.files:
            yield name, partial(archive.__getitem__, name)


def _safetensors_arrays(path: Path) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise InputError(f"{path}: reading it needs: pip install sme[models]") from None
    try:
        with safe_open(path, framework="numpy") as archive:
            names = archive.keys()
            for name in names:
                yield name, partial(archive.get_tensor, name)
    except SafetensorError as error:
        raise ValueError(str(error)) from None


def _groups_of(name: str, weights: np.ndarray, given: Mapping[str, int]) -> int:
    """Return the groups of a layer: as given, or depthwise if it looks like that."""
    if name in given:
        return given[name]
    depthwise = weights.ndim == 4 and weights.shape[1] == 1 and weights.shape[0] > 1
    return weights.shape[0] if depthwise else 1


def _read_matrix(path: Path, given: Mapping[str, int]) -> Layers:
    if given:
        raise InputError(f"groups {next(iter(given))}: a .npy file holds a dense matrix")
    matrix = read_array(path)
    if matrix.ndim != 2:
        raise InputError(f"{path}: a matrix (rows x columns) is needed, not {matrix.shape}")
    return [LayerWeights(path.stem, matrix.T, 1)], []


def _read_archive(open_arrays: Arrays, path: Path, given: Mapping[str, int]) -> Layers:
    layers, ignored = [], []
    try:
        for name, load in open_arrays(path):
            array = load() if name.endswith("weight") else None
            if array is not None and array.ndim in (2, 4):
                layers.append(LayerWeights(name, array, _groups_of(name, array, given)))
            else:
                ignored.append(name)
    except InputError:
        raise
    except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {_line(error)}") from None
    if not layers:
        raise InputError(f"{path} holds no array of 2 or 4 axes whose name ends in 'weight'")
    return layers, ignored


_READERS: dict[str, Callable[[Path, Mapping[str, int]], Layers]] = {
    ".npy": _read_matrix,
    ".npz": partial(_read_archive, _npz_arrays),
    ".safetensors": partial(_read_archive, _safetensors_arrays),
}
"""Readers of weight files by suffix: from the path and given groups to layers and names of what is
ignored."""


def read_layers(
    path: str | Path, groups: Mapping[str, int] | None = None
) -> tuple[list[LayerWeights], list[str]]:
    """Read the layers of a weight file.

    Parameters
    ----------
    path : path
        A .npy file holds one matrix, rows = inputs. In .npz and .safetensors files, arrays whose
        name ends in ``weight`` are layers, shape (out, in) or (out, in / groups, kh, kw).
    groups : mapping, optional
        Groups of convolutions by name; elsewhere a 4-D array with in / groups = 1 and out > 1 is
        taken as depthwise.

    Returns
    -------
    layers : list of LayerWeights
    ignored : list of str
        The other arrays' names.

    Raises
    ------
    InputError
        The file cannot be read or holds no layer, or ``groups`` names no layer.
    """
    path, given = Path(path), dict(groups or {})
    if path.suffix not in _READERS:
        raise InputError(f"{path}: one of {', '.join(_READERS)} or a network, .onnx, is needed")
    layers, ignored = _READERS[path.suffix](path, given)
    names = [layer.name for layer in layers]
    for name in given:
        if name not in names:
            raise InputError(f"groups {name}: there is no such layer, only {', '.join(names)}")
    return layers, ignored
