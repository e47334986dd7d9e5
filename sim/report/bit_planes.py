"""A picture of the bit planes of a tile, before and after squeeze-out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.mapping import LayerMapping
from sim.mapping.slicing import cell_levels

from .figure import DPI, new_figure, short_name
from .tile_choice import ChosenTile

__all__ = ["TilePlanes", "draw_bit_planes", "tile_planes"]

_POSITIVE, _NEGATIVE, _EMPTY, _RELEASED = "#2166ac", "#b2182b", "#ffffff", "#d9d9d9"

_SIDE = 1.4
"""Least side of a plane in inches: with more cells than pixels there, some would be lost."""

_LONGEST = 4
"""Largest ratio of the sides of a plane that is drawn with square cells."""


@dataclass(frozen=True, eq=False)
class TilePlanes:
    """Cell levels of a tile.

    Parameters
    ----------
    chosen : ChosenTile
    before, after : numpy.ndarray of int16, shape (planes, rows, columns)
        Cell levels with their weights' signs, without and with squeeze-out, the most significant
        plane first; ``after`` has zeros in the planes that squeeze-out released.
    """

    chosen: ChosenTile
    before: np.ndarray
    after: np.ndarray

    @property
    def released(self) -> int:
        """Leading planes that squeeze-out released."""
        return len(self.after) - self.chosen.layer.parameters.hardware.planes

    @property
    def moved_rows(self) -> int:
        """Rows that squeeze-out moved."""
        return int(np.count_nonzero(self.chosen.row_shifts))

    def as_dict(self) -> dict[str, object]:
        """Return what machines read; the cells themselves are in the saved mapping."""
        return {
            "tile": self.chosen.place,
            "rows": self.after.shape[1],
            "columns": self.after.shape[2],
            "moved_rows": self.moved_rows,
            "nonzero_cells": {
                "before": np.count_nonzero(self.before, axis=(1, 2)).tolist(),
                "after": np.count_nonzero(self.after, axis=(1, 2)).tolist(),
            },
        }


def tile_planes(before: LayerMapping, chosen: ChosenTile) -> TilePlanes:
    """Return the planes of a tile.

    Parameters
    ----------
    before : LayerMapping
        The tile's layer, mapped without squeeze-out.
    chosen : ChosenTile
    """
    parameters = chosen.layer.parameters
    cell_bits = parameters.hardware.cell_bits
    planes = parameters.code_bits // cell_bits

    def levels(codes: np.ndarray) -> np.ndarray:
        return cell_levels(np.abs(codes), cell_bits, planes) * np.sign(codes)

    return TilePlanes(chosen, levels(_codes_before(before, chosen)), levels(_codes_of(chosen)))


def _codes_of(chosen: ChosenTile) -> np.ndarray:
    """Return the codes of a tile."""
    return chosen.matrix.codes[chosen.tile.pieces, chosen.tile.columns]


def _codes_before(before: LayerMapping, chosen: ChosenTile) -> np.ndarray:
    """Return the codes of a tile without squeeze-out: for every piece, those of its whole row.

    Without squeeze-out, other groups may share a tile.
    """
    place = chosen.matrix.placement
    inputs = place.input_slice.start + chosen.tile.rows
    outputs = place.output_slice.start + np.arange(place.shape[1])[chosen.tile.columns]
    codes = np.zeros((len(inputs), len(outputs)), np.int16)
    for matrix in before.matrices:
        other = matrix.placement
        rows, columns = inputs - other.input_slice.start, outputs - other.output_slice.start
        own_rows = (rows >= 0) & (rows < other.shape[0])
        own_columns = (columns >= 0) & (columns < other.shape[1])
        part = np.ix_(rows[own_rows], columns[own_columns])
        codes[np.ix_(own_rows, own_columns)] = matrix.codes[part]
    return codes


def draw_bit_planes(tile: TilePlanes, path: Path) -> None:
    """Draw the planes of a tile, without and with squeeze-out.

    Parameters
    ----------
    tile : TilePlanes
    path : path
        Image file to write; its suffix chooses the format.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    count, rows, columns = tile.after.shape
    mapping = tile.chosen.layer.parameters.mapping
    after = "control: plain codes" if mapping.policy == "plain" else "after squeeze-out"
    stacks = {"before squeeze-out": tile.before, after: tile.after}
    if mapping.squeeze == 0:
        stacks = {"no squeeze-out": tile.after}
    figure = new_figure(max(1.6 * count + 0.8, 6.5), 2 * len(stacks) + 0.6)
    from matplotlib.colors import ListedColormap

    colours = ListedColormap([_NEGATIVE, _EMPTY, _POSITIVE])
    aspect = "equal" if max(rows, columns) <= _LONGEST * min(rows, columns) else "auto"
    axes = figure.subplots(len(stacks), count, squeeze=False)
    for line, (label, planes) in zip(axes, stacks.items(), strict=True):
        for number, (axis, plane) in enumerate(zip(line, planes, strict=True), start=1):
            axis.set_xticks([])
            axis.set_yticks([])
            ones = np.count_nonzero(plane)
            title = f"plane {number}: {ones or 'empty'}"
            if planes is tile.after and number <= tile.released:
                axis.set_facecolor(_RELEASED)
                title = f"plane {number}: released"
                plane = np.full(plane.shape, np.nan)
            axis.imshow(
                np.sign(plane),
                cmap=colours,
                vmin=-1,
                vmax=1,
                interpolation="nearest",
                aspect=aspect,
            )
            axis.set_title(title, fontsize=9)
        line[0].set_ylabel(f"{label}\nrows (inputs)", fontsize=9)
    layer, groups = tile.chosen.layer, tile.chosen.matrix.placement.groups
    packed = f", groups {groups[0]}..{groups[-1]} of {layer.groups}" if layer.groups > 1 else ""
    figure.suptitle(
        f"{short_name(layer.name)}{packed}, {tile.chosen.matrix.tile_name(tile.chosen.tile)}\n"
        f"cells that are not 0 (blue +, red -); {tile.moved_rows} of {rows} rows moved down",
        fontsize=10,
        parse_math=False,
    )
    figure.savefig(path, dpi=max(DPI, max(rows, columns) / _SIDE))
