"""Compiled loops of compensated rounding."""

from typing import Any, NamedTuple

import numpy as np

from sim.execution.compiling import compiled, inner

__all__ = [
    "Choices",
    "Tables",
    "fit_scales",
    "nearest_forms",
    "round_groups",
    "round_in_turn",
    "round_once_more",
]


class Tables(NamedTuple):
    """The forms of rows, as :class:`sim.compensation.forms.Forms` has them."""

    nearest: np.ndarray
    lengths: np.ndarray
    factors: np.ndarray


class Choices(NamedTuple):
    """Which forms rows may take: a range of them in each column tile.

    Parameters
    ----------
    low, high : numpy.ndarray of int64, shape (..., rows, column tiles)
        First form, and the one behind the last.
    width : int
        Columns of a tile.
    """

    low: np.ndarray
    high: np.ndarray
    width: int


@inner
def _nearest(position: Any, form: Any, tables: Any) -> Any:
    """Return the level next to a position; all beyond the last one is as far as that."""
    last = tables.lengths[form] - 1
    return tables.nearest[form, last if position * 2 >= last else int(position * 2)]


@inner
def _round_row(
    row: Any, scales: Any, start: Any, stop: Any, low: Any, high: Any, tables: Any, rounded: Any
) -> Any:
    """Round some columns of a row in the form of least squared error; returns that form."""
    largest = np.float32(0)
    for c in range(start, stop):
        largest = max(largest, abs(row[c]) / scales[c])
    # The form that just reaches the largest weight comes first: it is seldom far from the best
    # one, and others are left as soon as they lose more.
    first, nearest = low, np.float32(np.inf)
    for form in range(low, high):
        top = tables.nearest[form, tables.lengths[form] - 1] * tables.factors[form]
        if largest <= top < nearest:
            first, nearest = form, top
    best, least = first, np.float32(np.inf)
    for number in range(low - 1, high):
        form = first if number < low else number
        factor = tables.factors[form]
        error = np.float32(0)
        for c in range(start, stop):
            step = scales[c] * factor
            position = abs(row[c]) / step
            gap = (position - _nearest(position, form, tables)) * step
            error += gap * gap
            if error > least:
                break
        if error < least or (error == least and form < best):
            best, least = form, error
    for c in range(start, stop):
        step = scales[c] * tables.factors[best]
        value = _nearest(abs(row[c]) / step, best, tables) * step
        rounded[c] = value if row[c] >= 0 else -value
    return best


@inner
def _round_tiles(row: Any, scales: Any, choices: Any, r: Any, tables: Any, rounded: Any) -> None:
    """Round a row in every column tile."""
    for t in range(choices.low.shape[1]):
        start, stop = t * choices.width, min(len(row), (t + 1) * choices.width)
        _round_row(row, scales, start, stop, choices.low[r, t], choices.high[r, t], tables, rounded)


@compiled
def round_in_turn(
    target: np.ndarray,
    factor: np.ndarray,
    scales: np.ndarray,
    choices: Choices,
    tables: Tables,
    rounded: np.ndarray,
    errors: np.ndarray,
) -> None:
    """Round rows one after the other, and spread each one's error over the rows still to come.

    Parameters
    ----------
    target : numpy.ndarray of float32, shape (rows, columns)
        Changed: what rows were when their turn came.
    factor : numpy.ndarray of float32, shape (rows, rows)
        Upper triangular factor of the inverse second moments: the block of these rows.
    scales : numpy.ndarray of float32, shape (columns,)
    choices : Choices
        Of these rows.
    tables : Tables
    rounded : numpy.ndarray of float32, shape (rows, columns)
        Result.
    errors : numpy.ndarray of float32, shape (rows, columns)
        Result: times further rows of ``factor``, what later rows have to make up for.
    """
    rows, columns = target.shape
    for r in range(rows):
        _round_tiles(target[r], scales, choices, r, tables, rounded[r])
        for c in range(columns):
            errors[r, c] = (target[r, c] - rounded[r, c]) / factor[r, r]
        for other in range(r + 1, rows):
            share = factor[r, other]
            for c in range(columns):
                target[other, c] -= share * errors[r, c]


@compiled
def round_once_more(
    rounded: np.ndarray,
    slopes: np.ndarray,
    moments: np.ndarray,
    scales: np.ndarray,
    choices: Choices,
    tables: Tables,
    changes: np.ndarray,
) -> None:
    """Round each row anew, given all others: coordinate descent on the squared output error.

    Parameters
    ----------
    rounded : numpy.ndarray of float32, shape (rows, columns)
        Changed.
    slopes : numpy.ndarray of float32, shape (rows, columns)
        Second moments times what is missing to the target; changed.
    moments : numpy.ndarray of float32, shape (rows, rows)
        The block of these rows.
    scales, choices, tables
        As for :func:`round_in_turn`.
    changes : numpy.ndarray of float32, shape (rows, columns)
        Result: by how much rows changed.
    """
    rows, columns = rounded.shape
    wanted, found = np.empty(columns, rounded.dtype), np.empty(columns, rounded.dtype)
    for r in range(rows):
        for c in range(columns):
            wanted[c] = rounded[r, c] + slopes[r, c] / moments[r, r]
        _round_tiles(wanted, scales, choices, r, tables, found)
        for c in range(columns):
            changes[r, c] = found[c] - rounded[r, c]
            rounded[r, c] = found[c]
        for other in range(rows):
            share = moments[other, r]
            for c in range(columns):
                slopes[other, c] -= share * changes[r, c]


