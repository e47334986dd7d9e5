"""What a mapping costs beside accuracy, against a conventional one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.mapping import LayerMapping, describe, schedule
from sim.mapping.grouping import shift_cycles
from sim.mapping.layers import placements
from sim.mapping.slicing import occupied_planes, ored_codes
from sme_hw.params import ceil_div

__all__ = ["Costs", "bit_cycle_work", "conventional_work", "costs"]

GROUP_ROWS = 16
"""Rows that are active together, where not all are."""


@dataclass(frozen=True)
class Costs:
    """Crossbars, time and bits of a mapped network.

    Parameters
    ----------
    conventional, crossbars : int
        Crossbars of a conventional mapping, and of this one.
    work, work_grouped : float
        Crossbars times bit-cycles for a vector on every tile, as a part of the conventional: with
        all rows active together, and with :data:`GROUP_ROWS` of them, sorted by shift.
    adc_bits : int
        With which no column of any tile can clip, all rows being active.
    rcmr_bits, index_bits : int
        Bits of row conversion masks, and of row order: tiles' inputs and address generation.
    """

    conventional: int
    crossbars: int
    work: float
    work_grouped: float
    adc_bits: int
    rcmr_bits: int
    index_bits: int


def conventional_work(layer: LayerMapping, group_rows: int) -> int:
    """Return crossbars times bit-cycles of a layer of which all planes are kept in order."""
    hardware = layer.parameters.hardware
    planes = layer.parameters.code_bits // hardware.cell_bits
    groups = 0
    for place in placements(layer.groups, *layer.group_shape, hardware.rows, hardware.cols):
        full, rest = divmod(place.shape[0], hardware.rows)
        of_rows = full * ceil_div(hardware.rows, group_rows) + ceil_div(rest, group_rows)
        groups += of_rows * ceil_div(place.shape[1], hardware.cols)
    return groups * planes * hardware.input_bits


def bit_cycle_work(layer: LayerMapping, group_rows: int) -> int:
    """Return crossbars times bit-cycles of a layer, rows of a tile being sorted by shift.

    Crossbars count if they hold a 1. A group of rows with shifts from s_min to s_max takes
    Ma + s_max - s_min bit-cycles.
    """
    hardware = layer.parameters.hardware
    work = 0
    for matrix in layer.matrices:
        ored = ored_codes(np.abs(matrix.codes), hardware.cols)
        used = occupied_planes(ored, matrix.row_tiles, hardware.cell_bits, hardware.planes)
        for tile in matrix.tiles(hardware):
            planes = int(np.count_nonzero(used[:, tile.row_tile, tile.column_tile]))
            shifts = matrix.part(tile).row_shifts
            order = np.argsort(shifts, kind="stable")
            cycles = ceil_div(len(shifts), group_rows) * hardware.input_bits
            work += planes * (cycles + shift_cycles(shifts, order, group_rows))
    return work


def costs(layers: Sequence[LayerMapping], *, keeps_empty_planes: bool) -> Costs:
    """Return what a mapped network costs.

    Parameters
    ----------
    layers : sequence of LayerMapping
        With ADCs and groups for all rows.
    keeps_empty_planes : bool
        Crossbars without any 1 count, too: the mapping is conventional.
    """
    report = describe(list(layers))
    conventional = report["crossbars"]["conventional"]

    def work(group_rows: int) -> float:
        if keeps_empty_planes:
            return 1.0
        ours = sum(bit_cycle_work(layer, group_rows) for layer in layers)
        return ours / sum(conventional_work(layer, group_rows) for layer in layers)

    return Costs(
        conventional,
        conventional if keeps_empty_planes else report["crossbars"]["squeezed"],
        work(layers[0].parameters.hardware.rows),
        work(GROUP_ROWS),
        max(max(schedule(layer).lossless_adc_bits) for layer in layers),
        report["rcmr_bits"],
        sum(sum(entry["index_bits"].values()) for entry in report["layers"]),
    )
