"""The search for the work that just meets a target: trials, targets, and the best of them."""

import math
from itertools import pairwise

import numpy as np
import pytest

from sim.compensation.curves import Choice, Curve, choose_at, least_and_most, price_of
from sim.compensation.search import Target, Trial, best_trial, search
from sim.mapping import load_parameters, map_matrix, schedule
from sme_hw.errors import ParameterError
from tests.random_cases import seeded
from tests.search_cases import FakeRows, random_curves

TARGET = Target(max_divergence=1.0)


def accuracy(kl=0.0, *, agreement=100.0, drop=None):
    """Return what a mapping would be worth."""
    return {"kl": kl, "agreement": agreement, "drop": drop}


def work_of(trial):
    """Return what a trial was estimated to take."""
    return sum(choice.work for choice in trial.choices)


def trials_of(layers, enough, most=1000):
    """Search with accuracy that work alone decides: the target is met from ``enough`` on."""

    def try_out(parameters, plans):
        assert [number for number, _ in enumerate(layers)] == [name[0] for name in parameters]
        work = 0
        for rows, crossbars in plans:
            assert isinstance(rows, FakeRows)
            work += rows.overhead
            for unit, count in zip(rows.units(), crossbars, strict=True):
                work += unit.bit_cycles * count
        return [], accuracy(2.0 if work < enough else 0.5)

    return list(search(layers, try_out, TARGET, most))


def network_of(seed, count):
    """Return random layers, whose parameters are their number and that of the candidate."""
    rng = seeded(seed)
    layers = [random_curves(rng, 3) for _ in range(count)]
    return [[Curve((n, c.parameters), c.rows) for c in own] for n, own in enumerate(layers)]


def possible_work(layers):
    """Return all that a single price for all layers may take."""
    least, most = least_and_most(layers)
    budgets = np.arange(least, most + 1).tolist()
    found = {
        sum(choose_at(own, price).work for own in layers)
        for price in {price_of(layers, budget) for budget in budgets}
    }
    return sorted(found)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [1, 3])
def test_ends_where_the_target_is_just_met(seed, count):
    """Of all that a price can give, nothing that meets it takes 4 % less; nothing comes twice."""
    layers = network_of(seed, count)
    possible = possible_work(layers)
    for enough in possible:
        trials = trials_of(layers, enough)
        work = [work_of(trial) for trial in trials]
        assert [trial.met for trial in trials] == [own >= enough for own in work]
        assert len(set(work)) == len(work)
        assert set(work) <= set(possible)
        assert min(own for own in work if own >= enough) <= 1.04 * enough


@pytest.mark.parametrize("part", [0.01, 0.1, 0.3, 0.5, 0.9, 0.99])
def test_few_trials_are_needed(part):
    """With many small steps, too, and wherever the target is met."""
    layers = network_of(20, 25)
    least, most = least_and_most(layers)
    price = price_of(layers, least + part * (most - least))
    enough = sum(choose_at(own, price).work for own in layers)
    trials = trials_of(layers, enough)
    work = [work_of(trial) for trial in trials]
    assert min(own for own in work if own >= enough) <= 1.04 * enough
    assert len(set(work)) == len(work) <= 9


@pytest.mark.parametrize("seed", range(4))
def test_never_met(seed):
    """Trials take more and more; the last one takes all that helps."""
    layers = network_of(seed, 10)
    trials = trials_of(layers, math.inf)
    work = [work_of(trial) for trial in trials]
    assert not any(trial.met for trial in trials)
    assert all(a < b for a, b in pairwise(work))
    assert work[-1] == least_and_most(layers)[1]
    assert 3 <= len(trials) <= 4, "1/3, 1/2, 3/4, all"
    assert work[0] <= work[-1] / 3


@pytest.mark.parametrize("seed", range(4))
def test_always_met(seed):
    """Trials take less and less; the last one takes what cannot be left out."""
    layers = network_of(seed, 10)
    trials = trials_of(layers, 0)
    work = [work_of(trial) for trial in trials]
    assert all(trial.met for trial in trials)
    assert all(a > b for a, b in pairwise(work))
    assert work[-1] == least_and_most(layers)[0]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_budget_of_trials(most):
    """There are no more than asked for, and they are the first ones of a longer search."""
    layers = network_of(1, 25)
    enough = 0.7 * least_and_most(layers)[1]
    everything = [work_of(trial) for trial in trials_of(layers, enough)]
    assert len(everything) > 5
    assert [work_of(trial) for trial in trials_of(layers, enough, most)] == everything[:most]


def test_nothing_to_choose():
    """A network that takes nothing, or the same whatever it costs, is tried once."""
    nothing = [[Curve((0, 0), FakeRows([([], 8, 0)]))]]
    fixed = [[Curve((0, 0), FakeRows([([], 8, 2), ([], 8, 0)], overhead=3))]]
    for layers, work in ((nothing, 0), (fixed, 19)):
        for enough in (0, math.inf):
            trials = trials_of(layers, enough)
            assert [work_of(trial) for trial in trials] == [work]


def test_all_layers_pay_one_price():
    """That of the trial; a layer that matters more gets more."""
    layers = network_of(7, 12)
    for trial in trials_of(layers, 0.4 * least_and_most(layers)[1]):
        for own, choice in zip(layers, trial.choices, strict=True):
            expected = choose_at(own, trial.price)
            assert choice.curve is expected.curve
            assert (choice.crossbars, choice.work) == (expected.crossbars, expected.work)


