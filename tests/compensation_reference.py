"""Compensated rounding computed slowly: float64, an explicit inverse, one row after the other."""

import numpy as np

__all__ = ["nearest_row", "output_loss", "round_slowly"]


def nearest_row(row, scales, forms, candidates):
    """Return the form of least squared error, the row's signed levels in it, and that error."""
    found = []
    for number in candidates:
        form = forms.forms[number]
        levels = np.array(form.levels)
        step = scales * 2.0 ** (form.shifts[0] if form.shifts else 0)
        gaps = np.abs(np.abs(row / step)[:, np.newaxis] - levels)
        # Halfway between two levels, the larger one.
        chosen = levels[::-1][gaps[:, ::-1].argmin(axis=1)]
        error = float(np.sum((np.abs(row) - chosen * step) ** 2))
        found.append((error, number, np.where(row < 0, -chosen, chosen)))
    return min(found, key=lambda entry: entry[:2])


def round_slowly(target, moments, low, high, *, width, forms, passes, scales=None):
    """Round a single matrix as sim.compensation.rounding.round_weights rounds a group.

    Returns scales and weights.
    """
    rows, columns = target.shape
    tiles = [slice(start, min(start + width, columns)) for start in range(0, columns, width)]
    fitted = scales is None
    if fitted:
        scales = np.full(columns, 1e-30)
        for t, tile in enumerate(tiles):
            for r in range(rows):
                reach = max(forms.forms[f].largest for f in range(low[r, t], high[r, t]))
                if reach:
                    scales[tile] = np.maximum(scales[tile], np.abs(target[r, tile]) / reach)

    def rounded_row(row, r):
        result = np.zeros(columns)
        for t, tile in enumerate(tiles):
            _, number, levels = nearest_row(
                row[tile], scales[tile], forms, range(low[r, t], high[r, t])
            )
            shifts = forms.forms[number].shifts
            result[tile] = levels * scales[tile] * 2.0 ** (shifts[0] if shifts else 0)
        return result

    size = [max(forms.forms[f - 1].size for f in high[r]) for r in range(rows)]
    order = sorted(range(rows), key=lambda r: (size[r], -moments[r, r]))
    rest, weights = target.copy(), np.zeros_like(target)
    inverse = np.linalg.inv(moments)
    for place, r in enumerate(order):
        weights[r] = rounded_row(rest[r], r)
        error = (rest[r] - weights[r]) / inverse[r, r]
        later = order[place + 1 :]
        rest[later] -= np.outer(inverse[later, r], error)
        inverse = inverse - np.outer(inverse[:, r], inverse[r]) / inverse[r, r]
    for _ in range(passes):
        if fitted:
            seen = moments @ weights
            for c in range(columns):
                power = seen[:, c] @ weights[:, c]
                if power > 0:
                    ratio = np.clip(seen[:, c] @ target[:, c] / power, 0.5, 2)
                    scales[c] *= ratio
                    weights[:, c] *= ratio
        for r in order:
            slope = moments[r] @ (target - weights)
            weights[r] = rounded_row(weights[r] + slope / moments[r, r], r)
    return scales, weights


def output_loss(target, weights, moments):
    """Return the squared error of the outputs of all groups."""
    gaps = target - weights
    return float(np.einsum("grc,grs,gsc->", gaps, moments, gaps))