@inner
def _product(moments: Any, values: Any) -> Any:
    """Return a small matrix product; BLAS would cost more than it saves."""
    result = np.zeros_like(values)
    for r in range(len(moments)):
        for other in range(len(moments)):
            for c in range(values.shape[1]):
                result[r, c] += moments[r, other] * values[other, c]
    return result


@compiled
def fit_scales(
    target: np.ndarray, rounded: np.ndarray, seen: np.ndarray, scales: np.ndarray
) -> None:
    """Scale every column so that its squared output error is least.

    Parameters
    ----------
    target : numpy.ndarray of float32, shape (rows, columns)
    rounded : numpy.ndarray of float32, shape (rows, columns)
        Changed.
    seen : numpy.ndarray of float32, shape (rows, columns)
        Second moments times ``rounded``; changed likewise.
    scales : numpy.ndarray of float32, shape (columns,)
        Changed.
    """
    for c in range(rounded.shape[1]):
        along, power = 0.0, 0.0
        for r in range(len(rounded)):
            along += seen[r, c] * target[r, c]
            power += seen[r, c] * rounded[r, c]
        # Further steps would leave the range that weights and forms were matched for.
        ratio = np.float32(min(max(along / power, 0.5), 2.0)) if power > 0 else np.float32(1)
        scales[c] *= ratio
        for r in range(len(rounded)):
            rounded[r, c] *= ratio
            seen[r, c] *= ratio


@compiled
def round_groups(
    targets: np.ndarray,
    factors: np.ndarray,
    moments: np.ndarray,
    scales: np.ndarray,
    choices: Choices,
    tables: Tables,
    passes: int,
    fitted: bool,
    rounded: np.ndarray,
    losses: np.ndarray,
) -> None:
    """Round many small matrices: all that a dense layer goes through, in every group.

    Parameters
    ----------
    targets, rounded : numpy.ndarray of float32, shape (groups, rows, columns)
    factors, moments : numpy.ndarray of float32, shape (groups, rows, rows)
    scales : numpy.ndarray of float32, shape (groups, columns)
        Changed.
    choices : Choices
        With an axis of groups in front; a group is a single column tile.
    tables : Tables
    passes : int
        Times that rows are rounded once more.
    fitted : bool
        Scales are fitted before each pass.
    losses : numpy.ndarray of float64, shape (groups, columns)
        Result: squared output errors.
    """
    groups, rows, columns = targets.shape
    changes = np.empty((rows, columns), targets.dtype)
    for g in range(groups):
        own = Choices(choices.low[g], choices.high[g], choices.width)
        target, found = targets[g].copy(), rounded[g]
        round_in_turn(target, factors[g], scales[g], own, tables, found, changes)
        aim = _product(moments[g], targets[g])
        for _ in range(passes):
            seen = _product(moments[g], found)
            if fitted:
                fit_scales(targets[g], found, seen, scales[g])
            round_once_more(found, aim - seen, moments[g], scales[g], own, tables, changes)
        slopes = aim - _product(moments[g], found)
        for c in range(columns):
            losses[g, c] = 0.0
            for r in range(rows):
                losses[g, c] += slopes[r, c] * (targets[g, r, c] - found[r, c])


@compiled
def nearest_forms(
    weights: np.ndarray,
    scales: np.ndarray,
    choices: Choices,
    tables: Tables,
    chosen: np.ndarray,
    losses: np.ndarray,
) -> None:
    """Find the form in which each row of a tile loses least.

    Parameters
    ----------
    weights : numpy.ndarray of float32, shape (rows, columns)
    scales : numpy.ndarray of float32, shape (columns,)
    choices : Choices
    tables : Tables
    chosen : numpy.ndarray of int64, shape (rows, column tiles)
        Result: forms.
    losses : numpy.ndarray of float64, shape (rows, column tiles)
        Result: squared errors.
    """
    rounded = np.empty(weights.shape[1], weights.dtype)
    for r in range(len(weights)):
        for t in range(losses.shape[1]):
            start, stop = t * choices.width, min(len(rounded), (t + 1) * choices.width)
            chosen[r, t] = _round_row(
                weights[r],
                scales,
                start,
                stop,
                choices.low[r, t],
                choices.high[r, t],
                tables,
                rounded,
            )
            losses[r, t] = 0.0
            for c in range(start, stop):
                losses[r, t] += (weights[r, c] - rounded[c]) ** 2
