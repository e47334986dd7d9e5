"""Row order: what each policy promises, and what reordering may not change."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from sim.golden.compute_unit import (
    can_clip,
    compute_unit,
    compute_unit_bit_serial,
    vector_bit_cycles,
)
from sim.mapping import load_parameters, map_matrix, schedule
from sim.mapping.grouping import GROUPINGS, shift_cycles
from sme_hw.errors import InputError
from sme_hw.pack import pack
from sme_hw.tile_image import EMPTY, check_image

RNG = np.random.default_rng(2026)


def mapped(weights, **options):
    """Map a matrix onto tiny crossbars; returns layer, matrix and first tile's image."""
    layer = map_matrix(weights, load_parameters("tiny", **options))
    (matrix,) = layer.matrices
    hardware = layer.parameters.hardware
    return layer, matrix, matrix.image(matrix.tiles(hardware)[0], hardware)


@pytest.mark.parametrize("grouping", ["shift", "balanced", "magnitude"])
@pytest.mark.parametrize("rows_active", [1, 3, 8, "all"])
def test_order_holds_every_row_with_a_one_once(grouping, rows_active):
    """Rows appear at most once; only rows without any 1 may be missing, in `balanced` alone."""
    weights = RNG.laplace(size=(21, 7))
    weights[[2, 9, 20]] = 0
    layer, matrix, _ = mapped(weights, rows_active=rows_active, grouping=grouping, squeeze=2)
    hardware = layer.parameters.hardware
    for tile in matrix.tiles(hardware):
        image = matrix.image(tile, hardware)
        index = image.input_index[image.input_index != EMPTY]
        assert len(np.unique(index)) == len(index)
        missing = np.setdiff1d(np.arange(image.inputs), index)
        assert not matrix.codes[tile.rows, tile.columns][missing].any()
        if grouping != "balanced":
            assert not len(missing)
        check_image(image, hardware)


def test_sorted_rows_waste_at_most_x_bit_cycles():
    """SPEC section 6: sorted by shift and cut into slots, at most x cycles in all are lost."""
    for g in (1, 2, 3, 5, 8):
        shifts = RNG.integers(4, size=23)
        order = GROUPINGS["shift"](np.zeros((2, 1, 23, 1)), shifts, g, 25)
        assert shift_cycles(shifts, order, g) <= 3


def test_sorting_by_shift_is_optimal_on_small_cases():
    """No order of rows wastes fewer bit-cycles, tried out over all orders and short slots."""
    for seed in range(6):
        shifts = np.random.default_rng(seed).integers(4, size=5)
        best = min(
            shift_cycles(shifts, np.array(order), 3)
            for order in itertools.permutations([0, 1, 2, 3, 4, EMPTY])
        )
        order = GROUPINGS["shift"](np.zeros((2, 1, 5, 1)), shifts, 3, 6)
        assert shift_cycles(shifts, order, 3) == best


