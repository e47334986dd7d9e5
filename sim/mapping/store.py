"""Saves mappings and reads them back: mapping.npz for arrays, mapping.json for the rest."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtl_gen.files import staged_directory, write_json
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams, index_bits
from sme_hw.program import index_fields
from sme_hw.tile_image import EMPTY

from .checks import check_matrix, check_placements
from .counts import Counts, Errors
from .layers import Placement
from .model import LayerMapping, MatrixMapping
from .params import Parameters
from .quantisation import LayerCalibration, Quantisation

__all__ = ["SeenImages", "describe", "load_mapping", "load_seen", "save_mapping"]

FORMAT = 5
"""Version of the files; it grows when older readers would misread them."""

_DAMAGE = (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile)
"""What reading files raises that hold something else."""

_ARRAYS = ("codes", "row_shifts", "sources", "row_tiles", "row_order", "code_steps")

_PLANE_KEYS = {"weight_bits", "cell_bits"}
"""What a plane means: the bits of a code, and those in a cell."""


@dataclass(frozen=True)
class SeenImages:
    """Images that a mapping was calibrated on: accuracy is to be measured on others.

    Parameters
    ----------
    of : int
        Images of the data set, which tells data sets apart.
    indices : tuple of int
        Those of them that were seen.
    """

    of: int
    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        if not all(type(i) is int and 0 <= i < self.of for i in self.indices):
            raise ValueError(f"the images seen are not all among {self.of}")


def _rounded(decibel: float | None) -> float | None:
    return None if decibel is None else round(decibel, 3)


def _crossbars(counts: Counts) -> dict[str, int]:
    keys = ("conventional", "sliced", "squeezed", "physical")
    return {key: getattr(counts, key) for key in keys}


def _index_bits(layer: LayerMapping) -> dict[str, int]:
    """Return the bits that row order costs: of every tile's inputs, and of address generation.

    Every piece of a row tile has the address of its source; all column tiles share them. Sources
    that follow one another need no addresses.
    """
    hardware = layer.parameters.hardware
    tile = matrix = 0
    for part in layer.matrices:
        tile += part.row_shifts.size * sum(index_fields(hardware).values())
        rows = part.sources[part.row_tiles[part.row_tiles != EMPTY]]
        if not np.array_equal(rows, np.arange(len(rows))):
            matrix += len(rows) * index_bits(part.placement.shape[0])
    return {"tile": tile, "matrix": matrix}


def _nonzero_rows(counts: Counts) -> dict[str, Any]:
    """Return the rows with a 1 in each plane, before, and pieces after; and what part of all."""
    before, after = counts.nonzero_rows_before, counts.nonzero_rows_after
    return {
        "rows": counts.rows,
        "before": list(before),
        "after": list(after),
        "share_before": [round(rows / counts.rows, 6) for rows in before],
        "share_after": [round(pieces / counts.pieces, 6) for pieces in after],
    }


def _split_parameters(layers: list[LayerMapping]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the options that all layers share, and those of each layer that they do not."""
    options = [layer.parameters.as_dict() for layer in layers]
    shared = {
        key: value
        for key, value in options[0].items()
        if all(other[key] == value for other in options)
    }
    return shared, [{k: v for k, v in own.items() if k not in shared} for own in options]


def _describe_layer(layer: LayerMapping, differing: dict[str, Any]) -> dict[str, Any]:
    rows, columns = layer.group_shape
    errors = layer.errors
    return {
        "name": layer.name,
        "shape": list(layer.shape),
        "groups": layer.groups,
        "rows": rows,
        "columns": columns,
        "codec": layer.codec,
        "parameters": differing,
        "tiles": layer.counts.tiles,
        "crossbars": _crossbars(layer.counts),
        "planes": {
            "built": layer.parameters.hardware.planes,
            "with_ones": sum(rows > 0 for rows in layer.counts.nonzero_rows_after),
        },
        "nonzero_rows": _nonzero_rows(layer.counts),
        "rcmr_bits": layer.counts.rcmr_bits,
        "index_bits": _index_bits(layer),
        "pieces": layer.counts.pieces,
        "shifted_rows": layer.counts.shifted_rows,
        "rows_outside_window": layer.counts.rows_outside_window,
        "sqnr_db": {
            kind: _rounded(errors.sqnr_db(getattr(errors, kind)))
            for kind in ("quantisation", "squeeze", "total")
        },
        "squared_errors": asdict(errors),
        "input": None if layer.calibration is None else layer.calibration.quantisation.as_dict(),
    }


