"""Codecs po2, apot and mixed: codebooks, examples by hand, nearest codes by exhaustive search."""

from itertools import product

import numpy as np
import pytest

from sim.mapping import load_parameters, map_layer, map_matrix
from sim.mapping.codecs import apot
from sim.mapping.codecs.base import window_codebook
from tests.independent import additive_codebook
from tests.random_cases import seeded

WIDTHS = range(2, 9)


def mapped(weights, **options):
    """Map a matrix; returns its only matrix."""
    chosen = {"squeeze": 0, "scale": "column"} | options
    return map_matrix(np.asarray(weights), load_parameters("tiny", **chosen)).matrices[0]


def column_codes(weights, **options):
    """Map a column of weights; returns its codes."""
    return mapped(np.asarray(weights)[:, np.newaxis], **options).codes[:, 0].tolist()


def test_po2_by_hand():
    """Nearest in the linear domain; exactly between two powers goes up, away from zero."""
    weights = [8, -7, 6, 5.99, -3, 2.99, 1.5, 0.5, 0.49, -0.5, 0]
    codes = [8, -8, 8, 4, -4, 2, 2, 1, 0, -1, 0]
    assert column_codes(weights, codec="po2", weight_bits=4) == codes


@pytest.mark.parametrize(
    ("largest", "alpha"), [(0.3749, 0.5), (0.375, 1), (-0.5, 1), (0.7499, 1), (0.75, 2), (3, 8)]
)
def test_po2_largest_weight(largest, alpha):
    """With scales that are powers of two, too, the largest weight is rounded to plane 1."""
    for scale in ("layer-pow2", "column-pow2"):
        matrix = mapped([[largest], [0.01]], codec="po2", scale=scale)
        assert abs(matrix.codes[0, 0]) == 128
        assert matrix.code_steps.tolist() == [alpha / 256]
    matrix = mapped([[largest], [0.01]], codec="po2", scale="column")
    assert abs(matrix.codes[0, 0]) * matrix.code_steps[0] == abs(largest)


def test_apot_codebook_by_hand():
    """The levels of the APoT paper: 3 planes are one term, 6 planes two."""
    assert apot.codebook(3, 1) == (0, 1, 2, 4)
    # 32, 8 or 2, and 16, 4 or 1
    assert apot.codebook(6, 2) == (0, 1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 32, 33, 36, 48)
    # Five planes lack the last power: 16, 4 or 1, and 8 or 2.
    assert apot.codebook(5, 2) == (0, 1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24)


