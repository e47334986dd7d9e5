"""Plans of bit heaps: what they leave, what they cost, and that no bit is taken twice or lost."""

import numpy as np
import pytest

from sme_hw.heap_plan import heap_plan

SEED = 2026


def add_up(columns, stages):
    """Add bits as a plan says, each adder on its own; returns the bits that are left."""
    columns = [list(column) for column in columns]
    for stage in stages:
        outputs = [[] for _ in range(len(columns) + 1)]
        for field in stage:
            total = columns[field.weight].pop(0) if field.carry_in else 0
            for position, taken in enumerate(field.takes):
                bits = [columns[field.weight + position].pop(0) for _ in range(taken)]
                total += sum(bits) << position
            for position in range(len(field.takes) + 1):
                outputs[field.weight + position].append(total >> position & 1)
            assert total >> len(field.takes) + 1 == 0
        columns = [[*new, *left] for new, left in zip(outputs, [*columns, []], strict=True)]
    return columns


def positions(stages):
    """Return the carry chain positions of a plan."""
    return sum(len(field.takes) + 1 for stage in stages for field in stage)


@pytest.mark.parametrize(
    "heights",
    [(0,), (1,), (2,), (3,), (128,), (0, 5), (7, 0, 3), (9,) * 6, (1, 2, 3, 4, 4, 3, 2, 1)],
)
def test_plan_adds_up(heights):
    """Whatever the bits, one bit of every weight is left, and their value is the sum."""
    rng = np.random.default_rng(SEED)
    for density in (0.0, 0.5, 0.9, 1.0):
        columns = [(rng.random(height) < density).astype(int).tolist() for height in heights]
        left = add_up(columns, heap_plan(heights))
        assert max(len(column) for column in left) <= 1
        value = sum(sum(column) << weight for weight, column in enumerate(left))
        assert value == sum(sum(column) << weight for weight, column in enumerate(columns))


def test_random_heaps_add_up():
    """The same for random heaps."""
    rng = np.random.default_rng(SEED)
    print("seed", SEED)
    for _ in range(60):
        heights = tuple(rng.integers(0, 20, size=rng.integers(1, 9)).tolist())
        columns = [rng.integers(2, size=height).tolist() for height in heights]
        left = add_up(columns, heap_plan(heights))
        assert max(len(column) for column in left) <= 1, heights
        value = sum(sum(column) << weight for weight, column in enumerate(left))
        assert value == sum(sum(c) << weight for weight, c in enumerate(columns)), heights


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_popcounts_are_as_small_as_can_be(n):
    """2**n - 1 bits: one position for each full adder, and one for each carry."""
    stages = heap_plan((2**n - 1,))
    assert positions(stages) == (2**n - 1 - n) + (2 ** (n - 1) - 1)