def describe(layers: list[LayerMapping]) -> dict[str, Any]:
    """Return a mapping's report for machines: totals, and every layer.

    ``rows`` and ``columns`` are those of one group's matrix. ``parameters`` at the top are those
    that all layers share; where they differ, each layer has its own. Rows per plane have a total
    only if the planes of all layers mean the same.
    """
    shared, differing = _split_parameters(layers)
    total = Counts()
    for layer in layers:
        total.add(layer.counts)
    return {
        "format": FORMAT,
        "parameters": shared,
        "crossbars": _crossbars(total),
        "tiles": total.tiles,
        "rcmr_bits": total.rcmr_bits,
        "pieces": total.pieces,
        "shifted_rows": total.shifted_rows,
        "nonzero_rows": None if differing[0].keys() & _PLANE_KEYS else _nonzero_rows(total),
        "layers": list(map(_describe_layer, layers, differing)),
    }


def save_mapping(
    layers: list[LayerMapping], directory: str | Path, seen: Sequence[SeenImages] = ()
) -> None:
    """Write ``mapping.npz`` and ``mapping.json`` into a folder.

    Parameters
    ----------
    layers : list of LayerMapping
        At least one.
    directory : path
        It is made if need be. On any error nothing is written.
    seen : sequence of SeenImages
        What images the mapping was calibrated on, for each data set.
    """
    arrays = {
        f"{i}.{j}.{kind}": getattr(matrix, kind)
        for i, layer in enumerate(layers)
        for j, matrix in enumerate(layer.matrices)
        for kind in _ARRAYS
    }
    for i, layer in enumerate(layers):
        if layer.calibration is not None:
            arrays[f"{i}.factors"] = layer.calibration.quantisation.factors
            arrays[f"{i}.bias"] = layer.calibration.bias
    arrays |= {f"{i}.placements": _write_placements(layer) for i, layer in enumerate(layers)}
    with staged_directory(directory) as stage:
        np.savez(stage / "mapping.npz", allow_pickle=False, **arrays)
        content = describe(layers) | {"seen_images": [asdict(images) for images in seen]}
        write_json(stage / "mapping.json", content)


def _write_placements(layer: LayerMapping) -> np.ndarray:
    """Return the groups and columns of every matrix, shape (matrices, 4): first, and after last."""
    places = [matrix.placement for matrix in layer.matrices]
    ends = [(p.groups.start, p.groups.stop, p.part.start, p.part.stop) for p in places]
    return np.array(ends, np.int64)


def _read_placements(ends: np.ndarray, group_shape: tuple[int, int]) -> list[Placement]:
    """Return placements from what :func:`_write_placements` gave."""
    if ends.ndim != 2 or ends.shape[1] != 4 or ends.dtype != np.int64:
        raise ValueError(f"placements are {ends.dtype} of shape {ends.shape}")
    return [
        Placement(range(first, end), *group_shape, range(left, right))
        for first, end, left, right in ends.tolist()
    ]


