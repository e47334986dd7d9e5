"""Rounded weights on crossbars: what a layout stands for is exactly what was rounded."""

from dataclasses import replace

import numpy as np
import pytest

from sim.compensation.allocation import allocate, conventional_crossbars
from sim.compensation.plan import planned, row_forms, uniform_plan
from sim.compensation.rounding import Rounded
from sim.mapping import load_parameters
from sim.mapping.row_tiles import fill_tiles
from sim.network.real_layer import real_weights
from sme_hw.errors import InputError
from tests.compensation_cases import laid_out, profile_of, rounded_weights
from tests.random_cases import seeded

SIZE = {"rows": 8, "cols": 6, "scale": "column"}
OPTIONS = {
    "paper": {"policy": "paper", "squeeze": 2},
    "paper, far apart": {"policy": "paper", "squeeze": 4},
    "paper, two bits a cell": {"policy": "paper", "squeeze": 4, "cell_bits": 2},
    "minimal": {"policy": "minimal", "squeeze": 3},
    "minimal, two bits a cell": {"policy": "minimal", "squeeze": 4, "cell_bits": 2},
    "rounded": {"policy": "rounded", "squeeze": 5, "window": 8},
    "rounded beside a window": {"policy": "rounded", "squeeze": 2},
    "plain": {"policy": "plain", "squeeze": 4},
    "nothing squeezed": {"policy": "minimal", "squeeze": 0, "codec": "int8"},
    "split": {"policy": "split", "squeeze": 7},
    "split, two planes": {"policy": "split", "squeeze": 6},
    "split, two bits a cell": {"policy": "split", "squeeze": 4, "cell_bits": 2},
    "split, one bit a cell of two": {"policy": "split", "squeeze": 6, "cell_bits": 2},
}
SHAPES = {
    # groups, rows, columns
    "dense": (1, 21, 14),
    "depthwise": (13, 4, 1),
    "depthwise, large": (7, 9, 1),
    "small groups": (5, 3, 2),
    "groups of four columns": (5, 2, 4),
    "large groups": (2, 10, 8),
    "one weight": (1, 1, 1),
}


def assert_exact(rounded, plan, parameters):
    """Assert that a layout stands for rounded weights; returns it."""
    width = parameters.hardware.cols
    mapping = laid_out(rounded, plan, parameters)
    assert real_weights(mapping).tolist() == rounded.weights(plan.forms, width).tolist()
    assert rounded.levels.any(), "zeros show nothing"
    return mapping


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_uniform_plans(options, shape):
    """All planes or pieces there are."""
    parameters = load_parameters("paper", **SIZE, **options)
    profile, forms = profile_of(seeded(1), shape), row_forms(parameters)
    plan = uniform_plan(forms, int(forms.sizes[-1]), (*shape[:2], -(-shape[2] // 6)))
    assert_exact(rounded_weights(profile, plan, parameters), plan, parameters)


def fewest_crossbars(shape, parameters):
    """Return the crossbars that a layer cannot do without."""
    if parameters.mapping.policy != "split":
        return 1
    groups, rows, columns = shape
    packed = groups > 1 and columns <= 6 and ((2 * rows <= 8 and 2 * columns <= 6) or columns == 1)
    return parameters.hardware.planes * (-(-groups // (6 // columns)) if packed else 1)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("ratio", [1.3, 2.1, 4])
def test_allocated_plans(options, shape, ratio):
    """Crossbars with a 1 are no more than were shared out, whatever they hold."""
    parameters = load_parameters("paper", **SIZE, **options)
    profile = profile_of(seeded(2), shape)
    budget = int(conventional_crossbars(shape, parameters) / ratio)
    fewest = fewest_crossbars(shape, parameters)
    if budget < fewest:
        with pytest.raises(InputError, match=f"^{budget} crossbars are too few, at least {fewest}"):
            allocate([parameters], [profile], budget)
        budget = fewest
    (plan,) = allocate([parameters], [profile], budget)
    rounded = rounded_weights(profile, plan, parameters)
    mapping = laid_out(rounded, plan, parameters)
    assert real_weights(mapping).tolist() == rounded.weights(plan.forms, 6).tolist()
    assert 0 < mapping.counts.squeezed <= budget


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_any_levels(options, seed):
    """Random forms and levels, not those that rounding would choose: windows, signs, zeros."""
    rng = seeded(seed)
    parameters = load_parameters("paper", **SIZE, **options)
    forms = row_forms(parameters)
    groups, rows, columns = SHAPES["large groups"]
    # A tile has one window; split rows have any.
    windows = rng.integers(1, len(forms.sizes), size=(groups, 2, 2))
    windows = np.repeat(windows, 8, axis=1)[:, :rows]
    if options["policy"] == "split":
        windows = rng.integers(len(forms.sizes), size=windows.shape)
    plan = planned(forms, windows)
    chosen = rng.integers(plan.low, plan.high)
    levels = np.zeros((groups, rows, columns), np.int32)
    for g, r, t in np.ndindex(chosen.shape):
        tile = slice(6 * t, min(6 * t + 6, columns))
        possible = np.array(forms.forms[chosen[g, r, t]].levels)
        levels[g, r, tile] = rng.choice(possible, tile.stop - tile.start) * rng.choice([-1, 1])
    levels[rng.random(levels.shape) < 0.2] = 0
    levels[:, rng.integers(rows)] = 0
    assert_exact(
        Rounded(rng.uniform(0.1, 3, size=(groups, columns)), levels, chosen), plan, parameters
    )


def test_order_of_rows():
    """Rows are cut into tiles in the plan's order, ascending within a tile."""
    four = load_parameters("tiny", rows=4).hardware
    assert fill_tiles(np.array([4, 0, 5, 3, 1, 2]), four).tolist() == [[0, 3, 4, 5], [1, 2, -1, -1]]
    parameters = load_parameters("paper", **SIZE, policy="minimal", squeeze=5)
    profile = profile_of(seeded(3), (1, 20, 3))
    forms = row_forms(parameters)
    plan = uniform_plan(forms, 3, (1, 20, 1))
    plan = replace(plan, order=np.argsort(-np.abs(profile.weights[0]).max(axis=1)))
    mapping = assert_exact(rounded_weights(profile, plan, parameters), plan, parameters)
    (matrix,) = mapping.matrices
    assert matrix.row_tiles.tolist() == fill_tiles(plan.order, parameters.hardware).tolist()


def test_planes_stand_where_they_were_planned():
    """A tile of two planes at a place two bits up has those, and rows that need no shift none."""
    parameters = load_parameters("paper", **SIZE, policy="paper", squeeze=3)
    forms = row_forms(parameters)
    (window,) = (
        w
        for w, f in enumerate(forms.first[:-1])
        if forms.forms[f].shifts == (2,) and forms.sizes[w] == 2
    )
    plan = planned(forms, np.full((1, 3, 1), window))
    levels = np.array([[[1, -3], [2, 0], [3, 1]]], np.int32)
    for own, shifts in (([0, 0, 0], [0, 0, 0]), ([0, 1, 0], [0, 3, 0])):
        chosen = plan.low + np.array(own).reshape(1, 3, 1)
        rounded = Rounded(np.ones((1, 2)), levels, chosen)
        (matrix,) = assert_exact(rounded, plan, parameters).matrices
        assert matrix.codes.tolist() == (levels[0] * 4).tolist()
        assert matrix.row_shifts[:, 0].tolist() == shifts
