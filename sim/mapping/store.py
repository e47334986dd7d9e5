"""Saves mappings and reads them back: mapping.npz for arrays, mapping.json for the rest."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rtl_gen.files import staged_directory, write_json
from sme_hw.errors import InputError
from sme_hw.params import index_bits
from sme_hw.program import index_fields
from sme_hw.tile_image import EMPTY

from .layers import placements
from .model import Counts, Errors, LayerMapping, MatrixMapping
from .params import Parameters

__all__ = ["describe", "load_mapping", "save_mapping"]

FORMAT = 3
"""Version of the files; it grows when older readers would misread them."""

_ARRAYS = ("codes", "row_shifts", "row_tiles", "row_order", "code_steps")


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


def _describe_layer(layer: LayerMapping) -> dict[str, Any]:
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
        "tiles": layer.counts.tiles,
        "crossbars": _crossbars(layer.counts),
        "rcmr_bits": layer.counts.rcmr_bits,
        "index_bits": _index_bits(layer),
        "shifted_rows": layer.counts.shifted_rows,
        "rows_outside_window": layer.counts.rows_outside_window,
        "sqnr_db": {
            kind: _rounded(errors.sqnr_db(getattr(errors, kind)))
            for kind in ("quantisation", "squeeze", "total")
        },
        "squared_errors": asdict(errors),
    }


def describe(layers: list[LayerMapping]) -> dict[str, Any]:
    """Return a mapping's report for machines: totals, and every layer.

    ``rows`` and ``columns`` are those of one group's matrix.
    """
    total = Counts()
    for layer in layers:
        total.add(layer.counts)
    return {
        "format": FORMAT,
        "parameters": layers[0].parameters.as_dict(),
        "crossbars": _crossbars(total),
        "tiles": total.tiles,
        "rcmr_bits": total.rcmr_bits,
        "layers": [_describe_layer(layer) for layer in layers],
    }


def save_mapping(layers: list[LayerMapping], directory: str | Path) -> None:
    """Write ``mapping.npz`` and ``mapping.json`` into a folder.

    Parameters
    ----------
    layers : list of LayerMapping
        At least one, all with the same parameters.
    directory : path
        It is made if need be. On any error nothing is written.
    """
    arrays = {
        f"{i}.{j}.{kind}": getattr(matrix, kind)
        for i, layer in enumerate(layers)
        for j, matrix in enumerate(layer.matrices)
        for kind in _ARRAYS
    }
    with staged_directory(directory) as stage:
        np.savez(stage / "mapping.npz", allow_pickle=False, **arrays)
        write_json(stage / "mapping.json", describe(layers))


def _check_row_tiles(name: str, matrix: MatrixMapping) -> None:
    """Refuse row tiles that lose or repeat a row, or have none."""
    used = matrix.row_tiles != EMPTY
    ended = (used[:, 1:] <= used[:, :-1]).all() and used[:, 0].all()
    if not ended or sorted(matrix.row_tiles[used].tolist()) != list(range(len(matrix.codes))):
        raise ValueError(f"the row tiles of layer {name} do not hold every row once")


def _load_layer(
    entry: dict[str, Any], index: int, parameters: Parameters, archive: Any
) -> LayerMapping:
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
    counts = Counts(
        tiles=entry["tiles"],
        rcmr_bits=entry["rcmr_bits"],
        shifted_rows=entry["shifted_rows"],
        rows_outside_window=entry["rows_outside_window"],
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
        parameters = Parameters.build(content["parameters"])
        with (
            (folder / "mapping.npz").open("rb") as file,
            np.load(file, allow_pickle=False) as archive,
        ):
            return [
                _load_layer(entry, i, parameters, archive)
                for i, entry in enumerate(content["layers"])
            ]
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        text = " ".join(str(error).split())
        raise InputError(f"the mapping in {folder} cannot be read: {text}") from None
