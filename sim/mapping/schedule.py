"""What the row order of a mapping means in time and ADC bits."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sme_hw.cycles import compute_cycles
from sme_hw.params import HardwareParams, check_int
from sme_hw.tile_image import TileImage

from .grouping import shift_cycles
from .layers import placements
from .least_cycles import bit_cycles_bound, mark_shifts
from .model import LayerMapping
from .slicing import ored_codes

__all__ = ["MAX_UNITS", "Schedule", "Spread", "schedule", "spread"]

MAX_UNITS = 10**6
"""Compute units of the largest machine; the paper's chip has 128 banks of 12."""


@dataclass(frozen=True)
class Spread:
    """A layer's tiles on a number of compute units, for one vector.

    Parameters
    ----------
    units : int
    makespan : int
        Clocks until the last unit is done, each computing its tiles in turn. Loading a unit with
        its next tile is not included.
    total : int
        Clocks of all tiles.
    bound : int
        No distribution is faster: the longest tile, or an equal share of all of them.
    """

    units: int
    makespan: int
    total: int
    bound: int

    def as_dict(self) -> dict[str, int | float]:
        """Return what machines read."""
        mean = self.total / self.units
        return {
            "units": self.units,
            "makespan_clocks": self.makespan,
            "mean_clocks": round(mean, 2),
            "makespan_over_mean": round(self.makespan / mean, 4),
            "bound_clocks": self.bound,
            "makespan_over_bound": round(self.makespan / self.bound, 4),
        }


