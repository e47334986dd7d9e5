"""Saves mappings and reads them back: mapping.npz for arrays, mapping.json for the rest."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rtl_gen.files import staged_directory, write_json
from sme_hw.errors import InputError

from .layers import placements
from .model import Counts, Errors, LayerMapping, MatrixMapping
from .params import Parameters

__all__ = ["describe", "load_mapping", "save_mapping"]

FORMAT = 1
"""Version of the files; it grows when older readers would misread them."""

_ARRAYS = ("codes", "row_shifts", "row_order", "code_steps")


def _rounded(decibel: float | None) -> float | None:
    return None if decibel is None else round(decibel, 3)


def _crossbars(counts: Counts) -> dict[str, int]:
    keys = ("conventional", "sliced", "squeezed", "physical")
    return {key: getattr(counts, key) for key in keys}


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


def _load_layer(
    entry: dict[str, Any], index: int, parameters: Parameters, archive: Any
) -> LayerMapping:
    hardware = parameters.hardware
    rows, columns = entry["rows"], entry["columns"]
    places = placements(entry["groups"], rows, columns, hardware.rows, hardware.cols)
    matrices = []
    for j, place in enumerate(places):
        codes, shifts, order, steps = (archive[f"{index}.{j}.{kind}"] for kind in _ARRAYS)
        row_tiles = -(-place.shape[0] // hardware.rows)
        tiles = -(-place.shape[1] // hardware.cols)
        expected = (
            place.shape,
            (place.shape[0], tiles),
            (row_tiles, tiles, hardware.rows),
            place.shape[1:],
        )
        if (codes.shape, shifts.shape, order.shape, steps.shape) != expected:
            raise ValueError(f"the arrays of layer {entry['name']} have other shapes")
        matrices.append(MatrixMapping(place, codes, shifts, order, steps))
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
        options = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in content["parameters"].items()
        }
        parameters = Parameters.build(options)
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
