"""Compensated rounding against a plain loop in float64, and what must hold of it in any case."""

from itertools import pairwise

import numpy as np
import pytest

from sim.compensation.forms import split_forms
from sim.compensation.plan import planned, row_forms, uniform_plan
from sim.compensation.rounding import round_weights, row_losses
from sim.mapping import load_parameters
from tests.compensation_reference import nearest_row, output_loss, round_slowly
from tests.random_cases import seeded


def forms_of(**options):
    """Return the forms that options leave to rows."""
    return row_forms(load_parameters("paper", **options))


FORMS = {
    "pieces of one bit": split_forms(1, 7),
    "pieces of two bits": split_forms(2, 6),
    "window": forms_of(policy="minimal", squeeze=3),
    "rounded": forms_of(policy="rounded", squeeze=5, window=8),
    "rounded beside a window": forms_of(policy="rounded", squeeze=2),
    "all or none": forms_of(policy="paper", squeeze=2),
    "all or none, far apart": forms_of(policy="paper", squeeze=4),
    "plain": forms_of(policy="plain", squeeze=4),
    "two bits a cell": forms_of(policy="minimal", squeeze=4, cell_bits=2),
}
SHAPES = {
    # groups, rows, columns, columns of a tile
    "small": (1, 20, 6, 4),
    "groups": (3, 9, 5, 5),
    "depthwise": (4, 9, 1, 8),
    "one row": (1, 1, 7, 3),
    "one weight": (1, 1, 1, 4),
    "a block": (1, 64, 5, 8),
    "blocks": (1, 100, 9, 4),
    "many rows, groups": (2, 129, 3, 2),
}


