"""Error-compensating rounding of a layer's weights onto a grid of column scales and row forms.

Rows are rounded one after the other; the error of each is spread over those still to come, along
the second moments of the inputs, as in OBQ (Frantar and Alistarh, NeurIPS 2022, arXiv 2208.11580)
and GPTQ (Frantar et al., ICLR 2023, arXiv 2210.17323). Then every row is rounded again, given all
others (coordinate descent), and column scales are fitted in between. The grid is ours: a real scale
for each column, and for each row of a tile the form (shift, or pieces) that loses least then.
"""

from dataclasses import dataclass

import numpy as np

from .forms import Forms
from .kernels import (
    Choices,
    Tables,
    fit_scales,
    nearest_forms,
    round_groups,
    round_in_turn,
    round_once_more,
)

__all__ = ["Rounded", "round_weights", "row_losses"]

_BLOCK = 64
"""Rows whose errors are spread at once; further rows follow in a matrix product."""

_SMALL = 64
"""Rows of the largest matrix that needs no blocks."""

_STARTS = (1.0, 0.85, 0.7)
"""Shares of the range that scales begin with where few weights share one."""

_LEAST = 1e-30
"""Scales of columns without any weight."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """Weights on their grid: ``scales * levels * 2**shift``.

    Parameters
    ----------
    scales : numpy.ndarray of float64, shape (groups, columns)
        Weight that 1 stands for.
    levels : numpy.ndarray of int32, shape (groups, rows, columns)
        Signed levels of the rows' forms.
    forms : numpy.ndarray of int64, shape (groups, rows, column tiles)
    """

    scales: np.ndarray
    levels: np.ndarray
    forms: np.ndarray

    def weights(self, forms: Forms, width: int) -> np.ndarray:
        """Return the real weights, float64; ``width`` is that of column tiles."""
        factors = np.repeat(forms.factors[self.forms], width, axis=2)
        return self.scales[:, np.newaxis] * self.levels * factors[:, :, : self.levels.shape[2]]


def _tables(forms: Forms) -> Tables:
    return Tables(forms.tables, forms.lengths, forms.factors)


def _reach(forms: Forms, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the largest integer that is possible in each range of forms, 0 if there is none."""
    largest = np.array([form.largest for form in forms.forms])
    ranges, place = np.unique(np.stack([low.ravel(), high.ravel()]), axis=1, return_inverse=True)
    reach = np.array([largest[start:stop].max() for start, stop in ranges.T.tolist()], float)
    return reach[place].reshape(low.shape)


def _first_scales(
    weights: np.ndarray, low: np.ndarray, high: np.ndarray, width: int, forms: Forms
) -> np.ndarray:
    """Return the least scales with which every weight of a column is in reach.

    Shape (groups, columns) of weights of shape (groups, rows, columns).
    """
    reach = np.repeat(_reach(forms, low, high), width, axis=2)[:, :, : weights.shape[2]]
    needed = np.divide(np.abs(weights), reach, out=np.zeros_like(weights), where=reach > 0)
    return np.maximum(needed.max(axis=1), _LEAST).astype(np.float32)


def round_weights(
    targets: np.ndarray,
    moments: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    width: int,
    forms: Forms,
    passes: int,
    scales: np.ndarray | None = None,
) -> Rounded:
    """Round the matrices of a layer so that their outputs change least.

    Parameters
    ----------
    targets : numpy.ndarray of float64, shape (groups, rows, columns)
        Weights as they should be.
    moments : numpy.ndarray of float64, shape (groups, rows, rows)
        Second moments of the inputs, positive definite.
    low, high : numpy.ndarray of int64, shape (groups, rows, column tiles)
        Range of forms that each row of a tile may take.
    width : int
        Columns of a tile.
    forms : Forms
    passes : int
        Times that all rows are rounded again.
    scales : numpy.ndarray of float64, shape (groups, columns), optional
        Those of columns; by default, they are fitted.

    Notes
    -----
    Products of matrices are in float32: the last bits, and now and then a code, depend on the
    machine.
    """
    groups, rows, columns = targets.shape
    tables = _tables(forms)
    fitted = scales is None
    first = _first_scales(targets, low, high, width, forms)
    if scales is not None:
        first = scales.astype(np.float32)
    sizes = np.array([form.size for form in forms.forms])[high - 1].max(axis=2)
    power = np.diagonal(moments, axis1=1, axis2=2)
    order = np.lexsort((-power, sizes))  # coarse rows first: finer ones make up for them
    along = order[:, :, np.newaxis]
    sorted_moments = np.take_along_axis(
        np.take_along_axis(moments, along, 1), order[:, np.newaxis], 2
    )
    inverse = np.linalg.inv(sorted_moments)
    factors = np.linalg.cholesky((inverse + inverse.swapaxes(1, 2)) / 2).swapaxes(1, 2)
    work = np.ascontiguousarray(np.take_along_axis(targets, along, 1), np.float32)
    arrays = [np.ascontiguousarray(a, np.float32) for a in (factors, sorted_moments)]
    ranges = [np.ascontiguousarray(np.take_along_axis(a, along, 1)) for a in (low, high)]
    rounded = np.empty_like(work)
    if rows <= _SMALL:
        best = np.full((groups, columns), np.inf)
        starts = _STARTS if fitted and columns == 1 else _STARTS[:1]
        chosen = np.empty_like(first)
        for share in starts:
            tried, found = first * np.float32(share), np.empty_like(work)
            losses = np.empty((groups, columns))
            choices = Choices(ranges[0], ranges[1], width)
            round_groups(
                work, arrays[0], arrays[1], tried, choices, tables, passes, fitted, found, losses
            )
            better = losses < best
            best[better], chosen[better] = losses[better], tried[better]
            rounded = np.where(better[:, np.newaxis], found, rounded)
    else:
        chosen = first.copy()
        for g in range(groups):
            own = Choices(ranges[0][g], ranges[1][g], width)
            rounded[g] = _round_large(
                work[g], arrays[0][g], arrays[1][g], chosen[g], own, tables, passes, fitted
            )
    back = np.argsort(order, axis=1)[:, :, np.newaxis]
    return _on_grid(np.take_along_axis(rounded, back, 1), chosen, low, high, width, forms)


