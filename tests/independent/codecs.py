"""Weights of a layer become codes: the scale of every column, then weight by weight."""

import math
from dataclasses import dataclass

import numpy as np

from .codebooks import (
    additive_alpha,
    additive_codebook,
    nearest_code,
    pow2_alpha,
    quantise,
    round_half_away,
)
from .rectangles import cut, diagonal

__all__ = ["Encoded", "as_lists", "column_maxima", "encode_sizes", "unroll"]


@dataclass
class Encoded:
    """Codes of a matrix, with what they were before rounding.

    ``exact`` holds the magnitudes in units of one code step, clipped but not rounded; ``steps``
    what a code step is worth in every column.
    """

    codes: list[list[int]]
    exact: list[list[float]]
    steps: list[float]

    def columns(self, first, end):
        """Return some columns."""
        rows, columns = (0, len(self.codes)), (first, end)
        return Encoded(
            cut(self.codes, rows, columns), cut(self.exact, rows, columns), self.steps[first:end]
        )

    def packed(self, members, width):
        """Put some groups, each of them ``width`` columns, along the diagonal of a matrix."""
        return Encoded(
            diagonal(self.codes, members, width),
            diagonal(self.exact, members, width),
            self.steps[members[0] * width : members[1] * width],
        )


def as_lists(weights):
    """Return an array as lists of Python integers, or of floats in double precision."""
    weights = np.asarray(weights)
    return (weights.astype(np.float64) if weights.dtype.kind == "f" else weights).tolist()


def unroll(weights):
    """Return the rows (cin, kh, kw) and columns (cout) of a convolution's weights."""
    n_out, n_in, height, width = np.shape(weights)
    weights = as_lists(weights)
    return [
        [weights[o][i][y][x] for o in range(n_out)]
        for i in range(n_in)
        for y in range(height)
        for x in range(width)
    ]


def column_maxima(sizes):
    """Return the largest magnitude of every column."""
    return [max(column) for column in zip(*sizes, strict=True)]


def encode_sizes(sizes, options, stretch):
    """Encode magnitudes, the scale of every column multiplied by its entry in ``stretch``.

    The policy ``plain`` stands for no SME at all: uniform codes of the remaining planes.
    """
    maxima = column_maxima(sizes)
    if options.policy == "plain":
        return encode_uniform(sizes, maxima, options.kept_bits, stretch)
    if options.codec == "codes":
        return encode_codes(sizes, options)
    if options.scale == "layer-pow2":
        maxima = [max(maxima)] * len(maxima)
    if options.codec == "sme":
        return encode_sme(sizes, maxima, options, stretch)
    if options.codec in ("po2", "apot"):
        return encode_additive(sizes, maxima, options, stretch)
    encoded = encode_uniform(sizes, maxima, options.weight_bits, stretch)
    if options.codec == "mixed":
        empty_low_bits(encoded, options)
    return encoded


def stretched_alphas(maxima, power, top, options, stretch):
    """Return alpha of every column: ``power`` of its maximum, or what makes ``top`` of it."""
    if options.scale in ("layer-pow2", "column-pow2"):
        alphas = [power(m) for m in maxima]
    else:
        alphas = [m / top if m else 1.0 for m in maxima]
    return [alpha * factor for alpha, factor in zip(alphas, stretch, strict=True)]


def encode_sme(sizes, maxima, options, stretch):
    """Encode magnitudes in the codec of the paper."""
    bits, window = options.weight_bits, options.window
    top = 1 - 2.0**-window
    alphas = stretched_alphas(maxima, lambda m: pow2_alpha(m, window), top, options, stretch)
    rows = [list(zip(row, alphas, strict=True)) for row in sizes]
    return Encoded(
        [[quantise(size, alpha, bits, window) for size, alpha in row] for row in rows],
        [[min(size / alpha, top) * 2**bits for size, alpha in row] for row in rows],
        [alpha / 2**bits for alpha in alphas],
    )


def encode_additive(sizes, maxima, options, stretch):
    """Encode magnitudes as powers of two, or as sums of one for every three bits."""
    bits = options.weight_bits
    book = additive_codebook(bits, 1 if options.codec == "po2" else math.ceil(bits / 3))
    top = max(book) / 2**bits
    alphas = stretched_alphas(
        maxima, lambda m: additive_alpha(m, book, bits), top, options, stretch
    )
    exact = [
        [size / alpha * 2**bits for size, alpha in zip(row, alphas, strict=True)] for row in sizes
    ]
    codes = [[nearest_code(value, book) for value in row] for row in exact]
    return Encoded(codes, exact, [alpha / 2**bits for alpha in alphas])


def encode_uniform(sizes, maxima, bits, stretch):
    """Encode magnitudes in equal steps, the largest of each column as all ones."""
    largest = 2**bits - 1
    ranges = [(m if m else 1.0) * factor for m, factor in zip(maxima, stretch, strict=True)]
    exact = [
        [min(size * largest / m, largest) for size, m in zip(row, ranges, strict=True)]
        for row in sizes
    ]
    codes = [[round_half_away(value) for value in row] for row in exact]
    return Encoded(codes, exact, [m / largest for m in ranges])


def empty_low_bits(encoded, options):
    """Round the codes of rows that keep fewer bits again, to their own larger steps."""
    for r, row in enumerate(encoded.exact):
        step = 2 ** options.empty_bits(r)
        largest = 2**options.weight_bits - step
        encoded.codes[r] = [min(round_half_away(value / step) * step, largest) for value in row]


def encode_codes(sizes, options):
    """Take integers as the codes they are."""
    assert max(map(max, sizes)) < 2**options.weight_bits
    codes = [[int(size) for size in row] for row in sizes]
    exact = [[float(size) for size in row] for row in sizes]
    return Encoded(codes, exact, [1.0] * len(sizes[0]))
