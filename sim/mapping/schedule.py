"""What the row order of a mapping means in time and ADC bits."""

from dataclasses import dataclass, field

import numpy as np

from sme_hw.cycles import compute_cycles
from sme_hw.tile_image import EMPTY, TileImage

from .grouping import shift_cycles
from .model import LayerMapping

__all__ = ["Schedule", "schedule"]


@dataclass(frozen=True)
class Schedule:
    """Work of a layer for one vector per tile.

    Parameters
    ----------
    bit_cycles : int
        Bit-cycles of all groups of all tiles.
    bit_cycles_in_order : int
        The same if rows stayed in order (grouping ``none``).
    bit_cycles_conventional : int
        The same without squeeze-out and with rows in order: every group takes Ma.
    bit_cycles_bound : int
        No row order takes fewer: as few groups as hold the rows with a 1, Ma each.
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
    lossless_adc_bits: tuple[int, ...]
    columns_that_can_clip: tuple[int, ...]
    tile_clocks: tuple[int, ...] = field(repr=False)

    def as_dict(self) -> dict[str, object]:
        """Return what machines read."""
        return {
            "bit_cycles": self.bit_cycles,
            "speed_up": {
                "against_rows_in_order": round(self.bit_cycles_in_order / self.bit_cycles, 4),
                "against_conventional": round(self.bit_cycles_conventional / self.bit_cycles, 4),
                "of_the_bound": round(self.bit_cycles_bound / self.bit_cycles, 4),
            },
            "lossless_adc_bits": list(self.lossless_adc_bits),
            "columns_that_can_clip": list(self.columns_that_can_clip),
            "makespan_clocks": max(self.tile_clocks),
            "makespan_over_mean": round(
                max(self.tile_clocks) / float(np.mean(self.tile_clocks)), 4
            ),
        }


def _column_sums(image: TileImage, group_rows: int) -> np.ndarray:
    """Return the sums of all cells of each group's columns: (signs, planes, groups, columns)."""
    starts = np.arange(0, image.physical_rows, group_rows)
    return np.add.reduceat(image.cells, starts, axis=2, dtype=np.int32)


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
    ours = in_order = conventional = bound = 0
    clocks = []
    for matrix in layer.matrices:
        for tile in matrix.tiles(hardware):
            image = matrix.image(tile, hardware)
            sums = _column_sums(image, g)
            peaks = np.maximum(peaks, sums.max(axis=(0, 2, 3)))
            clipping += np.count_nonzero(sums > limits[:, None, None], axis=(0, 2, 3))
            shifts = matrix.row_shifts[tile[0], tile[1].start // hardware.cols]
            groups = -(-image.inputs // g)
            ours += sum(image.bit_cycles)
            in_order += groups * ma + shift_cycles(shifts, np.arange(image.inputs), g)
            conventional += groups * ma
            occupied = (image.input_index != EMPTY) & image.cells.any(axis=(0, 1, 3))
            rows = int(np.count_nonzero(occupied))
            bound += max(1, -(-rows // g)) * ma
            clocks.append(compute_cycles(hardware, image.bit_cycles, image.columns))
    return Schedule(
        ours,
        in_order,
        conventional,
        bound,
        tuple(int(peak).bit_length() for peak in peaks),
        tuple(clipping.tolist()),
        tuple(clocks),
    )
