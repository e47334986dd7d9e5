"""Rounded weights become codes and shifts of pieces, as they stand in cells."""

import numpy as np

from sim.mapping import Parameters
from sim.mapping.layers import Placement, placements
from sim.mapping.layout import PlacedCodes
from sim.mapping.pieces import Pieces, place_pieces
from sim.mapping.row_tiles import fill_tiles
from sim.mapping.slicing import tile_starts
from sme_hw.params import HardwareParams

from .forms import Forms
from .plan import LayerPlan
from .rounding import Rounded

__all__ = ["place"]


def place(rounded: Rounded, plan: LayerPlan, parameters: Parameters) -> list[PlacedCodes]:
    """Return the codes of a layer.

    Parameters
    ----------
    rounded : Rounded
    plan : LayerPlan
        What it was rounded to.
    parameters : Parameters
    """
    groups, rows, columns = shape = rounded.levels.shape
    hardware = parameters.hardware
    if parameters.mapping.policy != "split":
        return [
            _place_whole(placement, rounded, plan, hardware)
            for placement in placements(groups, rows, columns, hardware.rows, hardware.cols)
        ]
    pieces = [
        _cut_tile(rounded.levels[:, :, start : start + hardware.cols], chosen, plan.forms)
        for start, chosen in zip(
            tile_starts(columns, hardware.cols), np.moveaxis(rounded.forms, 2, 0), strict=True
        )
    ]
    return place_pieces(pieces, shape, rounded.scales.ravel(), hardware)


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
        None if plan.order is None else fill_tiles(plan.order, hardware),
    )


def _cut_tile(levels: np.ndarray, chosen: np.ndarray, forms: Forms) -> Pieces:
    """Cut a column of tiles, shape (groups, rows, columns), into pieces that are not zero."""
    flat, form_of = levels.reshape(-1, levels.shape[2]), chosen.ravel()
    shifts, sources, codes = [], [], []
    for form in np.unique(form_of).tolist():
        rows = np.flatnonzero(form_of == form)
        parts = forms.pieces(form, flat[rows])
        for shift, part in zip(forms.forms[form].shifts, parts, strict=True):
            used = part.any(axis=1)
            shifts.append(np.full(used.sum(), shift, np.uint8))
            sources.append(rows[used])
            codes.append(part[used])
    if not codes:  # nothing is left of the weights
        return Pieces(flat[:0].astype(np.int16), np.zeros(0, np.uint8), np.zeros(0, np.int64))
    return Pieces(np.concatenate(codes), np.concatenate(shifts), np.concatenate(sources))
