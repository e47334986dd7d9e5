"""Conversion of columns that can clip: what stands around the compiled kernels."""

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

from .columns import Conversions, bit_cycles

__all__ = ["Converter"]


class Converter:
    """Converts columns of tiles that have the same inputs.

    Parameters
    ----------
    rows : numpy.ndarray of int64, shape (inputs,)
        Inputs of the layer that are those of the tiles, in any order; one may be there repeatedly.
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
        together = (np.diff(rows) == 1).all()  # a view is faster
        self.inputs: slice | np.ndarray = slice(rows[0], rows[-1] + 1) if together else rows
        self.count = len(rows)
        self.parts = parts
        self.hardware = hardware
        self._kernels, self._tables = _compiled()
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
            self._tables.slice_inputs(
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


def _compiled() -> tuple[ModuleType, ModuleType]:
    """Return the modules of compiled functions, which need an optional package."""
    try:
        from . import kernels, tables
    except ImportError as error:
        if error.name not in ("llvmlite", "numba"):
            raise
        raise InputError("columns that can clip: needs numba: pip install sme[network]") from None
    return kernels, tables