@pytest.mark.parametrize("rows", [7, 8, 9])
def test_slots_are_no_larger_than_the_crossbar(rows):
    """The last slot of a crossbar may be short: no row is placed beyond it."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shifts = rng.integers(4, size=int(rng.integers(1, rows + 1)))
        order = GROUPINGS["shift"](np.zeros((2, 1, len(shifts), 1)), shifts, 3, rows)
        assert len(order) <= rows
        assert sorted(order[order != EMPTY]) == list(range(len(shifts)))
        assert -(-len(order) // 3) == -(-len(shifts) // 3)


def test_balanced_lowers_the_largest_column_sum():
    """Rows with ones in the same columns are spread over the groups."""
    weights = np.zeros((8, 2), int)
    weights[:4, 0] = 3
    weights[4:, 1] = 3
    options = {"rows_active": 4, "weight_bits": 2, "window": 2, "squeeze": 0}
    bits = {
        grouping: schedule(mapped(weights, grouping=grouping, **options)[0]).lossless_adc_bits
        for grouping in GROUPINGS
    }
    assert bits == {"none": (3, 3), "shift": (3, 3), "balanced": (2, 2), "magnitude": (3, 3)}


def test_reordering_changes_no_result_without_clips():
    """If no column can clip, the results of all policies are those of rows in order."""
    weights = RNG.laplace(size=(8, 6))
    inputs = RNG.integers(256, size=(9, 8))
    results = []
    for grouping in GROUPINGS:
        options = {"grouping": grouping, "rows_active": 3, "adc_bits": "lossless", "squeeze": 3}
        layer, _, image = mapped(weights, policy="minimal", **options)
        hardware = layer.parameters.hardware
        assert not can_clip(image, hardware)
        results.append(compute_unit(image, hardware, inputs)[0])
        np.testing.assert_array_equal(
            results[-1], compute_unit_bit_serial(image, hardware, inputs)[0]
        )
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)


def test_zero_skip_counts():
    """A bit-cycle without a 1 is skipped; one a group remains; shifts move the bits."""
    weights = np.array([[1, 1], [1, 1], [3, 1], [1, 1]])
    options = {"weight_bits": 2, "window": 2, "squeeze": 1, "rows_active": 2, "input_bits": 3}
    layer, _, image = mapped(weights, zero_skip=True, **options)
    hardware = layer.parameters.hardware
    assert image.row_shifts.tolist() == [0, 0, 1, 0]
    inputs = np.array([[0, 0, 0, 0], [5, 4, 0, 0], [7, 0, 5, 2], [0, 0, 1, 2]])
    # Second group: input 5 << 1 = 1010 and 2 = 010 have ones in bits 1 and 3; 1 << 1 = 2.
    assert vector_bit_cycles(image, hardware, inputs).tolist() == [2, 3, 5, 2]
    plain = replace(hardware, zero_skip=False)
    assert vector_bit_cycles(image, plain, inputs).tolist() == [7] * 4


def test_schedule_of_a_known_layer():
    """Bit-cycles, bound and speed-ups follow from shifts and rows."""
    weights = np.array([[1], [7], [1], [7], [0], [1]])
    options = {"weight_bits": 3, "squeeze": 1, "rows_active": 2, "input_bits": 4}
    plans = {g: schedule(mapped(weights, grouping=g, **options)[0]) for g in GROUPINGS}
    # In order, two groups hold a shifted and an unshifted row: 5 + 5 + 4 bit-cycles.
    assert [plans[g].bit_cycles for g in GROUPINGS] == [14, 12, 12, 12]
    assert {plan.bit_cycles_in_order for plan in plans.values()} == {14}
    assert {plan.bit_cycles_conventional for plan in plans.values()} == {12}
    assert {plan.bit_cycles_bound for plan in plans.values()} == {12}


def test_wrong_group_tables_are_refused():
    """The message names the group; pack refuses what check_image does."""
    layer, _, image = mapped(RNG.laplace(size=(8, 3)), rows_active=3, squeeze=2, signed_inputs=True)
    hardware = layer.parameters.hardware
    groups = image.groups
    low, high = groups[1, 1], groups[1, 1] + groups[1, 2]

    def changed(number, column, value):
        table = groups.copy()
        table[number, column] = value
        return table

    cases = {
        "group 1 overlaps group 0": changed(1, 0, 0),
        "group 2: slot 3 exceeds": changed(2, 0, 3),
        "group 2 is missing: row 6": groups[:2],
        "group 1: bit-cycles": changed(1, 2, 3),
        f"group 1: bit-cycle {high} is not": changed(1, 2, groups[1, 2] + 1),
        f"group 1: bit-cycles {low}": changed(1, 2, 0),
    }
    for words, table in cases.items():
        with pytest.raises(InputError, match=words):
            pack(replace(image, groups=table), hardware)
    with pytest.raises(InputError, match="needs input_index"):
        pack(replace(image, input_index=image.input_index[::-1]), hardware)
    reordering = replace(hardware, input_index=True)
    for index in ([0, 1, 2, 3, 4, 5, 6, 6], [0, 1, 2, 3, 4, 5, 6, 8]):
        with pytest.raises(InputError, match="input index"):
            pack(replace(image, input_index=np.array(index)), reordering)
    assert EMPTY not in image.input_index
    assert len(pack(image, hardware))


def test_balancing_costs_no_bit_cycle():
    """Without empty rows, `balanced` wastes exactly what sorting by shift does."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        count, g = int(rng.integers(2, 30)), int(rng.integers(1, 9))
        shifts = rng.integers(4, size=count)
        cells = rng.integers(2, size=(2, 3, count, 5))
        cells[0, 0, :, 0] = 1
        waste = [
            shift_cycles(shifts, GROUPINGS[name](cells, shifts, g, 32), g)
            for name in ("shift", "balanced")
        ]
        assert waste[0] == waste[1], f"seed {seed}"