BAD_TARGETS = [
    ({}, "max_drop = None", "a target is needed: this one, min_agreement or max_divergence"),
    ({"max_drop": 100.5}, "max_drop = 100.5", "-100..100"),
    ({"max_drop": -101.0}, "max_drop = -101.0", "-100..100"),
    ({"max_drop": math.nan}, "max_drop = nan", "-100..100"),
    ({"min_agreement": -0.1}, "min_agreement = -0.1", "0..100"),
    ({"min_agreement": 101, "max_drop": 1.0}, "min_agreement = 101", "0..100"),
    ({"max_divergence": -1e-9}, "max_divergence = -1e-09", "0..1e+06"),
    ({"max_divergence": math.inf}, "max_divergence = inf", "0..1e+06"),
]


@pytest.mark.parametrize(("limits", "start", "allowed"), BAD_TARGETS)
def test_targets_that_are_none(limits, start, allowed):
    """Key, value, and what is allowed."""
    with pytest.raises(ParameterError) as caught:
        Target(**limits)
    assert str(caught.value).startswith(f"{start} is not possible: ")
    assert allowed in str(caught.value)


def test_targets():
    """Each limit that is given has to be kept; what is just as much is enough."""
    drop, agreement = Target(max_drop=0.5), Target(min_agreement=99.0)
    assert drop.met(accuracy(9.0, agreement=0.0, drop=0.5))
    assert drop.met(accuracy(drop=-3.0))
    assert not drop.met(accuracy(drop=0.51))
    assert not drop.met(accuracy(drop=None)), "nothing is known without labels"
    assert Target(max_drop=-1.0).met(accuracy(drop=-1.0))
    assert not Target(max_drop=-1.0).met(accuracy(drop=0.0))
    assert Target(max_drop=0.0).met(accuracy(drop=0.0))
    assert agreement.met(accuracy(9.0, agreement=99.0, drop=50.0))
    assert not agreement.met(accuracy(agreement=98.99, drop=0.0))
    assert TARGET.met(accuracy(1.0, agreement=0.0))
    assert not TARGET.met(accuracy(1.01, drop=0.0))
    assert Target(max_divergence=0.0).met(accuracy(0.0))
    every = Target(max_drop=0.5, min_agreement=99.0, max_divergence=1.0)
    assert every.met(accuracy(1.0, agreement=99.0, drop=0.5))
    for worse in ({"kl": 1.1}, {"agreement": 98.0}, {"drop": 0.6}):
        assert not every.met(accuracy(1.0, agreement=99.0, drop=0.5) | worse)


def trial_of(rng, rows, *, met, kl, estimated=0):
    """Return a trial with a layer of so many rows, and one of 8."""
    parameters = load_parameters("tiny", squeeze=2, rows_active=4)
    mappings = [map_matrix(rng.normal(size=(n, 11)), parameters, name=f"w{n}") for n in (rows, 8)]
    curve = Curve(parameters, FakeRows([([2.0], 8, 0)], divergence=5.0))
    choices = [Choice(curve, [1], 2.0, estimated), Choice(curve, [0], 0.0, estimated)]
    return Trial(0.25, choices, mappings, accuracy(kl), met)


def test_best_trial():
    """The one that really takes least of those that meet the target, else the most accurate."""
    rng = seeded(8)
    cases = [(32, True, 0.5, 1), (16, True, 0.9, 9), (8, False, 1.1, 0), (24, False, 1.2, 0)]
    trials = [trial_of(rng, n, met=met, kl=kl, estimated=e) for n, met, kl, e in cases]
    assert best_trial(trials) is trials[1]
    assert best_trial(trials[2:]) is trials[2]
    assert best_trial(trials[::-1]) is trials[1]
    assert best_trial([trials[3], trials[2]]) is trials[2]


def test_report():
    """Of every layer what its mapping says, and the sums of all layers."""
    trial = trial_of(seeded(9), 19, met=True, kl=0.5)
    report = trial.as_dict()
    assert (report["met"], report["price"], report["accuracy"]) == (True, 0.25, trial.accuracy)
    for layer, mapping in zip(report["layers"], trial.mappings, strict=True):
        plan = schedule(mapping)
        assert (layer["name"], layer["policy"], layer["squeeze"]) == (mapping.name, "paper", 2)
        assert layer["window"] == 3
        assert layer["crossbars"] == {
            "conventional": mapping.counts.conventional,
            "squeezed": mapping.counts.squeezed,
        }
        assert layer["crossbar_cycles"] == plan.as_dict()["crossbar_cycles"]
        assert (layer["rows"], layer["pieces"]) == (mapping.counts.rows, mapping.counts.pieces)
    assert [layer["estimated_divergence"] for layer in report["layers"]] == [3.0, 5.0]
    for key in ("crossbars", "crossbar_cycles"):
        for kind in ("conventional", "squeezed"):
            parts = [layer[key][kind] for layer in report["layers"]]
            assert 0 < parts[1] < parts[0]
            assert report[key][kind] == sum(parts)
    assert trial.total_work == report["crossbar_cycles"]["squeezed"]