def spread(clocks: Sequence[int], units: int) -> Spread:
    """Distribute tiles over compute units: the longest first, each to the unit that is free first.

    This takes at most (4 - 1 / units) / 3 times as long as the best distribution [1]_.

    Parameters
    ----------
    clocks : sequence of int
        Clocks of every tile; at least one.
    units : int

    Raises
    ------
    ParameterError
        There is no such number of units.

    References
    ----------
    .. [1] R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM Journal on Applied
       Mathematics 17, 1969, doi:10.1137/0117039.

    Examples
    --------
    >>> spread([5, 5, 4, 4, 3, 3, 3], 3)
    Spread(units=3, makespan=11, total=27, bound=9)
    """
    check_int("units", units, 1, MAX_UNITS)
    loads = [0] * min(units, len(clocks))
    for tile in sorted(clocks, reverse=True):
        heapq.heapreplace(loads, loads[0] + tile)
    total = sum(clocks)
    return Spread(units, max(loads), total, max(*clocks, -(-total // units)))


@dataclass(frozen=True)
class Schedule:
    """Work of a layer for one vector per tile.

    Parameters
    ----------
    bit_cycles : int
        Bit-cycles of all groups of all tiles.
    bit_cycles_in_order : int
        The same if pieces stayed in order (grouping ``none``), also when they are cut into tiles.
    bit_cycles_conventional : int
        The same without squeeze-out, no row being split or moved: every group takes Ma.
    bit_cycles_bound : int
        No row order takes fewer, whichever tiles rows go to.
    crossbar_cycles : int
        Bit-cycles of every tile times its crossbars that hold a 1 (planes, both signs as one).
    crossbar_cycles_conventional : int
        The same without squeeze-out, all planes of every tile being kept.
    lossless_adc_bits : tuple of int
        ADC bits per built plane with which no column of any tile can clip.
    columns_that_can_clip : tuple of int
        Per built plane: columns of groups, both signs, whose sum can exceed the configured ADC.
    tile_clocks : tuple of int
        Clocks a vector takes on each tile's compute unit.
    """

    bit_cycles: int
    bit_cycles_in_order: int
    bit_cycles_conventional: int
    bit_cycles_bound: int
    crossbar_cycles: int
    crossbar_cycles_conventional: int
    lossless_adc_bits: tuple[int, ...]
    columns_that_can_clip: tuple[int, ...]
    tile_clocks: tuple[int, ...] = field(repr=False)

    def as_dict(self, units: int | None = None) -> dict[str, object]:
        """Return what machines read.

        Parameters
        ----------
        units : int, optional
            Compute units that tiles are distributed over; one for each tile by default.
        """
        return {
            "bit_cycles": self.bit_cycles,
            "crossbar_cycles": {
                "conventional": self.crossbar_cycles_conventional,
                "squeezed": self.crossbar_cycles,
            },
            "speed_up": {
                "against_rows_in_order": round(self.bit_cycles_in_order / self.bit_cycles, 4),
                "against_conventional": round(self.bit_cycles_conventional / self.bit_cycles, 4),
                "of_the_bound": round(self.bit_cycles_bound / self.bit_cycles, 4),
            },
            "lossless_adc_bits": list(self.lossless_adc_bits),
            "columns_that_can_clip": list(self.columns_that_can_clip),
            **self.spread(units).as_dict(),
        }

    def spread(self, units: int | None = None) -> Spread:
        """Return how the tiles spread over compute units; one for each tile by default."""
        return spread(self.tile_clocks, len(self.tile_clocks) if units is None else units)


def _column_sums(image: TileImage, group_rows: int) -> np.ndarray:
    """Return the sums of all cells of each group's columns: (signs, planes, groups, columns)."""
    starts = np.arange(0, image.physical_rows, group_rows)
    return np.add.reduceat(image.cells, starts, axis=2, dtype=np.int32)


def _groups(rows: int, hardware: HardwareParams) -> int:
    """Return the groups of rows that are cut into tiles as they come."""
    full, rest = divmod(rows, hardware.rows)
    return full * hardware.slots - (-rest // hardware.group_rows)


def _conventional_groups(layer: LayerMapping) -> int:
    """Return the groups of all tiles of a layer if rows are neither split nor moved."""
    hardware = layer.parameters.hardware
    shapes = (
        place.shape
        for place in placements(layer.groups, *layer.group_shape, hardware.rows, hardware.cols)
    )
    return sum(_groups(rows, hardware) * -(-columns // hardware.cols) for rows, columns in shapes)


def schedule(layer: LayerMapping) -> Schedule:
    """Return the schedule of a mapped layer.

    Parameters
    ----------
    layer : LayerMapping
    """
    hardware = layer.parameters.hardware
    g, ma = hardware.group_rows, hardware.input_bits
    limits = (2 ** np.array(hardware.plane_adc_bits) << hardware.adc_lsb) - 1
    peaks = np.zeros(hardware.planes, np.int64)
    clipping = np.zeros(hardware.planes, np.int64)
    ours = in_order = bound = crossbar_cycles = 0
    clocks = []
    for matrix in layer.matrices:
        shifts = np.unique(matrix.row_shifts)
        ones = ored_codes(np.abs(matrix.codes), hardware.cols)
        counts = mark_shifts(ones, matrix.row_shifts, shifts).sum(axis=0)
        bound += bit_cycles_bound(counts, shifts, len(matrix.row_tiles), hardware)
        pieces, column_tiles = matrix.row_shifts.shape
        in_order += _groups(pieces, hardware) * ma * column_tiles
        for start in range(0, pieces, hardware.rows):
            block = matrix.row_shifts[start : start + hardware.rows]
            in_order += sum(shift_cycles(s, np.arange(len(block)), g) for s in block.T)
        for tile in matrix.tiles(hardware):
            image = matrix.image(tile, hardware)
            sums = _column_sums(image, g)
            peaks = np.maximum(peaks, sums.max(axis=(0, 2, 3)))
            clipping += np.count_nonzero(sums > limits[:, None, None], axis=(0, 2, 3))
            used = np.count_nonzero(image.cells.any(axis=(0, 2, 3)))
            bit_cycles = sum(image.bit_cycles)
            ours += bit_cycles
            crossbar_cycles += int(used) * bit_cycles
            clocks.append(compute_cycles(hardware, image.bit_cycles, image.columns))
    conventional = ma * _conventional_groups(layer)
    return Schedule(
        ours,
        in_order,
        conventional,
        bound,
        crossbar_cycles,
        conventional * (layer.parameters.code_bits // hardware.cell_bits),
        tuple(int(peak).bit_length() for peak in peaks),
        tuple(clipping.tolist()),
        tuple(clocks),
    )
