"""What layers are estimated to take, against the schedule of what is really mapped."""

from itertools import product

import numpy as np
import pytest

from sim.compensation.curves import Curve, choose_at, price_of
from sim.compensation.rows import rows_of
from sim.mapping import load_parameters, schedule
from tests.compensation_cases import laid_out, profile_of, rounded_weights
from tests.random_cases import seeded

SHAPES = {
    # groups, rows, columns, on crossbars of 8 x 6
    "dense": (1, 21, 14),
    "depthwise": (13, 4, 1),
    "depthwise, tall": (7, 9, 1),
    "small groups": (5, 3, 2),
    "tall groups": (2, 18, 8),
}
OPTIONS = {
    "split": {"policy": "split", "squeeze": 7},
    "split, two planes": {"policy": "split", "squeeze": 6},
    "split, two bits a cell": {"policy": "split", "squeeze": 4, "cell_bits": 2},
    "rounded": {"policy": "rounded", "squeeze": 4, "window": 8},
    "paper": {"policy": "paper", "squeeze": 4},
    "minimal, two bits a cell": {"policy": "minimal", "squeeze": 4, "cell_bits": 2},
    "nothing squeezed": {"policy": "rounded", "squeeze": 0},
}
ORDERS = [
    ("all", "none"),
    ("all", "balanced"),
    (4, "shift"),
    (4, "none"),
    ("all", "magnitude"),
    (3, "balanced"),
]


def curve_of(profile, **options):
    """Return a layer as the search sees it."""
    parameters = load_parameters("tiny", cols=6, scale="column", adc_bits="lossless", **options)
    return Curve(parameters, rows_of(parameters, profile))


def mapped(curve, profile, crossbars):
    """Return the mapping of a layer with the crossbars that it was given."""
    plan = curve.rows.plan(crossbars)
    rounded = rounded_weights(profile, plan, curve.parameters)
    assert rounded.levels.any(), "zeros show nothing"
    return laid_out(rounded, plan, curve.parameters)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_work_is_not_more_than_estimated(options, shape):
    """Nor are there more crossbars than were chosen, however rows are ordered and grouped."""
    profile = profile_of(seeded(3), shape)
    for (active, grouping), part in product(ORDERS, (1, 0.4)):
        curve = curve_of(profile, rows_active=active, grouping=grouping, **options)
        most = choose_at([curve], 0.0).work
        choice = choose_at([curve], price_of([[curve]], part * most))
        layer = mapped(curve, profile, choice.crossbars)
        assert layer.counts.squeezed <= sum(choice.crossbars), (active, grouping)
        assert schedule(layer).crossbar_cycles <= choice.work, (active, grouping)


@pytest.mark.parametrize("shape", [(1, 21, 14), (13, 4, 1), (5, 3, 2), (2, 16, 8)])
@pytest.mark.parametrize("cell_bits", [1, 2])
def test_whole_rows_that_do_not_move(shape, cell_bits):
    """Work is exactly what was estimated if all planes hold a 1: all that are chosen, or some."""
    equal = 0
    profile = profile_of(seeded(4), shape)
    options = {"policy": "rounded", "squeeze": 0, "window": 8, "cell_bits": cell_bits}
    for (active, grouping), part in product(ORDERS[:4], (1, 0.6, 0.3)):
        curve = curve_of(profile, rows_active=active, grouping=grouping, **options)
        most = choose_at([curve], 0.0).work
        choice = choose_at([curve], price_of([[curve]], part * most))
        layer = mapped(curve, profile, choice.crossbars)
        if layer.counts.squeezed == sum(choice.crossbars) and grouping != "balanced":
            assert schedule(layer).crossbar_cycles == choice.work, (active, grouping)
            equal += 1
    assert equal > 2


@pytest.mark.parametrize("active", ["all", 4, 3])
@pytest.mark.parametrize("squeeze", [5, 6, 7])
@pytest.mark.parametrize("shape", [(1, 16, 12), (1, 29, 7), (2, 16, 6), (7, 9, 1)])
def test_full_pools(shape, squeeze, active):
    """Pieces that fill crossbars take at least what these cost without any shift.

    Shifts add less than estimated: the largest, once for all tiles below one another, or for each
    tile where groups share them.
    """
    profile = profile_of(seeded(5), shape)
    curve = curve_of(profile, policy="split", squeeze=squeeze, rows_active=active, grouping="shift")
    planes, slots = 8 - squeeze, 1 if active == "all" else -(-8 // active)
    units, seen = curve.rows.units(), 0
    for tiles in (2, 3, 4):
        crossbars = [tiles * planes] * len(units)
        layer = mapped(curve, profile, crossbars)
        if layer.counts.pieces < len(units) * tiles * 8:
            continue  # what was rounded to zero leaves room
        assert layer.counts.squeezed == sum(crossbars)
        estimated = curve.rows.overhead + sum(
            unit.bit_cycles * count for unit, count in zip(units, crossbars, strict=True)
        )
        full = sum(crossbars) * slots * 8
        spans = sum(crossbars) if shape[2] == 1 else len(units) * planes
        assert estimated == full + spans * squeeze
        assert full <= schedule(layer).crossbar_cycles <= estimated
        seen += 1
    assert seen


@pytest.mark.parametrize(
    ("rows", "active", "split"), [(4, 4, False), (4, "all", True), (9, 4, True), (9, "all", True)]
)
def test_rows_that_are_better_split(rows, active, split):
    """Those that fill no crossbar by themselves; but whole ones take one group, pieces all."""
    profile = profile_of(seeded(8), (1, rows, 6))
    more = {"rows_active": active, "grouping": "shift"}
    curves = [
        curve_of(profile, policy="rounded", squeeze=0, window=8, **more),
        curve_of(profile, policy="split", squeeze=7, **more),
    ]
    for price in (1e-4, 1e-3, 3e-3):
        assert choose_at(curves, price).curve is curves[split]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_divergence(options, shape):
    """What is left is what the chosen forms of all rows lose; with nothing at all, everything."""
    profile = profile_of(seeded(7), shape)
    curve = curve_of(profile, **options)
    forms = curve.rows.plan(choose_at([curve], 0.0).crossbars).forms
    losses = profile.losses(forms, 6)
    assert curve.rows.divergence == pytest.approx(losses[0].sum())
    alone = (profile.weights**2 * profile.importance[..., np.newaxis]).sum()
    assert curve.rows.divergence == pytest.approx(alone, rel=1e-4)
    for price in (0.0, 1e-3, 0.1):
        choice = choose_at([curve], price)
        plan = curve.rows.plan(choice.crossbars)
        windows = np.searchsorted(forms.first, plan.low)
        left = np.take_along_axis(losses, windows[np.newaxis], 0).sum()
        slack = 0.05 * (curve.rows.divergence - choice.divergence)
        if options["policy"] == "split":  # whole crossbars are cut to pieces that just fit
            assert left == pytest.approx(choice.divergence, abs=slack)
        else:
            assert left == pytest.approx(choice.divergence, rel=1e-6, abs=1e-9)
