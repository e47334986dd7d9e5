"""Rounded weights become codes and shifts of pieces, as they stand in cells."""

from collections.abc import Iterator

import numpy as np

from sim.mapping import Parameters
from sim.mapping.layers import Placement, placements
from sim.mapping.layout import PlacedCodes
from sim.mapping.slicing import tile_starts
from sme_hw.params import HardwareParams, ceil_div
from sme_hw.tile_image import EMPTY

from .forms import Forms
from .plan import LayerPlan
from .rounding import Rounded

__all__ = ["cut_rows", "place"]


def cut_rows(order: np.ndarray, tile_rows: int) -> np.ndarray:
    """Return row tiles for rows in a given order: int32, shape (row tiles, crossbar rows)."""
    row_tiles = np.full((ceil_div(len(order), tile_rows), tile_rows), EMPTY, np.int32)
    row_tiles.ravel()[: len(order)] = order
    for tile in row_tiles:
        used = tile != EMPTY
        tile[used] = np.sort(tile[used])
    return row_tiles


def place(rounded: Rounded, plan: LayerPlan, parameters: Parameters) -> list[PlacedCodes]:
    """Return the codes of a layer.

    Parameters
    ----------
    rounded : Rounded
    plan : LayerPlan
        What it was rounded to.
    parameters : Parameters
    """
    groups, rows, columns = rounded.levels.shape
    hardware = parameters.hardware
    if parameters.mapping.policy != "split":
        return [
            _place_whole(placement, rounded, plan, hardware)
            for placement in placements(groups, rows, columns, hardware.rows, hardware.cols)
        ]
    if plan.runs is not None:
        parts = [Placement(run, rows, columns, range(columns)) for run in plan.runs]
    else:
        parts = [
            Placement(
                range(g, g + 1), rows, columns, range(start, min(start + hardware.cols, columns))
            )
            for g in range(groups)
            for start in tile_starts(columns, hardware.cols).tolist()
        ]
    return [_place_pieces(placement, rounded, plan.forms, hardware.cols) for placement in parts]


def _place_whole(
    placement: Placement, rounded: Rounded, plan: LayerPlan, hardware: HardwareParams
) -> PlacedCodes:
    """Place rows that are not split."""
    forms, groups = plan.forms, np.array(placement.groups)
    shift_of = np.array([form.shifts[0] if form.shifts else 0 for form in forms.forms])
    # The place of a tile's planes, where its first form stands, is one of codes, not of rows.
    bases = shift_of[plan.low[groups]].reshape(-1, plan.low.shape[2])
    shifts = shift_of[rounded.forms[groups]].reshape(bases.shape) - bases
    codes = placement.matrix(rounded.levels)
    codes = codes << np.repeat(bases, hardware.cols, axis=1)[:, : codes.shape[1]]
    return PlacedCodes(
        placement,
        codes.astype(np.int16),
        shifts.astype(np.uint8),
        np.arange(len(codes), dtype=np.int32),
        rounded.scales[groups].ravel(),
        None if plan.order is None else cut_rows(plan.order, hardware.rows),
    )


def _place_pieces(
    placement: Placement, rounded: Rounded, forms: Forms, tile_columns: int
) -> PlacedCodes:
    """Place rows that are split: the pieces of a column tile, in the order of their shifts."""
    groups = np.array(placement.groups)
    columns = slice(placement.part.start, placement.part.stop)
    levels = rounded.levels[groups][:, :, columns]
    chosen = rounded.forms[groups][:, :, placement.part.start // tile_columns]
    found = list(_pieces(levels, chosen, forms))
    shifts = np.concatenate([part[0] for part in found])
    sources = np.concatenate([part[1] for part in found])
    codes = np.concatenate([part[2] for part in found])
    order = np.lexsort((sources, shifts))
    if not len(order):  # nothing is left of the weights
        shifts, sources = np.zeros(1, np.int64), np.zeros(1, np.int64)
        codes, order = np.zeros((1, levels.shape[2]), np.int16), np.zeros(1, np.int64)
    shifts, sources, codes = shifts[order], sources[order], codes[order]
    blocks = np.zeros((len(codes), len(groups), levels.shape[2]), np.int16)
    blocks[np.arange(len(codes)), sources // levels.shape[1]] = codes
    return PlacedCodes(
        placement,
        blocks.reshape(len(codes), -1),
        shifts.astype(np.uint8)[:, np.newaxis],
        sources.astype(np.int32),
        rounded.scales[groups][:, columns].ravel(),
    )


def _pieces(
    levels: np.ndarray, chosen: np.ndarray, forms: Forms
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield shifts, sources and codes of all pieces that are not zero, form by form."""
    flat, form_of = levels.reshape(-1, levels.shape[2]), chosen.ravel()
    yield np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, flat.shape[1]), np.int16)
    for form in np.unique(form_of).tolist():
        rows = np.flatnonzero(form_of == form)
        codes = forms.pieces(form, flat[rows])
        for shift, part in zip(forms.forms[form].shifts, codes, strict=True):
            used = part.any(axis=1)
            yield np.full(used.sum(), shift), rows[used], part[used]
