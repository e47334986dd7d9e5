"""Tiles on a number of compute units."""

import itertools

import pytest

from sim.mapping import spread
from sme_hw.errors import ParameterError
from tests.random_cases import seeded


def best_makespan(clocks, units):
    """Return the least makespan over all ways to give tiles to units."""
    return min(
        max(sum(c for c, u in zip(clocks, owners, strict=True) if u == unit) for unit in owners)
        for owners in itertools.product(range(units), repeat=len(clocks))
    )


def longest_first(clocks, units):
    """Return the makespan of longest processing time first, step by step."""
    loads = [0] * units
    for tile in sorted(clocks)[::-1]:
        loads[loads.index(min(loads))] += tile
    return max(loads)


def test_against_every_distribution():
    """It is longest-first; never below the bound, never further from the best than Graham says."""
    rng = seeded(61)
    for case in range(60):
        units = int(rng.integers(1, 4))
        clocks = rng.integers(1, 30, size=rng.integers(1, 7)).tolist()
        found, best = spread(clocks, units), best_makespan(clocks, units)
        assert found.makespan == longest_first(clocks, units), f"case {case}"
        assert found.bound <= best <= found.makespan <= best * (4 - 1 / units) / 3
        assert found.total == sum(clocks)
        assert found.bound == max(max(clocks), -(-sum(clocks) // units))


def test_extremes():
    """One unit takes the sum, many take the longest; the mean is over all units, idle or not."""
    clocks = [7, 3, 2]
    assert spread(clocks, 1).makespan == spread(clocks, 1).bound == 12
    assert spread(clocks, 3).makespan == spread(clocks, 3).bound == 7
    assert spread(clocks, 10**6).makespan == 7
    assert spread([4], 1).as_dict() == {
        "units": 1,
        "makespan_clocks": 4,
        "mean_clocks": 4.0,
        "makespan_over_mean": 1.0,
        "bound_clocks": 4,
        "makespan_over_bound": 1.0,
    }
    assert spread(clocks, 6).as_dict()["mean_clocks"] == 2.0
    assert spread(clocks, 6).as_dict()["makespan_over_mean"] == 3.5


@pytest.mark.parametrize("units", [0, -1, 10**6 + 1, 2.0, True])
def test_impossible_units(units):
    """The message names the key, the value and what is allowed."""
    with pytest.raises(ParameterError, match=rf"units = {units} .* an integer in 1..1000000 "):
        spread([1], units)
