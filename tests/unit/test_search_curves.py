"""What layers are worth at a price: against all ways there are, on small cases."""

from itertools import product

import numpy as np
import pytest

from sim.compensation.curves import Curve, choose_at, least_and_most, price_of
from tests.random_cases import seeded
from tests.search_cases import FakeRows, random_curves

PRICES = [0.0, 2.0**-100, *(n / 32 for n in range(1, 40)), 1e3, 2.0**60]


def all_counts(rows):
    """Yield every way to give crossbars to the units of a layer."""
    yield from product(*(range(u.least, max(u.least, len(u.gains)) + 1) for u in rows.units()))


def measured(rows, counts):
    """Return what crossbars save and what they take, added up one by one."""
    saved, work = 0.0, rows.overhead
    for unit, count in zip(rows.units(), counts, strict=True):
        saved += sum(unit.gains[:count].tolist())
        work += unit.bit_cycles * count
    return saved, work


def all_choices(curves):
    """Return what every curve with every number of crossbars saves and takes."""
    return [measured(curve.rows, counts) for curve in curves for counts in all_counts(curve.rows)]


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_worth_more(seed):
    """At no price; of what is worth the same the least is taken. Gains are multiples of 1/16."""
    curves = random_curves(seeded(seed), 3)
    for price in PRICES:
        choice = choose_at(curves, price)
        assert (choice.saved, choice.work) == measured(choice.curve.rows, choice.crossbars)
        worths = [(saved - price * work, -work) for saved, work in all_choices(curves)]
        assert (choice.saved - price * choice.work, -choice.work) == max(worths)
        for curve in curves:
            saved, work = curve.at(price)
            assert (saved, work) == measured(curve.rows, curve.crossbars(price))
            worth = saved - price * work
            others = all_choices([curve])
            assert worth == max(saved - price * work for saved, work in others)
            assert work == min(work for saved, work in others if saved - price * work == worth)


@pytest.mark.parametrize("seed", range(12))
def test_prices(seed):
    """All layers take at most what was asked for, and nothing that takes no more saves more."""
    rng = seeded(100 + seed)
    layers = [random_curves(rng, 2) for _ in range(2)]
    pairs = list(product(*map(all_choices, layers)))
    together = [tuple(map(sum, zip(*pair, strict=True))) for pair in pairs]
    least, most = least_and_most(layers)
    assert least == min(work for _, work in together)
    assert sum(choose_at(curves, 0.0).work for curves in layers) == most
    assert max(saved for saved, _ in together) == max(s for s, w in together if w <= most)
    seen = set()
    for work in [*range(least, most + 3), least + 0.5, (least + most) / 2]:
        price = price_of(layers, work)
        found = [choose_at(curves, price) for curves in layers]
        saved, taken = sum(c.saved for c in found), sum(c.work for c in found)
        assert taken <= work
        assert saved == max(saved for saved, other in together if other <= taken)
        cheaper = sum(choose_at(curves, price * (1 - 1e-9)).work for curves in layers)
        assert cheaper > work or taken == cheaper == most
        seen.add(taken)
    assert {least, most} <= seen
    assert len(seen) > 2
    # Too little for what layers have in any case.
    price = price_of(layers, least - 1)
    assert sum(choose_at(curves, price).work for curves in layers) == least


def test_cycles_count():
    """The same gain is worth half as much on crossbars that take twice as long."""
    curve = Curve(None, FakeRows([([8.0, 2.0], 4, 0), ([8.0, 2.0], 8, 0)], overhead=5))
    assert curve.at(0.99) == (16.0, 5 + 4 + 8)
    assert curve.at(1.0) == (8.0, 5 + 4)
    assert curve.crossbars(0.3) == [2, 1]
    assert curve.at(2.0) == (0.0, 5)


def test_what_a_layer_has_in_any_case():
    """It is paid at any price, even if it saves nothing, and counts as saved if it does."""
    curve = Curve(None, FakeRows([([4.0, 1.0, 1.0], 2, 2), ([], 3, 2)], divergence=7.0))
    assert curve.at(2.0**60) == (5.0, 2 * 2 + 3 * 2)
    assert curve.crossbars(2.0**60) == [2, 2]
    assert curve.at(0.0) == (6.0, 3 * 2 + 3 * 2)
    assert choose_at([curve], 0.0).divergence == 1.0
    assert choose_at([curve], 2.0**60).divergence == 2.0


def test_overhead_decides():
    """Of two candidates that save the same, the one with less beside its crossbars is chosen."""
    cheap = Curve("cheap", FakeRows([([3.0], 4, 0)], overhead=1))
    dear = Curve("dear", FakeRows([([3.5], 4, 0)], overhead=2))
    assert choose_at([dear, cheap], 0.25).curve is dear
    assert choose_at([dear, cheap], 0.6).curve is cheap
    assert choose_at([cheap, dear], 100.0).work == 1


def test_many_layers():
    """Work follows the price in every layer at once; more work never saves less."""
    rng = seeded(5)
    layers = [random_curves(rng, 4) for _ in range(30)]
    least, most = least_and_most(layers)
    last = -1.0
    for work in np.linspace(least, most, 50):
        price = price_of(layers, float(work))
        found = [choose_at(curves, price) for curves in layers]
        assert sum(choice.work for choice in found) <= work
        saved = sum(choice.saved for choice in found)
        assert saved >= last
        last = saved
