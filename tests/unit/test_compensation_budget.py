"""Sharing crossbars out: against all ways there are, on small cases."""

from itertools import pairwise, product

import numpy as np
import pytest

from sim.compensation.allocation import allocate, conventional_crossbars
from sim.compensation.budget import fill, largest_gains, saving_steps
from sim.compensation.plan import row_forms
from sim.compensation.profile import Profile
from sim.compensation.rows import rows_of
from sim.mapping import load_parameters
from sme_hw.errors import InputError
from tests.random_cases import seeded


def falling(rng, sizes, items, *, concave):
    """Return losses that never grow; concave: each unit of size saves less than the one before."""
    saved = rng.exponential(size=(sizes - 1, items)) * rng.choice([0.1, 1, 5], size=items)
    saved[rng.random(saved.shape) < 0.2] = 0
    if concave:
        saved = -np.sort(-saved, axis=0)
    return np.concatenate([np.zeros((1, items)), -saved.cumsum(axis=0)]) + 50


def least_loss(losses, room):
    """Return the least loss of all choices of sizes that fit, trying them all."""
    sizes, items = losses.shape
    fitting = (c for c in product(range(sizes), repeat=items) if sum(c) <= room)
    return min(losses[list(chosen), range(items)].sum() for chosen in fitting)


@pytest.mark.parametrize("seed", range(20))
def test_fill_is_the_best_of_all(seed):
    """Where savings fall, whatever the room; the loss of a step is what it saves."""
    losses = falling(seeded(seed), 4, 5, concave=True)
    steps = saving_steps(losses)
    for room in range(16):
        sizes = fill(steps, 5, room)
        assert sizes.sum() <= room
        found = losses[sizes, range(5)].sum()
        assert found == pytest.approx(least_loss(losses, room))
        assert found == pytest.approx(losses[0].sum() - steps.saved_by(np.array(room)))
    for item, start, stop, saved in zip(
        steps.item, steps.start, steps.stop, steps.saved, strict=True
    ):
        assert saved == pytest.approx(losses[start, item] - losses[stop, item])


@pytest.mark.parametrize("seed", range(20))
def test_steps_are_on_the_convex_hull(seed):
    """Steps of an item follow one another, ever less worthwhile, and lie below all sizes."""
    losses = falling(seeded(seed), 6, 4, concave=False)
    steps = saving_steps(losses)
    rates = steps.saved / (steps.stop - steps.start)
    assert all(b <= a + 1e-12 for a, b in pairwise(rates))
    for item in range(4):
        own = np.flatnonzero(steps.item == item)
        ends = [0, *steps.stop[own].tolist()]
        assert steps.start[own].tolist() == ends[:-1]
        hull = np.interp(range(6), ends, losses[ends, item])
        assert (losses[:, item] >= hull - 1e-9).all()
        assert losses[ends[-1], item] == losses[-1, item]
    for room in range(20):
        sizes = fill(steps, 4, room)
        assert sizes.sum() <= room
        # What is not on the hull cannot be met: the room of one step is lost at most.
        assert losses[sizes, range(4)].sum() <= losses[0].sum() - steps.saved_by(room - 5) + 1e-9
        assert losses[sizes, range(4)].sum() >= least_loss(losses, room) - 1e-9


def test_nothing_to_save():
    """There are no steps, and sizes stay 0."""
    steps = saving_steps(np.ones((3, 2)))
    assert steps.size == 0
    assert steps.saved_by(np.array([0, 7])).tolist() == [0, 0]
    assert fill(steps, 2, 9).tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(10))
def test_largest_gains(seed):
    """The best of all ways to share crossbars out, among units of different lengths."""
    rng = seeded(seed)
    gains = [-np.sort(-rng.exponential(size=n)) for n in rng.integers(0, 4, size=4)]
    total = sum(map(len, gains))
    for count in range(total + 3):
        found = largest_gains(gains, count)
        assert len(found) == 4
        assert sum(found) == min(count, total)
        best = max(
            sum(own[:n].sum() for own, n in zip(gains, chosen, strict=True))
            for chosen in product(*(range(len(own) + 1) for own in gains))
            if sum(chosen) <= count
        )
        got = sum(own[:n].sum() for own, n in zip(gains, found, strict=True))
        assert got == pytest.approx(best)


def profile(rng, shape):
    """Return a profile with random weights and importance."""
    importance = rng.exponential(size=shape[:2]) * 10.0 ** rng.integers(-2, 2)
    return Profile(rng.normal(size=shape), importance, ((1.0, 1.0),), 0.0)