def fourth_powers(cells, order, group_rows):
    """Return the sum of the fourth powers of all column sums of groups, in plain integers."""
    total = 0
    for start in range(0, len(order), group_rows):
        rows = [row for row in order[start : start + group_rows] if row != EMPTY]
        total += sum(int(s) ** 4 for s in cells[:, :, rows].sum(axis=2, dtype=int).ravel())
    return total


def random_rows(rng, largest, count, columns):
    """Return cells of rows that have something to convert, and shifts of 0 or 1."""
    shifts = rng.integers(2, size=count)
    cells = rng.integers(largest + 1, size=(2, 2, count, columns)).astype(np.uint8)
    cells[0, 0, :, 0] = largest
    return cells, shifts


@pytest.mark.parametrize("largest", [1, 3])
def test_balanced_ends_where_no_exchange_helps(largest):
    """No two rows of equal shift in different groups could change places for a lower cost."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        count, g = int(rng.integers(4, 16)), int(rng.integers(1, 6))
        cells, shifts = random_rows(rng, largest, count, 3)
        order = GROUPINGS["balanced"](cells, shifts, g, 18).tolist()
        found = fourth_powers(cells, order, g)
        assert found <= fourth_powers(cells, GROUPINGS["shift"](cells, shifts, g, 18).tolist(), g)
        for i, j in itertools.combinations(range(len(order)), 2):
            if EMPTY not in (order[i], order[j]) and shifts[order[i]] == shifts[order[j]]:
                other = order.copy()
                other[i], other[j] = other[j], other[i]
                assert fourth_powers(cells, other, g) >= found, f"seed {seed}: {i}, {j}"


def dealt_one_by_one(cells, shifts, group_rows, rows):
    """Return the groups of `balanced` as lists of rows: greedy, then exchanges, in plain loops."""
    layout = GROUPINGS["shift"](cells, shifts, group_rows, rows)
    ordered = layout[layout != EMPTY].tolist()
    homes = (np.flatnonzero(layout != EMPTY) // group_rows).tolist()
    levels = {row: cells[:, :, row].ravel().tolist() for row in ordered}
    groups = [[] for _ in range(homes[-1] + 1)]

    def cost(*changed):
        return sum(sum(s) ** 4 for g in changed for s in zip(*map(levels.get, g), strict=True))

    for shift in sorted(set(shifts.tolist())):
        members = [row for row in ordered if shifts[row] == shift]
        free = [h for row, h in zip(ordered, homes, strict=True) if shifts[row] == shift]
        for row in sorted(members, key=lambda row: -sum(levels[row])):
            g = min(sorted(set(free)), key=lambda g: cost([*groups[g], row]) - cost(groups[g]))
            free.remove(g)
            groups[g].append(row)
    for _ in range(4):
        for row in ordered:
            g = next(g for g in groups if row in g)
            choices = [
                (
                    cost([*(r for r in g if r != row), p], [*(r for r in h if r != p), row])
                    - cost(g, h),
                    ordered.index(p),
                    p,
                    h,
                )
                for h in groups
                if h is not g
                for p in h
                if shifts[p] == shifts[row]
            ]
            gain, _, partner, h = min(choices, default=(0, 0, row, g))
            if gain < 0:
                g[g.index(row)], h[h.index(partner)] = partner, row
    return [sorted(g) for g in groups]


@pytest.mark.parametrize("largest", [1, 3])
def test_balanced_against_plain_loops(largest):
    """Every row goes where looking at one row after the other, and then at pairs, puts it."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        count, g = int(rng.integers(20, 37)), int(rng.integers(5, 13))
        cells, shifts = random_rows(rng, largest, count, 6)
        order = GROUPINGS["balanced"](cells, shifts, g, 48)
        groups = [order[start : start + g] for start in range(0, len(order), g)]
        found = [group[group != EMPTY].tolist() for group in groups]
        assert found == dealt_one_by_one(cells, shifts, g, 48), f"seed {seed}"