def problem(rng, shape, forms):
    """Return targets, moments of correlated inputs, and a random window for every row of a tile."""
    groups, rows, columns, width = shape
    vectors = rng.normal(size=(groups, 3 * rows, rows)) @ rng.normal(size=(groups, rows, rows))
    vectors = vectors + rng.normal(size=(groups, 3 * rows, 1)) * 3
    moments = vectors.swapaxes(1, 2) @ vectors / (3 * rows)
    moments += 0.03 * np.einsum("grr->g", moments)[:, np.newaxis, np.newaxis] / rows * np.eye(rows)
    targets = rng.standard_t(4, size=(groups, rows, columns)) * 10.0 ** rng.integers(-3, 3)
    windows = rng.integers(len(forms.sizes), size=(groups, rows, -(-columns // width)))
    windows[:, 0] = len(forms.sizes) - 1
    return targets, moments, planned(forms, windows)


def rounded_by_us(targets, moments, plan, width, passes, scales=None):
    """Return what the package rounds to."""
    return round_weights(
        targets,
        moments,
        plan.low,
        plan.high,
        width=width,
        forms=plan.forms,
        passes=passes,
        scales=scales,
    )


def assert_on_grid(rounded, plan, width):
    """Assert that each row of each tile has levels of a form that it may have."""
    assert rounded.levels.dtype == np.int32
    for g, r, t in np.ndindex(plan.low.shape):
        number = rounded.forms[g, r, t]
        assert plan.low[g, r, t] <= number < plan.high[g, r, t]
        own = np.abs(rounded.levels[g, r, t * width : (t + 1) * width])
        assert set(own.tolist()) <= set(plan.forms.forms[number].levels)


@pytest.mark.parametrize("fixed", [False, True], ids=["fitted scales", "fixed scales"])
@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("shape", ["small", "groups", "one row", "blocks"])
def test_as_a_plain_loop(kind, shape, fixed):
    """The same weights, scales and losses.

    A tie that falls to the other side in float32 changes all that follows in its column tile: one
    tile may differ.
    """
    rng, forms, shape = seeded(2), FORMS[kind], SHAPES[shape]
    targets, moments, plan = problem(rng, shape, forms)
    width, passes = shape[3], 2
    scales = None
    if fixed:
        scales = np.abs(targets).max(axis=1) / forms.reach.max() * rng.uniform(0.6, 1.4)
    ours = rounded_by_us(targets, moments, plan, width, passes, scales)
    assert_on_grid(ours, plan, width)
    expected = [
        round_slowly(
            targets[g],
            moments[g],
            plan.low[g],
            plan.high[g],
            width=width,
            forms=forms,
            passes=passes,
            scales=None if scales is None else scales[g],
        )
        for g in range(shape[0])
    ]
    wanted = np.stack([weights for _, weights in expected])
    found = ours.weights(forms, width)
    same = np.isclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(targets).max()).all(axis=1)
    same = np.logical_and.reduceat(same, range(0, shape[2], width), axis=1)
    assert np.count_nonzero(~same) <= 1
    same = np.repeat(same, width, axis=1)[:, np.newaxis, : shape[2]]
    ours_lost, lost = (
        output_loss(targets * same, weights * same, moments) for weights in (found, wanted)
    )
    noise = 1e-10 * output_loss(targets, 0, moments)
    assert ours_lost == pytest.approx(lost, rel=1e-4, abs=noise)
    own_scales = np.stack([own for own, _ in expected])
    assert np.allclose(ours.scales * same[:, 0], own_scales * same[:, 0], rtol=1e-4)
    assert np.any(wanted), "zeros show nothing"


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "many rows, groups"])
def test_passes_never_raise_the_loss(kind, shape):
    """Whether scales are fitted or fixed; fixed ones stay."""
    forms, width = FORMS[kind], SHAPES[shape][-1]
    targets, moments, plan = problem(seeded(4), SHAPES[shape], forms)
    noise = 1e-10 * output_loss(targets, 0, moments)
    scales = np.abs(targets).max(axis=1) / forms.reach.max()
    for own in (scales, None):
        losses = []
        for passes in (0, 1, 2, 5):
            ours = rounded_by_us(targets, moments, plan, width, passes, own)
            assert_on_grid(ours, plan, width)
            losses.append(output_loss(targets, ours.weights(forms, width), moments))
            if own is not None:
                assert ours.scales.tolist() == own.astype(np.float32).tolist()
        assert all(b <= a * (1 + 1e-5) + noise for a, b in pairwise(losses))


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("shape", ["small", "groups", "depthwise", "one row", "blocks"])
def test_less_is_lost_than_by_nearest_levels(kind, shape):
    """With the same scales, and with scales that are fitted."""
    forms, (groups, rows, columns, width) = FORMS[kind], SHAPES[shape]
    targets, moments, _ = problem(seeded(8), SHAPES[shape], forms)
    plan = uniform_plan(forms, 2, (groups, rows, -(-columns // width)))
    scales = np.abs(targets).max(axis=1) / forms.reach[forms.sizes == 2][0]
    scales = scales.astype(np.float32).astype(float)
    nearest = np.zeros_like(targets)
    for g, r, t in np.ndindex(plan.low.shape):
        tile = slice(t * width, (t + 1) * width)
        candidates = range(plan.low[g, r, t], plan.high[g, r, t])
        _, number, levels = nearest_row(targets[g, r, tile], scales[g, tile], forms, candidates)
        nearest[g, r, tile] = levels * scales[g, tile] * forms.factors[number]
    lost = output_loss(targets, nearest, moments)
    noise = 1e-10 * output_loss(targets, 0, moments)
    for own in (scales, None):
        ours = rounded_by_us(targets, moments, plan, width, 3, own)
        ours = output_loss(targets, ours.weights(forms, width), moments)
        assert ours <= (lost if columns == 1 or rows == 1 else 0.7 * lost) + noise


@pytest.mark.parametrize("kind", ["pieces of one bit", "window"])
@pytest.mark.parametrize("shape", ["groups", "depthwise", "many rows, groups"])
def test_groups_are_by_themselves(kind, shape):
    """Rounded together they are what each of them is alone."""
    forms, width = FORMS[kind], SHAPES[shape][3]
    targets, moments, plan = problem(seeded(5), SHAPES[shape], forms)
    together = rounded_by_us(targets, moments, plan, width, 2)
    for g in range(len(targets)):
        one = slice(g, g + 1)
        own = planned(forms, np.searchsorted(forms.first, plan.low[one]))
        alone = rounded_by_us(targets[one], moments[one], own, width, 2)
        assert alone.scales.tolist() == together.scales[one].tolist()
        assert alone.levels.tolist() == together.levels[one].tolist()
        assert alone.forms.tolist() == together.forms[one].tolist()


@pytest.mark.parametrize("rows", [6, 70])
def test_zeros(rows):
    """Zero columns, rows and matrices stay; rows without any form are made up for by others."""
    forms = FORMS["pieces of one bit"]
    shape = (2, rows, 4, 4)
    targets, moments, _ = problem(seeded(6), shape, forms)
    plan = uniform_plan(forms, 4, (2, rows, 1))
    targets[0, :, 1] = 0
    targets[1] = 0
    found = rounded_by_us(targets, moments, plan, 4, 3)
    assert_on_grid(found, plan, 4)
    weights = found.weights(forms, 4)
    assert np.isfinite(weights).all()
    assert not weights[0, :, 1].any()
    assert not weights[1].any()
    assert weights[0, :, [0, 2, 3]].any(axis=1).all()
    nothing = rounded_by_us(targets, moments, uniform_plan(forms, 0, (2, rows, 1)), 4, 3)
    assert not nothing.levels.any()
    assert not nothing.weights(forms, 4).any()


def test_rows_that_share_their_inputs():
    """With two rows of nearly the same input, the free one takes what the other cannot have."""
    forms = FORMS["window"]
    plan = planned(forms, np.array([[[0], [len(forms.sizes) - 1]]]))
    moments = np.array([[[1.0, 0.999], [0.999, 1.0]]])
    targets = np.array([[[1.0, -0.5], [0.25, 1.5]]])
    found = rounded_by_us(targets, moments, plan, 4, 4).weights(forms, 4)[0]
    assert not found[0].any()
    assert np.allclose(found[1], targets[0].sum(axis=0), rtol=0.03)


@pytest.mark.parametrize("kind", FORMS)
def test_row_losses(kind):
    """Squared errors of the nearest levels, where the largest weight is as far as a size goes."""
    rng, forms = seeded(7), FORMS[kind]
    weights = rng.standard_t(3, size=(2, 5, 7)).astype(np.float32).astype(float)
    weights[0, :, 2] = 0
    importance = rng.uniform(0.1, 3, size=(2, 5))
    found = row_losses(weights, importance, width=4, forms=forms)
    assert found.shape == (len(forms.sizes), 2, 5, 2)
    for window, g, r, t in np.ndindex(found.shape):
        tile = slice(4 * t, 4 * t + 4)
        reach = max(1, max(f.largest for f in forms.forms if f.size == forms.sizes[window]))
        scales = np.maximum(np.abs(weights[g]).max(axis=0)[tile], 1e-30) / reach
        candidates = range(forms.first[window], forms.first[window + 1])
        error = nearest_row(weights[g, r, tile], scales, forms, candidates)[0] * importance[g, r]
        assert found[window, g, r, t] == pytest.approx(error, rel=1e-3, abs=1e-9)
