"""Squared-error-optimal scales of columns, found by trying many."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .codecs.base import Codec, Grid
from .layers import placements
from .params import Parameters
from .slicing import tile_starts
from .squeeze import POLICIES, Policy, Rows, row_shifts

__all__ = ["FACTORS", "least_error_factors"]

_STEPS = 32
"""Factors tried in an octave. Twice as many lower the error of real layers by 0 to 5 % more."""

# Exact in binary, so that every machine tries the same. Factors above 1 suit a window's or a row
# shift's grid; below 1/2, codes of one or two planes.
_OCTAVE = np.arange(2 * _STEPS - 1, _STEPS - 1, -1) / _STEPS
FACTORS = np.concatenate([[1.0, 2.0], _OCTAVE[:-1], _OCTAVE / 2, _OCTAVE / 4])
"""What a column's scale is multiplied by, the first that is preferred first."""

_MARGIN = 2.0**-40
"""Errors that differ by less, as a part of the column's sum of squares, are taken as equal."""

_SMALLEST = 2.0**-400
"""Squares of weights below it are not told apart."""

_BLOCK = 1 << 14
"""Weights handled at a time, so that intermediate arrays stay in the cache."""


@dataclass(frozen=True)
class _Rounding:
    """How weights become those on the crossbars, once their scales are known.

    ``empty_bits`` of the grid are those of the rows that are looked at, shape (rows, 1).
    """

    codec: Codec
    grid: Grid
    policy: Policy
    code_bits: int
    degree: int
    window: int

    @cached_property
    def shifts(self) -> np.ndarray | None:
        """Shift of a row by the largest code in it; None if rows are not shifted."""
        if self.degree == 0 or self.policy.shifts is None:
            return None
        codes = np.arange(2**self.code_bits)
        return row_shifts(codes, self.policy, self.code_bits, self.degree)


def _others(codes: np.ndarray) -> np.ndarray:
    """Return the largest code in the row of each weight, its own aside."""
    largest = codes.max(axis=1, keepdims=True)
    is_largest = codes == largest
    second = np.where(is_largest, 0, codes).max(axis=1, keepdims=True)
    alone = np.count_nonzero(is_largest, axis=1, keepdims=True) == 1
    return np.where(is_largest & alone, second, largest)


def _errors(
    magnitudes: np.ndarray,
    factors: np.ndarray,
    rounding: _Rounding,
    others: np.ndarray | None = None,
) -> np.ndarray:
    """Return the squared error of every column of a tile.

    ``others`` has the largest code in the row of each weight, apart from its own; by default they
    are taken from the tile as it is.
    """
    codec, grid, shifts = rounding.codec, rounding.grid, rounding.shifts
    positions = codec.project(magnitudes, factors, grid)
    codes = codec.quantise(positions, grid)
    if shifts is not None:
        others = _others(codes) if others is None else others
        own = shifts[np.maximum(codes, others)].astype(np.int16)
        kept = rounding.code_bits - rounding.degree
        rows = Rows(positions, codes, own, kept, rounding.window, grid.empty_bits)
        codes = rounding.policy.codes(rows) << own
    difference = magnitudes - codes * codec.code_step(factors, grid)
    return np.einsum("rc,rc->c", difference, difference)


def _blocks(matrix: np.ndarray, rounding: _Rounding) -> Iterator[tuple[np.ndarray, _Rounding]]:
    """Yield the magnitudes of some rows at a time, and how they are rounded."""
    step = max(1, _BLOCK // matrix.shape[1])
    empty_bits = np.broadcast_to(rounding.grid.empty_bits, (len(matrix), 1))
    for start in range(0, len(matrix), step):
        rows = slice(start, start + step)
        grid = replace(rounding.grid, empty_bits=empty_bits[rows])
        magnitudes = np.abs(np.ascontiguousarray(matrix[rows]).astype(np.float64))
        yield magnitudes, replace(rounding, grid=grid)


def _tile_factors(matrix: np.ndarray, factors: np.ndarray, rounding: _Rounding) -> np.ndarray:
    """Return the scale factors of the columns of tiles that stand below each other."""
    if factors.min() < _SMALLEST:
        return factors
    signal = np.zeros(len(factors))
    errors = np.zeros((len(FACTORS), len(factors)))
    for magnitudes, block in _blocks(matrix, rounding):
        codes = block.codec.quantise(
            block.codec.project(magnitudes, factors, block.grid), block.grid
        )
        others = _others(codes)
        signal += np.einsum("rc,rc->c", magnitudes, magnitudes)
        for tried, factor in zip(errors, FACTORS, strict=True):
            tried += _errors(magnitudes, factors * factor, block, others)
    first = np.argmax(errors <= errors.min(axis=0) + _MARGIN * signal, axis=0)
    chosen = factors * FACTORS[first]
    together = sum(
        _errors(magnitudes, chosen, block).sum() for magnitudes, block in _blocks(matrix, rounding)
    )
    return chosen if together < errors[0].sum() else factors


def least_error_factors(
    unrolled: np.ndarray,
    factors: np.ndarray,
    codec: Codec,
    grid: Grid,
    degree: int,
    parameters: Parameters,
) -> np.ndarray:
    """Multiply the scale factors of a layer's outputs by what makes the squared error least.

    The error is that of the weights as mapped: after codec, squeeze-out and row shifts. Every
    column of a matrix takes the best of :data:`FACTORS` for itself, while the other columns keep
    the scales that they have: these matter, since the columns of a tile share the shift of a row.
    Where no row is shifted, or rows have one weight in a tile, nothing among these factors is
    better. Columns of tiles for which all choices together are no gain keep their scales, so that
    the error never grows (reconstructed).

    Parameters
    ----------
    unrolled : numpy.ndarray, shape (groups, rows, columns)
        Weights of a layer, one matrix per group.
    factors : numpy.ndarray of float64, shape (groups * columns,)
        Scale factors to start from: those of the scale ``column``.
    codec : Codec
    grid : Grid
        With the empty bits of the rows of one group.
    degree : int
        Bits by which rows are moved, at most.
    parameters : Parameters
        Squeeze policy and size of crossbars.

    Returns
    -------
    numpy.ndarray of float64, shape (groups * columns,)
    """
    hardware, mapping = parameters.hardware, parameters.mapping
    policy = POLICIES[mapping.policy]
    groups, rows, columns = unrolled.shape
    found = []
    for placement in placements(groups, rows, columns, hardware.rows, hardware.cols):
        matrix, placed = placement.matrix(unrolled), factors[placement.output_slice]
        empty_bits = np.tile(grid.empty_bits, (len(placement.groups), 1))
        rounding = _Rounding(
            codec,
            replace(grid, empty_bits=empty_bits),
            policy,
            parameters.code_bits,
            degree,
            mapping.window,
        )
        for start in tile_starts(len(placed), hardware.cols).tolist():
            tile = slice(start, start + hardware.cols)
            found.append(_tile_factors(matrix[:, tile], placed[tile], rounding))
    return np.concatenate(found)