CONVENTIONAL = [
    # groups, rows, columns, crossbars of 8 bits on 8 x 6
    ((1, 8, 6), 8),
    ((1, 9, 6), 16),
    ((1, 9, 7), 32),
    ((1, 24, 13), 72),
    ((5, 3, 2), 24),  # two groups a tile
    ((7, 9, 1), 112),
    ((3, 8, 1), 24),
    ((13, 1, 1), 24),
]


@pytest.mark.parametrize(("shape", "crossbars"), CONVENTIONAL)
def test_conventional_crossbars(shape, crossbars):
    """Tiles times planes, for one and two bits a cell."""
    for cell_bits in (1, 2):
        parameters = load_parameters("tiny", cols=6, squeeze=4, cell_bits=cell_bits)
        assert conventional_crossbars(shape, parameters) == crossbars // cell_bits


def predicted(plan, losses):
    """Return the loss that a plan's windows were promised."""
    windows = np.searchsorted(plan.forms.first, plan.low)
    return np.take_along_axis(losses, windows[np.newaxis], 0).sum()


def test_tiles_get_what_helps_most():
    """Of all ways to give planes to the tiles of two layers, at least one each, none is better."""
    rng = seeded(11)
    parameters = load_parameters("tiny", cols=6, policy="plain", squeeze=5, scale="column")
    profiles = [profile(rng, (1, 8, 6)), profile(rng, (2, 8, 6))]
    forms = row_forms(parameters)
    tables = [own.losses(forms, 6) for own in profiles]
    tiles = [t[:, g].sum(axis=(1, 2)) for t in tables for g in range(t.shape[1])]
    by_size = np.stack([[tile[forms.sizes == size].min() for tile in tiles] for size in range(4)])
    gains = -np.diff(by_size, axis=0)
    assert (np.diff(gains, axis=0) < 0).all(), "choose another seed: savings do not fall"
    for crossbars in range(2, 10):
        plans = allocate([parameters] * 2, profiles, crossbars)
        given = [
            forms.sizes[np.searchsorted(forms.first, plan.low[g, 0, 0])]
            for plan in plans
            for g in range(len(plan.low))
        ]
        assert sum(given) == min(crossbars, 9)
        found = sum(predicted(*pair) for pair in zip(plans, tables, strict=True))
        best = min(
            by_size[planes, range(3)].sum()
            for planes in product(range(4), repeat=3)
            if planes[0] and sum(planes[1:]) and sum(planes) <= crossbars
        )
        assert found == pytest.approx(best)


def test_coarse_rows_come_together():
    """Rows of a dense layer are sorted by what they lose; all of a tile have one window."""
    parameters = load_parameters("tiny", policy="minimal", squeeze=5, scale="column")
    own = profile(seeded(12), (1, 20, 3))
    forms = row_forms(parameters)
    (plan,) = allocate([parameters], [own], 5)
    lost = own.losses(forms, 8)[forms.sizes <= 1].min(axis=0)[0, :, 0]
    assert (np.diff(lost[plan.order]) <= 0).all()
    windows = np.searchsorted(forms.first, plan.low[0, plan.order, 0])
    parts = [windows[start : start + 8] for start in (0, 8, 16)]
    assert all(len(set(part.tolist())) == 1 for part in parts)
    assert sum(forms.sizes[part[0]] for part in parts) == 5


def fewest_runs(pieces, most):
    """Return how many crossbars of 8 rows hold groups that follow one another."""
    runs, held, groups = 1, 0, 0
    for count in pieces:
        assert count <= 8
        if held + count > 8 or groups == most:
            runs, held, groups = runs + 1, 0, 0
        held, groups = held + count, groups + 1
    return runs


