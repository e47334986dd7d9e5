"""Squeeze-out: rows with ones in leading planes move down, until these planes are empty."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .codecs.base import nearest_codes, uniform_codes, window_codebook
from .slicing import tile_starts

__all__ = ["POLICIES", "Policy", "Rows", "row_shifts", "squeeze"]


@dataclass(frozen=True)
class Rows:
    """Rows of a matrix on their way through squeeze-out.

    Parameters
    ----------
    positions : numpy.ndarray of float64, shape (rows, columns)
        Unquantised magnitudes on the code grid.
    codes : numpy.ndarray of int16, shape (rows, columns)
        Quantised magnitudes.
    shifts : numpy.ndarray, shape (rows, columns)
        Row shift that applies to each weight: that of its tile's row.
    planes_bits : int
        N - x, the bits that remain.
    window : int
        S.
    empty_bits : numpy.ndarray of int16, shape (rows, 1), or 0
        Low bits that the codes of each row leave empty.
    """

    positions: np.ndarray
    codes: np.ndarray
    shifts: np.ndarray
    planes_bits: int
    window: int
    empty_bits: np.ndarray | int


def _drop(rows: Rows) -> np.ndarray:
    """Cut off what falls off the low end."""
    return rows.codes >> rows.shifts


def _requantised(
    rows: Rows, nearest: Callable[[np.ndarray], np.ndarray], largest: int
) -> np.ndarray:
    """Quantise the unquantised weights of shifted rows anew, on their coarser grid.

    Of the bits that a row leaves empty, those that were not shifted out stay empty.
    """
    empty = np.maximum(rows.empty_bits - rows.shifts, 0)
    codes = nearest(np.ldexp(rows.positions, -(rows.shifts + empty)))
    codes = np.minimum(codes, largest >> empty) << empty
    return np.where(rows.shifts > 0, codes, rows.codes)


def _rounded(rows: Rows) -> np.ndarray:
    """Take the nearest code."""
    return _requantised(rows, uniform_codes, 2**rows.planes_bits - 1)


def _rounded_window(rows: Rows) -> np.ndarray:
    """Take the nearest code of the window codebook."""
    codebook = window_codebook(rows.planes_bits, rows.window)
    return _requantised(rows, lambda positions: nearest_codes(positions, codebook), codebook[-1])


def _all_or_none(needed: np.ndarray, degree: int) -> np.ndarray:
    return np.where(needed > 0, degree, 0)


def _as_needed(needed: np.ndarray, degree: int) -> np.ndarray:
    return needed


@dataclass(frozen=True)
class Policy:
    """How a squeeze degree is reached.

    Parameters
    ----------
    name : str
    shifts : callable (needed, degree) -> shifts, or None
        Row shifts from the least shifts that empty the leading planes. None: rows stay as they are,
        but may be split.
    codes : callable (Rows) -> codes
        The codes that remain.
    step : callable (degree) -> int
        Granularity of shifts; 0: none occur.
    splits : bool
        Rows are split into pieces that are shifted (:mod:`sim.mapping.pieces`).
    """

    name: str
    shifts: Callable[[np.ndarray, int], np.ndarray] | None
    codes: Callable[[Rows], np.ndarray]
    step: Callable[[int], int]
    splits: bool = False

    @property
    def is_control(self) -> bool:
        """The weights are quantised to the remaining planes from the start; nothing is shifted."""
        return self.shifts is None and not self.splits

    def shift_step(self, degree: int) -> int:
        """Return the granularity of row shifts at squeeze degree ``degree``; 0: none occur."""
        return self.step(degree) if degree else 0


POLICIES = {
    policy.name: policy
    for policy in (
        Policy("paper", _all_or_none, _drop, lambda degree: degree),
        Policy("minimal", _as_needed, _drop, lambda degree: 1),
        Policy("rounded", _as_needed, _rounded, lambda degree: 1),
        Policy("rounded-window", _as_needed, _rounded_window, lambda degree: 1),
        Policy("split", None, _drop, lambda degree: 1, splits=True),
        Policy("plain", None, _drop, lambda degree: 0),
    )
}
"""``paper`` is the paper's (section III-C); the others are reconstructed. ``split`` loses nothing:
what falls off the low end of a row gets rows of its own. ``plain`` is the honest control without
SME: uniform codes per column, no shift."""


def row_shifts(largest: np.ndarray, policy: Policy, code_bits: int, degree: int) -> np.ndarray:
    """Return how far rows are shifted.

    Parameters
    ----------
    largest : numpy.ndarray of integers
        Largest code of each row of a tile.
    policy : Policy
        One that shifts rows.
    code_bits, degree : int
        N and x.

    Returns
    -------
    numpy.ndarray of uint8, of the same shape
    """
    if policy.shifts is None:
        raise ValueError(f"policy {policy.name} shifts no rows")
    # frexp's exponent of an integer is its bit length.
    needed = np.maximum(np.frexp(largest)[1] - (code_bits - degree), 0)
    return policy.shifts(needed, degree).astype(np.uint8)


def squeeze(
    positions: np.ndarray,
    codes: np.ndarray,
    *,
    policy: Policy,
    tile_columns: int,
    code_bits: int,
    degree: int,
    window: int,
    empty_bits: np.ndarray | int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Empty the leading ``degree`` bits of every tile.

    Parameters
    ----------
    positions : numpy.ndarray of float64, shape (rows, columns)
        Unquantised magnitudes on the code grid.
    codes : numpy.ndarray of int16, shape (rows, columns)
        Their codes.
    policy : Policy
        One that shifts rows.
    tile_columns : int
        Columns of a crossbar: the rows of different tiles shift on their own.
    code_bits, degree, window : int
        N, x and S.
    empty_bits : numpy.ndarray of int16, shape (rows, 1), or 0
        Low bits that the codes of each row leave empty; they stay empty.

    Returns
    -------
    codes : numpy.ndarray of int16, shape (rows, columns)
        Magnitudes below ``2**(code_bits - degree)``.
    shifts : numpy.ndarray of uint8, shape (rows, column tiles)
        Left shift of the input of each row in each tile.
    """
    starts = tile_starts(codes.shape[1], tile_columns)
    if degree == 0 or policy.shifts is None:
        return codes, np.zeros((len(codes), len(starts)), np.uint8)
    largest = np.maximum.reduceat(codes, starts, axis=1)
    shifts = row_shifts(largest, policy, code_bits, degree)
    if not shifts.any():
        return codes, shifts
    widths = np.diff([*starts, codes.shape[1]])
    rows = Rows(
        positions,
        codes,
        np.repeat(shifts.astype(np.int16), widths, axis=1),
        code_bits - degree,
        window,
        empty_bits,
    )
    return policy.codes(rows), shifts
