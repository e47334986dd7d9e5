"""Scales of least error, ``column-mse``: every column of a tile tried with every factor."""

import math

from .codecs import Encoded, column_maxima, encode_sizes
from .rectangles import cut, diagonal, packs, spans_of
from .squeeze import row_shift, shifted_code

__all__ = ["column_error", "factors_to_try", "stretches"]


def factors_to_try():
    """List what a scale is multiplied by: 1, then 2 down to 1/4, 32 steps an octave."""
    octaves = [(32 + i) / 32 * 2.0**e for e in (0, -1, -2) for i in reversed(range(32))]
    return [1.0, 2.0, *(factor for factor in octaves if factor != 1)]


def column_error(column, encoded, c, beside, empty, options):
    """Return the squared error of column ``c`` of a tile after squeeze-out.

    ``column`` holds its magnitudes, ``beside`` what each row has for a largest code in other
    columns, which has a say in the shift.
    """
    squares = []
    for r, size in enumerate(column):
        code = encoded.codes[r][c]
        shift = row_shift([code, beside[r]], options)
        held = shifted_code(code, encoded.exact[r][c], shift, empty[r], options)
        squares.append((size - (held << shift) * encoded.steps[c]) ** 2)
    return math.fsum(squares)


def largest_beside(codes, c):
    """Return the largest code of every row, column ``c`` left out."""
    return [max([0, *row[:c], *row[c + 1 :]]) for row in codes]


def tile_error(sizes, encoded, empty, options):
    """Return the squared error of a tile after squeeze-out."""
    return math.fsum(
        column_error(column, encoded, c, largest_beside(encoded.codes, c), empty, options)
        for c, column in enumerate(zip(*sizes, strict=True))
    )


def is_tiny(largest):
    """Tell whether squares of a column's weights could be zero: its tile keeps its scales."""
    return 0 < largest < 2.0**-400


def tile_stretch(sizes, tried, empty, options):
    """Return what the scales of a tile's columns are multiplied by in ``column-mse``.

    ``tried`` has the tile encoded with every factor. Every column is tried with every factor, as
    long as the others keep the scale ``column``. All take their best unless the tile is no better
    for it.
    """
    if any(is_tiny(m) for m in column_maxima(sizes)):
        return [1.0] * len(sizes[0])
    plain, chosen = tried[1.0], []
    for c, column in enumerate(zip(*sizes, strict=True)):
        beside = largest_beside(plain.codes, c)
        errors = {
            factor: column_error(column, encoded, c, beside, empty, options)
            for factor, encoded in tried.items()
        }
        limit = min(errors.values()) + 2.0**-40 * math.fsum(size**2 for size in column)
        chosen.append(next(factor for factor, error in errors.items() if error <= limit))
    picked = [(c, tried[factor]) for c, factor in enumerate(chosen)]
    best = Encoded(
        [[encoded.codes[r][c] for c, encoded in picked] for r in range(len(sizes))],
        [[encoded.exact[r][c] for c, encoded in picked] for r in range(len(sizes))],
        [encoded.steps[c] for c, encoded in picked],
    )
    better = tile_error(sizes, best, empty, options) < tile_error(sizes, plain, empty, options)
    return chosen if better else [1.0] * len(chosen)


def stretches(sizes, options, groups):
    """Return what the scales of a layer's columns are multiplied by."""
    n_rows, n_columns = len(sizes), len(sizes[0])
    searched = options.scale == "column-mse"
    if not searched or (options.codec == "codes" and options.policy != "plain"):
        return [1.0] * n_columns
    maxima = column_maxima(sizes)
    tried = {
        factor: encode_sizes(sizes, options, [1.0 if is_tiny(m) else factor for m in maxima])
        for factor in factors_to_try()
    }
    width, found = n_columns // groups, []
    for members in packs(n_rows, width, groups, options):
        packed = diagonal(sizes, members, width)
        attempts = {factor: encoded.packed(members, width) for factor, encoded in tried.items()}
        empty = [options.empty_bits(r % n_rows) for r in range(len(packed))]
        for columns in spans_of(len(packed[0]), options.cols):
            tile = cut(packed, (0, len(packed)), columns)
            attempt = {factor: encoded.columns(*columns) for factor, encoded in attempts.items()}
            found += tile_stretch(tile, attempt, empty, options)
    return found
