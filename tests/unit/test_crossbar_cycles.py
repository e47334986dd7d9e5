"""Crossbars times bit-cycles of a mapping, against plain loops."""

import numpy as np
import pytest

from sim.mapping import load_parameters, map_layer, map_matrix, schedule
from tests.independent import (
    conventional_crossbar_cycles,
    crossbar_cycles,
    map_convolution,
    map_weights,
)
from tests.random_cases import random_hardware, random_mapping, random_weights, seeded

POLICIES = ["paper", "minimal", "rounded", "rounded-window", "split", "plain"]
CONVOLUTIONS = [
    # cout, cin / groups, kh, kw, groups, rows, cols
    (7, 3, 3, 3, 1, 8, 8),
    (12, 2, 3, 1, 4, 16, 16),
    (10, 1, 3, 3, 10, 32, 16),
    (6, 1, 3, 3, 6, 8, 6),
    (18, 1, 2, 2, 2, 64, 8),
]


def check(layer, expected, conventional, label):
    """Hold a layer's work to what plain loops count."""
    found = schedule(layer)
    assert found.crossbar_cycles == expected, label
    assert found.crossbar_cycles_conventional == conventional, label
    assert found.as_dict()["crossbar_cycles"] == {
        "conventional": conventional,
        "squeezed": expected,
    }


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cell_bits", [1, 2])
def test_random_matrices(policy, cell_bits):
    """Any shape, degree, group of rows and width of inputs; rows are as they come."""
    rng = seeded(300 + 2 * POLICIES.index(policy) + cell_bits)
    seen = set()
    for _ in range(12):
        options = random_hardware(rng, random_mapping(rng, policy=policy, cell_bits=cell_bits))
        shape = tuple(rng.integers(1, 60, size=2).tolist())
        weights = random_weights(rng, shape, options)
        parameters = load_parameters("tiny", **options.as_dict(), grouping="none")
        expected = crossbar_cycles(map_weights(weights, options), options)
        conventional = conventional_crossbar_cycles(*shape, 1, options)
        check(map_matrix(weights, parameters), expected, conventional, f"{options} {shape}")
        seen.add(expected / conventional)
    assert len(seen) > 3


@pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=str)
def test_convolutions(convolution):
    """Groups that share crossbars, and groups that are larger than these."""
    *shape, groups, rows, cols = convolution
    rng = seeded(400 + rows * cols)
    for policy in POLICIES:
        options = random_mapping(rng, policy=policy, rows=rows, cols=cols)
        options = random_hardware(rng, options)
        weights = random_weights(rng, shape, options)
        parameters = load_parameters("tiny", **options.as_dict(), grouping="none")
        per_group = int(np.prod(shape[1:])), shape[0] // groups
        check(
            map_layer("conv", weights, parameters, groups=groups),
            crossbar_cycles(map_convolution(weights, options, groups=groups), options),
            conventional_crossbar_cycles(*per_group, groups, options),
            f"{options} {convolution}",
        )


@pytest.mark.parametrize("grouping", ["shift", "balanced", "magnitude"])
@pytest.mark.parametrize("policy", ["minimal", "split"])
def test_rows_in_other_orders(grouping, policy):
    """Tile by tile, for the rows that stand together; never more bit-cycles than in order."""
    weights = seeded(9).standard_t(3, size=(45, 20))
    options = {"policy": policy, "squeeze": 6, "rows_active": 3, "scale": "column"}
    parameters = load_parameters("tiny", grouping=grouping, **options)
    found = map_matrix(weights, parameters)
    expected = 0
    for matrix in found.matrices:
        for i, members in enumerate(matrix.row_tiles.tolist()):
            pieces = [piece for piece in members if piece >= 0]
            for j in range(matrix.row_shifts.shape[1]):
                codes = np.abs(matrix.codes[pieces, 8 * j : 8 * j + 8])
                used = sum(1 for plane in range(2) if (codes >> plane & 1).any())
                order = matrix.row_order[i, j].tolist()
                for first in (0, 3, 6):
                    group = [pieces[place] for place in order[first : first + 3] if place >= 0]
                    shifts = [int(matrix.row_shifts[piece, j]) for piece in group]
                    if group:
                        expected += used * (8 + max(shifts) - min(shifts))
    conventional = 6 * 3 * 8 * 8 * 3 - 3 * 8 * 8  # the last row tile has two groups
    check(found, expected, conventional, grouping)
    in_order = schedule(map_matrix(weights, load_parameters("tiny", grouping="none", **options)))
    assert schedule(found).bit_cycles < in_order.bit_cycles or policy == "split"


def test_by_hand():
    """Nothing is shifted and all planes are full; zeros take nothing."""
    full = map_matrix(np.full((21, 11), 255), load_parameters("tiny", codec="int8", squeeze=0))
    check(full, 6 * 8 * 8, 6 * 8 * 8, "full")
    zeros = map_matrix(np.zeros((9, 8), np.int16), load_parameters("tiny", squeeze=0))
    check(zeros, 0, 2 * 8 * 8, "zeros")
