"""What of a tile must be converted, and how the compiled kernels take it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from sim.golden.compute_unit import effective_weights, inexact_columns
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY, TileImage

__all__ = ["Conversions", "Converter", "split"]

_EIGHT = 8
"""Word lines that the kernels count at a time."""


@dataclass(frozen=True, eq=False)
class Conversions:
    """The columns of a tile whose codes can differ from their sums.

    :func:`sim.execution.kernels.convert_columns` tells what the arrays mean.

    Parameters
    ----------
    samples, sums, entries : numpy.ndarray
    """

    samples: np.ndarray
    sums: np.ndarray
    entries: np.ndarray


def bit_cycles(hardware: HardwareParams) -> int:
    """Return the bit-cycles of an input in a table: its own, zeros before, zeros or signs after."""
    return hardware.input_bits + 2 * hardware.max_shift


def split(image: TileImage, hardware: HardwareParams) -> tuple[np.ndarray, Conversions] | None:
    """Split a tile into a matrix to multiply by, and columns to convert bit by bit.

    Parameters
    ----------
    image : TileImage
    hardware : HardwareParams

    Returns
    -------
    weights : numpy.ndarray of int64, shape (inputs, columns)
        Effective weights of the cells that are not converted.
    conversions : Conversions
        Nothing at all is returned if there are none.
    """
    inexact = inexact_columns(image, hardware)
    if not inexact.any():
        return None
    g, rows = hardware.group_rows, image.physical_rows
    covered = np.repeat(inexact, g, axis=2)[:, :, :rows]
    weights = effective_weights(replace(image, cells=np.where(covered, 0, image.cells)), hardware)

    # Column by column, group by group, the least significant plane first.
    column, group, backwards, sign = np.nonzero(inexact[:, ::-1].transpose(3, 2, 1, 0))
    plane = hardware.planes - 1 - backwards
    groups = inexact.shape[2]
    padded = np.zeros((*image.cells.shape[:2], groups * g, image.columns), np.uint8)
    padded[:, :, :rows] = image.cells
    levels = padded.reshape(2, hardware.planes, groups, g, -1)[sign, plane, group, :, column]
    # Shape (sums, bits of a cell, rows of a group).
    bits = levels[:, None] >> np.arange(2, dtype=np.uint8)[:, None] & 1
    eights = -(-bits.sum(axis=2, dtype=np.int64) // _EIGHT)
    flat = bits.reshape(-1, g)
    start = _EIGHT * (np.cumsum(eights) - eights.ravel())
    ones = flat.sum(axis=1, dtype=np.int64)
    number, row = np.nonzero(flat)
    rank = np.arange(len(number)) - np.repeat(np.cumsum(ones) - ones, ones)
    drive = np.where(image.input_index == EMPTY, 0, image.input_index)
    lines = bit_cycles(hardware) * drive + hardware.max_shift - image.row_shifts
    none = bit_cycles(hardware) * image.inputs
    entries = np.full(_EIGHT * int(eights.sum()), none, np.uint16)
    entries[start[number] + rank] = lines[group[number // 2] * g + row]

    cycles = np.zeros((groups, 2), np.int64)
    cycles[image.groups[:, 0]] = image.groups[:, 1:]
    key = column * groups + group
    first = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.diff(first, append=len(key))
    samples = np.column_stack([column[first], cycles[group[first]], count])
    sums = np.column_stack([plane, sign, eights]).astype(np.int16)
    return weights, Conversions(samples, sums, entries)


class Converter:
    """Converts columns of tiles that have the same inputs.

    Parameters
    ----------
    rows : numpy.ndarray of int64, shape (inputs,)
        Inputs of the layer that are those of the tiles.
    parts : sequence of (int, Conversions)
        For each tile, the layer's output that is its first column, and what is converted.
    hardware : HardwareParams

    Raises
    ------
    InputError
        numba is not installed.
    """

    def __init__(
        self, rows: np.ndarray, parts: Sequence[tuple[int, Conversions]], hardware: HardwareParams
    ):
        first, last = int(rows[0]), int(rows[-1])
        together = last - first + 1 == len(rows)  # a view is faster
        self.inputs: slice | np.ndarray = slice(first, last + 1) if together else rows
        self.count = len(rows)
        self.parts = parts
        self.hardware = hardware
        self._kernels = _kernels()
        self._plane_bits = np.array(hardware.plane_adc_bits)
        self._plane_weights = np.array(hardware.plane_weight_bits) - hardware.adc_lsb

    def add(self, results: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """Add the codes to results.

        Parameters
        ----------
        results : numpy.ndarray of float64, shape (vectors, outputs of the layer)
        inputs : numpy.ndarray, shape (vectors, inputs of the layer)
            Integers.

        Returns
        -------
        numpy.ndarray of int64, shape (planes,)
            Conversions that clipped.
        """
        hardware = self.hardware
        clips = np.zeros(hardware.planes, np.int64)
        batch = 64 * self._kernels.WORDS
        for start in range(0, len(inputs), batch):
            out = results[start : start + batch]
            words = -(-len(out) // 64)
            taken = np.zeros((64 * words, -(-self.count // 8) * 8), np.int64)
            taken[: len(out), : self.count] = inputs[start : start + batch, self.inputs]
            table = _aligned((self.count + 1) * bit_cycles(hardware) * words + 8)
            self._kernels.slice_inputs(
                taken,
                self.count,
                hardware.input_bits,
                hardware.max_shift,
                hardware.signed_inputs,
                table,
            )
            for output, part in self.parts:
                self._kernels.convert_columns(
                    table,
                    part.samples,
                    part.sums,
                    part.entries,
                    self._plane_bits,
                    self._plane_weights,
                    hardware.adc_lsb,
                    hardware.signed_inputs,
                    output,
                    out,
                    clips,
                )
        return clips


def _aligned(words: int) -> np.ndarray:
    """Return memory that starts a cache line, for the sake of speed."""
    memory = np.empty(words + 8, np.uint64)
    first = -(memory.ctypes.data // 8) % 8
    return memory[first : first + words]


def _kernels() -> ModuleType:
    """Return the compiled functions, which need an optional package."""
    try:
        from . import kernels
    except ImportError as error:
        if error.name != "numba":
            raise
        raise InputError("columns that can clip: needs numba: pip install sme[network]") from None
    return kernels
