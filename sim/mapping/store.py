"""Saves mappings and reads them back: mapping.npz for arrays, mapping.json for the rest."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rtl_gen.files import staged_directory, write_json
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams, index_bits
from sme_hw.program import index_fields
from sme_hw.tile_image import EMPTY

from .layers import placements
from .model import Counts, Errors, LayerMapping, MatrixMapping
from .params import Parameters
from .quantisation import LayerCalibration, Quantisation

__all__ = ["describe", "load_mapping", "save_mapping"]

FORMAT = 4
"""Version of the files; it grows when older readers would misread them."""

_ARRAYS = ("codes", "row_shifts", "row_tiles", "row_order", "code_steps")

_PLANE_KEYS = {"weight_bits", "cell_bits"}
"""What a plane means: the bits of a code, and those in a cell."""


def _rounded(decibel: float | None) -> float | None:
    return None if decibel is None else round(decibel, 3)


def _crossbars(counts: Counts) -> dict[str, int]:
    keys = ("conventional", "sliced", "squeezed", "physical")
    return {key: getattr(counts, key) for key in keys}


def _index_bits(layer: LayerMapping) -> dict[str, int]:
    """Return the bits that row order costs: of every tile's inputs, and of address generation.

    Row tiles whose rows follow one another need no addresses; all column tiles share them.
    """
    hardware = layer.parameters.hardware
    tile = matrix = 0
    for part in layer.matrices:
        rows, column_tiles = part.row_shifts.shape
        tile += rows * column_tiles * sum(index_fields(hardware).values())
        if (np.diff(part.row_tiles[part.row_tiles != EMPTY]) < 0).any():
            matrix += rows * index_bits(rows)
    return {"tile": tile, "matrix": matrix}


def _nonzero_rows(counts: Counts) -> dict[str, Any]:
    """Return the rows with a 1 in each plane, and what part of all rows that is."""
    found = {"before": counts.nonzero_rows_before, "after": counts.nonzero_rows_after}
    shares = {
        f"share_{when}": [round(rows / counts.rows, 6) for rows in numbers]
        for when, numbers in found.items()
    }
    return {"rows": counts.rows, **{k: list(v) for k, v in found.items()}, **shares}


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
    groups = layer.groups
    rows = int(np.prod(layer.shape[1:])) if len(layer.shape) > 1 else 1
    errors = layer.errors
    return {
        "name": layer.name,
        "shape": list(layer.shape),
        "groups": groups,
        "rows": rows,
        "columns": layer.shape[0] // groups,
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
        "shifted_rows": total.shifted_rows,
        "nonzero_rows": None if differing[0].keys() & _PLANE_KEYS else _nonzero_rows(total),
        "layers": list(map(_describe_layer, layers, differing)),
    }


def save_mapping(layers: list[LayerMapping], directory: str | Path) -> None:
    """Write ``mapping.npz`` and ``mapping.json`` into a folder.

    Parameters
    ----------
    layers : list of LayerMapping
        At least one.
    directory : path
        It is made if need be. On any error nothing is written.
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
    with staged_directory(directory) as stage:
        np.savez(stage / "mapping.npz", allow_pickle=False, **arrays)
        write_json(stage / "mapping.json", describe(layers))


def _check_row_tiles(name: str, matrix: MatrixMapping) -> None:
    """Refuse row tiles that lose or repeat a row, or have none."""
    used = matrix.row_tiles != EMPTY
    ended = (used[:, 1:] <= used[:, :-1]).all() and used[:, 0].all()
    if not ended or sorted(matrix.row_tiles[used].tolist()) != list(range(len(matrix.codes))):
        raise ValueError(f"the row tiles of layer {name} do not hold every row once")


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
    hardware = parameters.hardware
    rows, columns = entry["rows"], entry["columns"]
    places = placements(entry["groups"], rows, columns, hardware.rows, hardware.cols)
    matrices = []
    for j, place in enumerate(places):
        arrays = [archive[f"{index}.{j}.{kind}"] for kind in _ARRAYS]
        row_tiles = -(-place.shape[0] // hardware.rows)
        tiles = -(-place.shape[1] // hardware.cols)
        expected = (
            place.shape,
            (place.shape[0], tiles),
            (row_tiles, hardware.rows),
            (row_tiles, tiles, hardware.rows),
            place.shape[1:],
        )
        if tuple(array.shape for array in arrays) != expected:
            raise ValueError(f"the arrays of layer {entry['name']} have other shapes")
        matrix = MatrixMapping(place, *arrays)
        _check_row_tiles(entry["name"], matrix)
        matrices.append(matrix)
    nonzero_rows = entry["nonzero_rows"]
    counts = Counts(
        tiles=entry["tiles"],
        rcmr_bits=entry["rcmr_bits"],
        rows=nonzero_rows["rows"],
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
        _load_calibration(entry, index, hardware, archive),
    )


def load_mapping(directory: str | Path) -> list[LayerMapping]:
    """Read a mapping back.

    Raises
    ------
    InputError
        A file is missing, damaged, or of another version.
    """
    folder = Path(directory)
    try:
        content = json.loads((folder / "mapping.json").read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"it has format {content['format']}, this version reads {FORMAT}")
        with (
            (folder / "mapping.npz").open("rb") as file,
            np.load(file, allow_pickle=False) as archive,
        ):
            return [
                _load_layer(entry, i, content["parameters"], archive)
                for i, entry in enumerate(content["layers"])
            ]
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        text = " ".join(str(error).split())
        raise InputError(f"the mapping in {folder} cannot be read: {text}") from None