@pytest.mark.parametrize("shape", [(13, 4, 1), (9, 5, 1), (5, 3, 2), (17, 8, 1)])
def test_small_groups_share_crossbars(shape):
    """Their pieces fit crossbars, and these are filled, however few there are."""
    parameters = load_parameters("tiny", cols=6, policy="split", squeeze=7, scale="column")
    own = profile(seeded(13), shape)
    most = 6 // shape[2]
    least = -(-shape[0] // most)
    for crossbars in range(least, least + 9):
        (plan,) = allocate([parameters], [own], crossbars)
        sizes = plan.forms.sizes[np.searchsorted(plan.forms.first, plan.low)].sum(axis=(1, 2))
        assert fewest_runs(sizes, most) <= crossbars
        if crossbars * 8 <= shape[0] * shape[1]:  # there is use for all places
            assert sizes.sum() == crossbars * 8
    with pytest.raises(InputError, match=f"^{least - 1} crossbars are too few, at least {least} "):
        allocate([parameters], [own], least - 1)


@pytest.mark.parametrize("policy", ["split", "minimal"])
def test_layers_that_matter_get_more(policy):
    """A layer whose errors cost more gets the larger part."""
    same = profile(seeded(14), (1, 24, 8))
    heavy = Profile(same.weights, same.importance * 1000, ((1.0, 1.0),), 0.0)
    squeeze = {"split": 7, "minimal": 4}[policy]
    parameters = load_parameters("tiny", policy=policy, squeeze=squeeze, scale="column")
    plans = allocate([parameters] * 2, [same, heavy], 9)
    sizes = [plan.forms.sizes[np.searchsorted(plan.forms.first, plan.low)].sum() for plan in plans]
    assert sizes[0] < sizes[1]
    assert sum(sizes) <= 9 * 8
    with pytest.raises(InputError, match=r"^1 crossbars are too few, at least 2 are needed"):
        allocate([parameters] * 2, [same, heavy], 1)


@pytest.mark.parametrize("options", [{"policy": "split", "squeeze": 7}, {"policy": "plain"}])
def test_gains_grow_where_a_layer_is_hardly_there(options):
    """They add up to what was measured without the layer; small errors stay in proportion."""
    rng = seeded(8)
    parameters = load_parameters("small", adc_bits="lossless", scale="column", **options)
    weights, importance = rng.normal(size=(1, 100, 60)), rng.uniform(1, 2, size=(1, 100))

    def rows(removed, *points):
        return rows_of(parameters, Profile(weights, importance, points, removed))

    linear = rows(0.0, (1.0, 1.0))
    whole, before = linear.divergence, linear.units()
    gains = np.concatenate([unit.gains for unit in before])
    order = np.argsort(-gains, kind="stable")
    left = whole - np.concatenate([[0.0], gains[order].cumsum()])

    def slope(at, of):
        return np.log(of[1] / at[1]) / np.log(of[0] / at[0])

    first, second, end = (whole / 30, whole / 30), (whole / 3, whole), (whole, 50 * whole)
    for points in ((first,), (first, second)):
        layer = rows(end[1], *points)
        assert layer.divergence == pytest.approx(end[1])
        after = layer.units()
        assert all((np.diff(unit.gains) <= 1e-9 * whole).all() for unit in after)
        assert [len(unit.gains) for unit in after] == [len(unit.gains) for unit in before]
        found = np.concatenate([unit.gains for unit in after])[order]
        same = left[:-1] <= first[0]
        assert same.any()
        assert (found[same] == gains[order][same]).all()
        assert (found[~same] > gains[order][~same]).all()
        # From the layer without crossbars down to each point, along powers of the estimate.
        expected, starts = left.copy(), (*points, end)
        for at, of in pairwise(starts):
            part = left > at[0]
            expected[part] = at[1] * (left[part] / at[0]) ** slope(at, of)
        assert slope(first, second) < slope(second, end)
        assert end[1] - found.cumsum() == pytest.approx(expected[1:])
    # What costs less without a layer than with a coarse one stays as it was.
    for points, removed in (
        ([(1.0, 1.0)], whole / 2),
        ([(0.0, 0.0)], 1.0),
        ([(2 * whole, 2 * whole)], 3 * whole),
        ([(1.0, 1.0), (2.0, 1.5)], whole / 2),
    ):
        same = np.concatenate([unit.gains for unit in rows(removed, *points).units()])
        assert (same == gains).all()


def test_gains_never_rise():
    """A power that was measured holds on, where the next one would be less."""
    parameters = load_parameters("small", adc_bits="lossless", scale="column", policy="plain")
    weights, importance = seeded(10).normal(size=(1, 100, 60)), np.ones((1, 100))
    whole = rows_of(parameters, Profile(weights, importance, ((1.0, 1.0),), 0.0)).divergence
    points = (whole / 20, whole / 20), (whole / 5, whole)
    layer = rows_of(parameters, Profile(weights, importance, points, 2 * whole))
    assert layer.divergence == pytest.approx(whole * 5 ** (np.log(20) / np.log(4)))
    assert all((np.diff(unit.gains) <= 1e-9 * whole).all() for unit in layer.units())


def test_a_layer_that_seems_to_cost_nothing_is_kept():
    """Rounded coarsely it costs next to nothing, but all is lost without it."""
    rng = seeded(9)
    parameters = load_parameters("small", adc_bits="lossless", scale="column", policy="plain")
    weights = rng.normal(size=(1, 128, 32))
    heavy = Profile(weights, np.ones((1, 128)), ((0.5, 0.5),), 0.0)
    kept = []
    for removed in (0.0, 5.0):
        light = Profile(weights, np.full((1, 128), 1e-6), ((1e-6, 1e-6),), removed)
        plans = allocate([parameters] * 2, [heavy, light], 24)
        forms = plans[1].forms
        sizes = forms.sizes[np.searchsorted(forms.first, plans[1].low, side="right") - 1]
        kept.append(int((sizes > 0).sum()))
    assert kept[0] == 32 < kept[1]
