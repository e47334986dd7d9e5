"""What one tile puts into a compute unit, as plain arrays, and whether that makes sense."""

from dataclasses import dataclass

import numpy as np

from .cycles import bit_blocks
from .errors import InputError
from .params import HardwareParams
from .run_cycles import TileSize

__all__ = ["EMPTY", "TileImage", "check_image"]

EMPTY = -1
"""In an input index: a physical row that no input goes to."""


@dataclass(frozen=True, eq=False)
class TileImage:
    """What one tile puts into a compute unit.

    Parameters
    ----------
    inputs : int
        Inputs of a vector: rows of the tile.
    cells : numpy.ndarray of uint8, shape (2, planes, physical rows, columns)
        Cell levels, positive crossbars first; plane 0 is the most significant built.
    input_index : numpy.ndarray of int64, shape (physical rows,)
        Input that drives each physical row, or :data:`EMPTY`.
    row_shifts : numpy.ndarray of uint8, shape (physical rows,)
        Left shift of the input of each physical row, in bits.
    groups : numpy.ndarray of int64, shape (groups, 3)
        Slot, first bit-cycle and number of bit-cycles of every group, in the order of execution.
        A slot is an aligned group of G physical rows.
    """

    inputs: int
    cells: np.ndarray
    input_index: np.ndarray
    row_shifts: np.ndarray
    groups: np.ndarray

    @property
    def physical_rows(self) -> int:
        """Physical rows up to the last one in use."""
        return int(self.cells.shape[2])

    @property
    def columns(self) -> int:
        """Columns in use."""
        return int(self.cells.shape[3])

    @property
    def size(self) -> TileSize:
        """What the clocks of a run depend on."""
        return TileSize(self.inputs, self.physical_rows, self.columns)

    @property
    def bit_cycles(self) -> list[int]:
        """Bit-cycles of every group."""
        return [int(n) for n in self.groups[:, 2]]

    def bit_blocks(self, hardware: HardwareParams) -> list[int]:
        """Return the blocks of bit-cycles of every group, which take an FPGA a clock each."""
        return [bit_blocks(hardware, first, n) for _, first, n in self.groups.tolist()]


def check_image(image: TileImage, hardware: HardwareParams) -> None:
    """Refuse an image that the hardware could not compute rightly.

    Raises
    ------
    InputError
        A group overlaps another one, exceeds the memory, or does not cover the bit-cycles of its
        rows; a row is left out or is driven by the wrong input. The group's number is named.
    """
    if image.inputs > hardware.rows or image.physical_rows > hardware.rows:
        raise InputError(f"a tile of {image.inputs} inputs does not fit {hardware.rows} rows")
    if image.columns > hardware.cols:
        raise InputError(f"a tile of {image.columns} columns does not fit {hardware.cols}")
    used = np.flatnonzero(image.input_index != EMPTY)
    inputs = image.input_index[used]
    if len(np.unique(inputs)) < len(inputs) or ((inputs < 0) | (inputs >= image.inputs)).any():
        raise InputError("an input index must name inputs of the tile, each at most once")
    if not hardware.input_index and (inputs != used).any():
        raise InputError("rows are reordered, which needs input_index = true")
    covered = np.zeros(image.physical_rows, bool)
    seen: dict[int, int] = {}
    for number, (slot, first, cycles) in enumerate(image.groups.tolist()):
        rows = slice(slot * hardware.group_rows, (slot + 1) * hardware.group_rows)
        if not 0 <= slot < hardware.slots or number >= hardware.slots:
            raise InputError(f"group {number}: slot {slot} exceeds the {hardware.slots} slots")
        if slot in seen:
            raise InputError(f"group {number} overlaps group {seen[slot]}: both have slot {slot}")
        seen[slot] = number
        shifts = image.row_shifts[rows][image.input_index[rows] != EMPTY].astype(int)
        low, high = (int(shifts.min()), int(shifts.max())) if len(shifts) else (first, first)
        last = first + cycles - 1
        if first > low or last < high + hardware.input_bits - 1 or cycles < 1:
            raise InputError(
                f"group {number}: bit-cycles {first}..{last} leave out some of its rows' bits"
            )
        if hardware.signed_inputs and last != high + hardware.input_bits - 1:
            raise InputError(f"group {number}: bit-cycle {last} is not that of the sign bits")
        if last >= hardware.converted_bits:
            raise InputError(f"group {number}: there is no bit-cycle {last}")
        covered[rows] = True
    missing = np.flatnonzero(~covered & (image.input_index != EMPTY))
    if len(missing):
        group = int(missing[0]) // hardware.group_rows
        raise InputError(f"group {group} is missing: row {missing[0]} is left out")
