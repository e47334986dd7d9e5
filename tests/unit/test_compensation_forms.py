"""Forms of a row: levels, digits and nearest levels against enumeration in plain Python."""

from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest

from sim.compensation.forms import split_forms
from sim.compensation.plan import planned, row_forms, uniform_plan
from sim.mapping import load_parameters
from sme_hw.errors import ParameterError

SPLITS = [(1, 5), (2, 6), (3, 5), (4, 4), (8, 0)]


@cache
def piece_sums(shifts, bits):
    """Return the fewest ones of signed pieces for every sum that they add up to."""
    most = 2**bits - 1
    found = {}
    for codes in product(range(-most, most + 1), repeat=len(shifts)):
        total = sum(code * 2**shift for code, shift in zip(codes, shifts, strict=True))
        ones = sum(abs(code).bit_count() for code in codes)
        found[total] = min(found.get(total, ones), ones)
    return found


@cache
def window_levels(bits, window):
    """Return the integers whose ones stand in ``window`` consecutive bits."""
    return [v for v in range(2**bits) if v == 0 or v // (v & -v) < 2**window]


@pytest.mark.parametrize(("bits", "most"), SPLITS)
def test_split_forms_are_all_there_are(bits, most):
    """Pieces one behind the other, or with one gap of one bit, anywhere in range."""
    expected = {()}
    for count in range(1, most // bits + 2):
        for shifts in product(range(most + 1), repeat=count):
            gaps = [b - a - bits for a, b in pairwise(shifts)]
            if sorted(gaps) in ([0] * (count - 1), [0] * (count - 2) + [1]):
                expected.add(shifts)
    forms = split_forms(bits, most)
    assert forms.piece_bits == bits
    assert len(forms.forms) == len(expected)
    assert {form.shifts for form in forms.forms} == expected
    assert all(form.size == form.window == len(form.shifts) for form in forms.forms)
    assert forms.sizes.tolist() == list(range(most // bits + 2))


@pytest.mark.parametrize(("bits", "most"), SPLITS)
def test_split_levels_and_digits(bits, most):
    """Levels are all sums of pieces; digits give them back, signs too, with the fewest ones."""
    forms = split_forms(bits, most)
    for number, form in enumerate(forms.forms):
        sums = piece_sums(tuple(shift - form.shifts[0] for shift in form.shifts), bits)
        assert list(form.levels) == sorted(value for value in sums if value >= 0)
        signed = np.array(sorted(sums), np.int32).reshape(1, -1)
        pieces = forms.pieces(number, signed)
        assert pieces.shape == (len(form.shifts), *signed.shape)
        assert pieces.dtype == np.int16
        assert not pieces.size or np.abs(pieces).max() < 2**bits
        shifts = np.array(form.shifts, int).reshape(-1, 1, 1)
        total = (pieces.astype(int) << shifts).sum(axis=0)
        assert total.tolist() == (signed << (form.shifts[0] if form.shifts else 0)).tolist()
        ones = np.bitwise_count(np.abs(pieces)).sum(axis=0)[0].tolist()
        assert ones == [sums[value] for value in signed[0].tolist()]
        if form.shifts:
            assert form.largest == total.max()


def test_gaps_are_nearly_filled():
    """The example in the documentation: weights 1, 2 and 8 reach all integers up to 11 but 4."""
    (form,) = (form for form in split_forms(1, 3).forms if form.shifts == (0, 1, 3))
    assert sorted({*range(12)} - {4}) == list(form.levels)


UNSPLIT = {
    # options, and for each shift the window of its codes
    "paper": ({"policy": "paper", "squeeze": 2}, {0: 3, 2: 3}),
    "minimal": ({"policy": "minimal", "squeeze": 3, "window": 2}, dict.fromkeys(range(4), 2)),
    "rounded": ({"policy": "rounded", "squeeze": 2}, {0: 3, 1: 8, 2: 8}),
    "rounded in the window": ({"policy": "rounded-window", "squeeze": 1}, {0: 3, 1: 3}),
    "all codes": ({"policy": "paper", "squeeze": 4, "codec": "int8"}, {0: 8, 4: 8}),
    "plain": ({"policy": "plain", "squeeze": 5}, {0: 8}),
    "nothing squeezed": ({"policy": "minimal", "squeeze": 0}, {0: 3}),
    "two bits a cell": (
        {"policy": "minimal", "squeeze": 2, "cell_bits": 2, "weight_bits": 7},
        {0: 3, 1: 3, 2: 3},
    ),
}


@pytest.mark.parametrize(("options", "windows"), UNSPLIT.values(), ids=UNSPLIT)
def test_unsplit_forms(options, windows):
    """Every number of planes at every place, and in it every shift with its codes."""
    parameters = load_parameters("tiny", **options)
    planes, cell = parameters.hardware.planes, parameters.hardware.cell_bits
    forms = row_forms(parameters)
    expected = [(0, (), [0])]
    bounds = [0, 1]
    for size in range(1, planes + 1):
        for base in range(0, (planes - size) * cell + 1, cell):
            for shift, window in windows.items():
                expected.append((size, (base + shift,), window_levels(size * cell, window)))
            bounds.append(len(expected))
    assert [(f.size, f.shifts, list(f.levels)) for f in forms.forms] == expected
    assert forms.first.tolist() == bounds
    assert forms.piece_bits == planes * cell
    assert forms.sizes.tolist() == [expected[start][0] for start in bounds[:-1]]
    largest = [levels[-1] * 2 ** (shifts[0] if shifts else 0) for _, shifts, levels in expected]
    assert forms.reach.tolist() == [max(largest[a:b]) for a, b in pairwise(bounds)]
    assert forms.factors.tolist() == [2.0 ** (s[0] if s else 0) for _, s, _ in expected]
    for number, (_, shifts, levels) in enumerate(expected):
        signed = np.array([levels, levels]) * [[1], [-1]]
        assert forms.pieces(number, signed).tolist() == [signed.tolist()] * len(shifts)


@pytest.mark.parametrize(
    "forms",
    [split_forms(1, 5), split_forms(3, 5), row_forms(load_parameters("tiny", squeeze=2))],
    ids=["bits", "pieces of three bits", "window"],
)
def test_nearest_levels(forms):
    """Each half step's level is the nearest; in the middle of two, the larger one."""
    for row, length, form in zip(forms.tables, forms.lengths.tolist(), forms.forms, strict=True):
        assert length == 2 * form.levels[-1] + 1
        assert not row[length:].any()
        for half in range(length):
            for position in (half / 2, half / 2 + 0.25):
                nearest = min(form.levels, key=lambda level: (abs(level - position), -level))
                assert row[half] == nearest


@pytest.mark.parametrize("codec", ["po2", "codes", "apot", "mixed"])
def test_codecs_with_a_grid_of_their_own(codec):
    """They are refused by name."""
    with pytest.raises(ParameterError, match=f"^codec = '{codec}' .*auto, sme and int8"):
        row_forms(load_parameters("tiny", codec=codec))


def test_plans():
    """Rows of a window have all of its forms; a uniform plan has the first window of a size."""
    forms = row_forms(load_parameters("tiny", policy="minimal", squeeze=5))
    windows = np.array([[[0, 3], [6, 1]]])
    plan = planned(forms, windows, order=np.array([1, 0]))
    assert plan.order.tolist() == [1, 0]
    for place in np.ndindex(windows.shape):
        chosen = range(plan.low[place], plan.high[place])
        assert {forms.forms[form].window for form in chosen} == {windows[place]}
        assert len(chosen) == (6 if windows[place] else 1)
    uniform = uniform_plan(forms, 2, (1, 3, 2))
    assert uniform.low.tolist() == [[[forms.first[4]] * 2] * 3]
    assert uniform.high.tolist() == [[[forms.first[5]] * 2] * 3]
    assert forms.forms[forms.first[4]].shifts == (0,)
    assert forms.sizes[4] == 2
