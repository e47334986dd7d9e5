"""Scale ``column-mse``: what it finds, against plain loops and what can be tried by hand."""

from itertools import product

import numpy as np
import pytest

from sim.mapping import load_parameters, map_layer, map_matrix
from sim.mapping.column_scales import FACTORS
from tests.independent import (
    Options,
    column_error,
    encode_sizes,
    factors_to_try,
    map_convolution,
    map_weights,
)
from tests.random_cases import CODEC_NAMES, random_mapping, random_weights, seeded
from tests.unit.test_mapping_against_independent import assert_same_mapping, check_matrix

POLICY_NAMES = ["paper", "minimal", "rounded", "rounded-window", "plain"]


def both(weights, options, groups=1):
    """Map with the scale ``column``, and with ``column-mse``."""
    return [
        map_layer(
            "w",
            weights.T if weights.ndim == 2 else weights,
            load_parameters("tiny", **options.as_dict() | {"scale": scale}),
            groups=groups,
        )
        for scale in ("column", "column-mse")
    ]


@pytest.mark.parametrize("policy", POLICY_NAMES)
@pytest.mark.parametrize("codec", CODEC_NAMES)
def test_random_matrices(codec, policy):
    """All codecs, policies, windows, degrees and cells: loops find the same scales and codes."""
    rng = seeded(100 + 10 * CODEC_NAMES.index(codec) + POLICY_NAMES.index(policy))
    for case in range(4):
        options = random_mapping(
            rng, codec=codec, policy=policy, scale="column-mse", cell_bits=1 + case % 2
        )
        shape = rng.integers(1, 24), rng.integers(1, 14)
        check_matrix(random_weights(rng, shape, options), options)


CONVOLUTIONS = [
    # cout, cin / groups, kh, kw, groups, rows, cols
    (7, 3, 2, 2, 1, 8, 5),  # dense, several tiles
    (12, 2, 1, 2, 4, 16, 7),  # two groups a crossbar
    (10, 1, 3, 3, 10, 32, 16),  # depthwise, three groups a crossbar and one left over
    (6, 1, 3, 3, 6, 8, 6),  # depthwise, a group is taller than a tile
]


@pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=str)
def test_convolutions(convolution):
    """The columns of groups in one crossbar have few rows in common, or none."""
    *shape, groups, rows, cols = convolution
    rng = seeded(rows * cols + groups)
    for codec, policy in product(["sme", "mixed"], POLICY_NAMES):
        options = random_mapping(
            rng, codec=codec, policy=policy, rows=rows, cols=cols, scale="column-mse"
        )
        weights = random_weights(rng, shape, options)
        expected = map_convolution(weights, options, groups=groups)
        _, layer = both(weights, options, groups)
        assert_same_mapping(expected, layer, f"{options} {convolution}")


def test_error_is_never_larger():
    """Not of any matrix; of most it is smaller."""
    rng = seeded(31)
    smaller = 0
    for case in range(150):
        options = random_mapping(rng, codec=CODEC_NAMES[case % 6])
        weights = random_weights(rng, (rng.integers(1, 60), rng.integers(1, 60)), options)
        before, after = both(weights, options)
        assert after.errors.total <= before.errors.total, f"case {case}: {options}"
        smaller += after.errors.total < 0.99 * before.errors.total
    assert smaller > 90


@pytest.mark.parametrize("policy", ["minimal", "plain"])
def test_single_columns_have_the_best_factor(policy):
    """Nothing of what is tried has a smaller error, if the whole matrix is one column."""
    rng = seeded(32)
    for degree in (0, 2, 5):
        options = Options(policy=policy, squeeze=degree, scale="column-mse", window=4)
        column = rng.standard_t(2, size=(40, 1))
        sizes, zeros = abs(column), [0] * 40
        tried = [encode_sizes(sizes.tolist(), options, [factor]) for factor in factors_to_try()]
        errors = [
            column_error(sizes[:, 0].tolist(), encoded, 0, zeros, zeros, options)
            for encoded in tried
        ]
        layer = map_matrix(column, load_parameters("tiny", **options.as_dict() | {"rows": 128}))
        assert layer.errors.total == pytest.approx(min(errors), rel=1e-9)
        assert min(errors) < errors[0]


def test_exact_weights_keep_their_scale():
    """Columns that the scale ``column`` maps without error are left alone, and columns of zeros."""
    weights = np.outer(seeded(35).integers(-255, 256, size=30), [1, 0, 3])
    weights[7] = [255, 0, -765]
    before, after = both(weights, Options(codec="int8", squeeze=0, rows=8, cols=8))
    assert before.errors.total < 1e-20
    assert before.matrices[0].code_steps.tolist() == after.matrices[0].code_steps.tolist()


def test_outlier_is_cut_off_if_that_is_better():
    """One weight of 1 among 99 of up to 1/4: with one plane, it loses and the others gain."""
    weights = np.full((100, 1), 0.25)
    weights[0] = 1
    before, after = both(weights, Options(policy="plain", squeeze=7, rows=128))
    assert np.count_nonzero(before.matrices[0].codes) == 1
    assert np.count_nonzero(after.matrices[0].codes) == 100
    assert after.matrices[0].code_steps.tolist() == [0.25 + 1 / 128]


def test_rows_are_looked_at_block_by_block(monkeypatch):
    """Blocks make no difference, of rows that keep unlike numbers of bits neither."""
    monkeypatch.setattr("sim.mapping.column_scales._BLOCK", 30)
    rng = seeded(36)
    for policy in POLICY_NAMES:
        options = Options(
            rows=8,
            cols=8,
            codec="mixed",
            row_bits=[5, 8, 6, 7, 8],
            policy=policy,
            squeeze=2,
            scale="column-mse",
        )
        check_matrix(rng.laplace(size=(21, 11)), options)


def test_extreme_magnitudes():
    """Tiles with columns so small that squares of their weights are zero keep their scales."""
    rng = seeded(33)
    for factor in (5e-324, 1e-310, 1e-200, 1e-40, 1e100):
        for codec, largest in product(("sme", "int8", "po2"), (1, 9)):
            options = Options(rows=8, cols=8, codec=codec, scale="column-mse", policy="rounded")
            weights = rng.integers(-largest, largest + 1, size=(9, 12)) * factor
            check_matrix(weights, options)
            weights[:, :5] = rng.normal(size=(9, 5))
            check_matrix(weights, options)


def test_factors_are_exact():
    """From 1/4 to 2, 32 an octave, each once, the scale ``column`` first."""
    assert FACTORS.tolist() == factors_to_try()
    assert FACTORS[0] == 1
    assert sorted(FACTORS * 128) == [*range(32, 64), *range(64, 128, 2), *range(128, 257, 4)]


def test_codes_are_left_alone():
    """Integers that are codes have no scale; the control takes it for integers, too."""
    weights = seeded(34).integers(-255, 256, size=(30, 9))
    expected = map_weights(weights, Options(codec="codes", scale="column"))
    _, layer = both(weights, Options(codec="codes", squeeze=1))
    assert layer.matrices[0].code_steps.tolist() == expected.matrices[0].steps
    before, after = both(weights, Options(policy="plain", squeeze=5))
    assert after.errors.total < before.errors.total