@pytest.mark.parametrize("bits", WIDTHS)
def test_codebooks(bits):
    """No two ones are n planes apart; every window of n planes is part of the book."""
    terms = -(-bits // 3)
    book = apot.codebook(bits, terms)
    allowed = [
        code
        for code in range(2**bits)
        if all(
            sum(code >> plane & 1 for plane in range(first, bits, terms)) < 2
            for first in range(terms)
        )
    ]
    assert list(book) == allowed == additive_codebook(bits, terms)
    assert set(window_codebook(bits, terms)) <= set(book)
    assert apot.codebook(bits, 1) == window_codebook(bits, 1) == (0, *(2**p for p in range(bits)))


def test_apot_sizes():
    """Eight planes have three terms and 48 magnitudes, the largest 2^-1 + 2^-2 + 2^-3."""
    sizes = [len(apot.codebook(bits, -(-bits // 3))) for bits in WIDTHS]
    assert sizes == [3, 4, 9, 12, 16, 36, 48]
    assert apot.codebook(8, 3)[-1] == 0b11100000


def test_apot_by_hand():
    """128, 16 or 2, and 64, 8 or 1, and 32 or 4; halves go up."""
    weights = [224, 210, -209.9, 194, 193.9, -180, 179.9, 30, 29, 7.5, 0.5, 0.49, 0]
    codes = [224, 224, -196, 196, 192, -192, 168, 32, 28, 8, 1, 0, 0]
    assert column_codes(weights, codec="apot") == codes


@pytest.mark.parametrize(
    ("largest", "alpha", "code"),
    [(0.9374, 1, 224), (0.9375, 2, 128), (0.875, 1, 224), (0.469, 1, 128), (0.4687, 0.5, 224)],
)
def test_apot_largest_weight(largest, alpha, code):
    """A power of two is the smallest with which the largest weight is not beyond the top code.

    The next code would be 256, so 240, which is 0.9375 of 256, is the limit.
    """
    matrix = mapped([[largest], [0.01]], codec="apot", scale="layer-pow2")
    assert matrix.code_steps.tolist() == [alpha / 256]
    assert matrix.codes[0, 0] == code


def book_of_row(codec, bits, kept):
    """Return all codes that a row may have."""
    if codec == "po2":
        return [0, *(2**p for p in range(bits))]
    if codec == "apot":
        return additive_codebook(bits, -(-bits // 3))
    return range(0, 2**bits, 2 ** (bits - kept))


@pytest.mark.parametrize("codec", ["po2", "apot", "mixed"])
@pytest.mark.parametrize("bits", WIDTHS)
def test_nearest_code_by_exhaustive_search(codec, bits):
    """All multiples of 1/8 and random positions become the nearest code; ties go up."""
    top = {"mixed": 2**bits - 1}.get(codec) or max(book_of_row(codec, bits, bits))
    positions = np.concatenate([np.arange(8 * top + 1) / 8, seeded(bits).random(300) * top])
    positions[0] = top  # the largest weight of each column, so that a step is a code
    for kept in range(5, bits + 1) if codec == "mixed" and bits >= 5 else [bits]:
        row_bits = kept if codec == "mixed" and bits >= 5 else "all"
        codes = column_codes(positions, codec=codec, weight_bits=bits, window=1, row_bits=row_bits)
        book = np.array(book_of_row(codec, bits, kept))[::-1]  # argmin takes the first: upwards
        best = book[np.abs(positions[:, np.newaxis] - book).argmin(axis=1)]
        assert codes == best.tolist()


@pytest.mark.parametrize("codec", ["po2", "apot", "mixed"])
@pytest.mark.parametrize("bits", WIDTHS)
def test_one_weight(codec, bits):
    """A layer of one weight has the top code with a scale of its own; zero and signs are kept."""
    top = max(book_of_row(codec, bits, bits))
    for weight in (0.3, -1e-3, 77):
        matrix = mapped([[weight]], codec=codec, weight_bits=bits, window=1)
        assert matrix.codes.tolist() == [[top if weight > 0 else -top]]
    assert mapped([[0.0]], codec=codec, weight_bits=bits, window=1).codes.tolist() == [[0]]


def test_mixed_by_hand():
    """A row's grid is as coarse as the bits it keeps, and its largest code all ones of these."""
    weights = [[255.0, 0, 0, 0], *([255, 251, 4, -3.9] for _ in range(4))]
    matrix = mapped(
        weights, codec="mixed", row_bits=[8, 5, 6, 7, 8], scale="layer-pow2", grouping="none"
    )
    assert matrix.codes.tolist() == [
        [255, 0, 0, 0],
        [248, 248, 8, 0],
        [252, 252, 4, -4],
        [254, 252, 4, -4],
        [255, 251, 4, -4],
    ]
    assert matrix.code_steps.tolist() == [1.0] * 4


def test_mixed_with_all_bits_is_uniform():
    """Without numbers, or with weight_bits everywhere, mixed is int8."""
    weights = seeded(3).normal(size=(11, 9))
    expected = mapped(weights, codec="int8", weight_bits=7)
    for row_bits in ("all", 7, [7, 7]):
        matrix = mapped(weights, codec="mixed", weight_bits=7, row_bits=row_bits)
        np.testing.assert_array_equal(matrix.codes, expected.codes)
        np.testing.assert_array_equal(matrix.code_steps, expected.code_steps)


def trailing_zeros(codes):
    """Return how many low bits all codes of a row leave empty."""
    ored = int(np.bitwise_or.reduce(np.abs(codes)))
    return (ored & -ored).bit_length() - 1


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_bits_of_kernel_positions(groups):
    """Nine numbers are those of a 3 x 3 kernel, for every input channel of every group."""
    row_bits = [5, 6, 7, 8, 5, 6, 7, 8, 6]
    weights = seeded(groups).normal(size=(160, 8 // groups, 3, 3))
    parameters = load_parameters("paper", codec="mixed", row_bits=row_bits, squeeze=0)
    layer = map_layer("conv", weights, parameters, groups=groups)
    assert len(layer.matrices) == min(groups, 2), "eight groups share two crossbars"
    for matrix in layer.matrices:
        kept = [8 - trailing_zeros(row) for row in matrix.codes]
        assert kept == row_bits * (len(kept) // 9)


@pytest.mark.parametrize("policy", ["paper", "minimal", "rounded", "rounded-window"])
def test_empty_bits_stay_empty(policy):
    """Squeeze-out gives no row more bits than it had; rounding there is to the nearest, too."""
    weights = seeded(5).standard_t(2, size=(60, 20))
    row_bits = [5, 6, 7, 8]
    for degree in range(1, 8):
        options = {"policy": policy, "squeeze": degree, "scale": "layer-pow2", "cols": 20}
        matrix = mapped(weights, codec="mixed", row_bits=row_bits, **options)
        effective = matrix.codes.astype(int) << matrix.row_shifts
        for kept, codes in zip(row_bits * 15, effective, strict=True):
            assert not (codes & (2 ** (8 - kept) - 1)).any()
        if policy != "rounded":
            continue
        positions = np.abs(weights) * 255 / np.abs(weights).max()
        steps = 2 ** np.maximum(8 - np.resize(row_bits, (60, 1)), matrix.row_shifts)
        largest = 2.0 ** (8 - degree + matrix.row_shifts) - steps
        largest[matrix.row_shifts == 0] = 255
        nearest = np.minimum(np.floor(positions / steps + 0.5) * steps, largest)
        np.testing.assert_array_equal(np.abs(effective), nearest)


def test_plain_ignores_row_bits():
    """The control has all bits of the remaining planes."""
    weights = seeded(6).normal(size=(9, 9))
    plain = mapped(weights, codec="mixed", row_bits=5, policy="plain", squeeze=2)
    expected = mapped(weights, codec="int8", policy="plain", squeeze=2)
    np.testing.assert_array_equal(plain.codes, expected.codes)


@pytest.mark.parametrize("codec", ["po2", "apot", "mixed"])
@pytest.mark.parametrize("policy", ["paper", "minimal", "rounded", "rounded-window"])
def test_errors(codec, policy):
    """Squared errors are those of codes times steps, before and after squeeze-out."""
    weights = seeded(8).laplace(size=(30, 21))
    row_bits = [5, 8, 6] if codec == "mixed" else "all"
    for scale, degree in product(["layer-pow2", "column"], [0, 2]):
        common = {"codec": codec, "row_bits": row_bits, "scale": scale, "policy": policy}
        layer = map_matrix(weights, load_parameters("small", squeeze=degree, **common))
        before = mapped(weights, **common)
        (after,) = layer.matrices
        quantised = before.codes * before.code_steps
        on_crossbars = (after.codes.astype(int) << after.row_shifts) * after.code_steps
        assert layer.errors.signal == pytest.approx((weights**2).sum())
        assert layer.errors.quantisation == pytest.approx(((weights - quantised) ** 2).sum())
        assert layer.errors.total == pytest.approx(((weights - on_crossbars) ** 2).sum())
        squeezed = ((quantised - on_crossbars) ** 2).sum()
        assert layer.errors.squeeze == pytest.approx(squeezed)
        assert (squeezed > 0) == (degree > 0)