def _round_large(
    target: np.ndarray,
    factor: np.ndarray,
    moments: np.ndarray,
    scales: np.ndarray,
    choices: Choices,
    tables: Tables,
    passes: int,
    fitted: bool,
) -> np.ndarray:
    """Round a matrix block by block; changes ``scales`` if they are to be fitted."""
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(target), _BLOCK)]

    def part(block: slice) -> Choices:
        return Choices(choices.low[block], choices.high[block], choices.width)

    def square(matrix: np.ndarray, block: slice) -> np.ndarray:
        return np.ascontiguousarray(matrix[block, block])

    work, rounded = target.copy(), np.empty_like(target)
    changes = np.empty_like(target)
    for block in blocks:
        round_in_turn(
            work[block],
            square(factor, block),
            scales,
            part(block),
            tables,
            rounded[block],
            changes[block],
        )
        work[block.stop :] -= factor[block, block.stop :].T @ changes[block]
    aim = moments @ target
    for _ in range(passes):
        seen = moments @ rounded
        if fitted:
            fit_scales(target, rounded, seen, scales)
        slopes = aim - seen
        for block in blocks:
            round_once_more(
                rounded[block],
                slopes[block].copy(),
                square(moments, block),
                scales,
                part(block),
                tables,
                changes[block],
            )
            slopes -= moments[:, block] @ changes[block]
    return rounded


def _on_grid(
    rounded: np.ndarray,
    scales: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    width: int,
    forms: Forms,
) -> Rounded:
    """Return the integers of weights that are on the grid, but for the last bits of float32."""
    chosen = np.empty(low.shape, np.int64)
    losses = np.empty(low.shape)
    tables = _tables(forms)
    for g, weights in enumerate(rounded):
        nearest_forms(
            weights, scales[g], Choices(low[g], high[g], width), tables, chosen[g], losses[g]
        )
    factors = np.repeat(forms.factors[chosen], width, axis=2)[:, :, : rounded.shape[2]]
    levels = np.rint(rounded / (scales[:, np.newaxis].astype(np.float64) * factors))
    return Rounded(scales.astype(np.float64), levels.astype(np.int32), chosen)


def row_losses(
    weights: np.ndarray, importance: np.ndarray, *, width: int, forms: Forms
) -> np.ndarray:
    """Estimate what each row of each tile loses in each window of forms.

    Parameters
    ----------
    weights : numpy.ndarray of float64, shape (groups, rows, columns)
    importance : numpy.ndarray of float64, shape (groups, rows)
        What a squared error of a row's weight counts.
    width : int
        Columns of a tile.
    forms : Forms

    Returns
    -------
    numpy.ndarray of float64, shape (windows, groups, rows, column tiles)
    """
    groups, rows, columns = weights.shape
    tiles = -(-columns // width)
    tables, work = _tables(forms), np.ascontiguousarray(weights, np.float32)
    peaks = np.maximum(np.abs(work).max(axis=1), _LEAST)
    chosen, losses = np.empty((rows, tiles), np.int64), np.empty((rows, tiles))
    result = np.empty((len(forms.sizes), groups, rows, tiles))
    for window, size in enumerate(forms.sizes.tolist()):
        low, high = forms.first[window], forms.first[window + 1]
        choices = Choices(np.full((rows, tiles), low), np.full((rows, tiles), high), width)
        # The largest weights go where planes reach furthest.
        reach = max(1.0, forms.reach[forms.sizes == size].max())
        for g in range(groups):
            scales = peaks[g] / np.float32(reach)
            nearest_forms(work[g], scales, choices, tables, chosen, losses)
            result[window, g] = losses * importance[g][:, np.newaxis]
    return result