def _load_calibration(
    entry: dict[str, Any], index: int, hardware: HardwareParams, archive: Any
) -> LayerCalibration | None:
    name, found = entry["name"], entry["input"]
    if found is None:
        return None
    low, high, zero_point = found["low"], found["high"], found["zero_point"]
    least, largest = hardware.input_range
    if not least <= low <= zero_point <= high <= largest:
        raise ValueError(f"the integers of layer {name} are not in {least}..{largest}")
    factors, bias = archive[f"{index}.factors"], archive[f"{index}.bias"]
    channels = entry["shape"][1] * entry["groups"]
    if {factors.dtype, bias.dtype} != {np.dtype(np.float64)}:
        raise ValueError(f"the calibration of layer {name} has other types")
    if factors.shape not in ((1,), (channels,)) or bias.shape != (entry["shape"][0],):
        raise ValueError(f"the calibration of layer {name} has other shapes")
    scales = found["scale"] * factors
    if not (np.isfinite(scales) & (scales > 0)).all() or not np.isfinite(bias).all():
        raise ValueError(f"the calibration of layer {name} holds no usable numbers")
    return LayerCalibration(Quantisation(found["scale"], zero_point, low, high, factors), bias)


def _load_layer(
    entry: dict[str, Any], index: int, shared: dict[str, Any], archive: Any
) -> LayerMapping:
    parameters = Parameters.build(shared | entry["parameters"])
    group_shape = entry["rows"], entry["columns"]
    try:
        places = _read_placements(archive[f"{index}.placements"], group_shape)
        check_placements(places, entry["groups"], group_shape, parameters.hardware.cols)
        matrices = []
        for j, place in enumerate(places):
            arrays = (archive[f"{index}.{j}.{kind}"] for kind in _ARRAYS)
            matrices.append(MatrixMapping(place, *arrays))
            check_matrix(matrices[-1], parameters.hardware)
    except ValueError as error:
        raise ValueError(f"layer {entry['name']}: {error}") from None
    nonzero_rows = entry["nonzero_rows"]
    counts = Counts(
        tiles=entry["tiles"],
        rcmr_bits=entry["rcmr_bits"],
        rows=nonzero_rows["rows"],
        pieces=entry["pieces"],
        shifted_rows=entry["shifted_rows"],
        rows_outside_window=entry["rows_outside_window"],
        nonzero_rows_before=tuple(nonzero_rows["before"]),
        nonzero_rows_after=tuple(nonzero_rows["after"]),
        **entry["crossbars"],
    )
    return LayerMapping(
        entry["name"],
        tuple(entry["shape"]),
        entry["groups"],
        parameters,
        entry["codec"],
        tuple(matrices),
        counts,
        Errors(**entry["squared_errors"]),
        _load_calibration(entry, index, parameters.hardware, archive),
    )


def _read_content(folder: Path) -> dict[str, Any]:
    """Return what ``mapping.json`` holds."""
    content: dict[str, Any] = json.loads((folder / "mapping.json").read_text(encoding="utf-8"))
    if content["format"] != FORMAT:
        raise ValueError(f"it has format {content['format']}, this version reads {FORMAT}")
    return content


def _unreadable(folder: Path, error: Exception) -> InputError:
    text = " ".join(str(error).split())
    return InputError(f"the mapping in {folder} cannot be read: {text}")


def load_mapping(directory: str | Path) -> list[LayerMapping]:
    """Read a mapping back.

    Raises
    ------
    InputError
        A file is missing, damaged, or of another version.
    """
    folder = Path(directory)
    try:
        content = _read_content(folder)
        with (
            (folder / "mapping.npz").open("rb") as file,
            np.load(file, allow_pickle=False) as archive,
        ):
            return [
                _load_layer(entry, i, content["parameters"], archive)
                for i, entry in enumerate(content["layers"])
            ]
    except _DAMAGE as error:
        raise _unreadable(folder, error) from None


def load_seen(directory: str | Path) -> list[SeenImages]:
    """Return the images that a saved mapping was calibrated on.

    Raises
    ------
    InputError
        The file is missing, damaged, or of another version.
    """
    folder = Path(directory)
    try:
        entries = _read_content(folder)["seen_images"]
        return [SeenImages(entry["of"], tuple(entry["indices"])) for entry in entries]
    except _DAMAGE as error:
        raise _unreadable(folder, error) from None
