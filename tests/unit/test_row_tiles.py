"""Which tile a row goes to: what it may not change, and what it gains."""

import itertools

import numpy as np
import pytest

from sim.golden.compute_unit import compute_unit, compute_unit_bit_serial
from sim.mapping import describe, load_parameters, map_matrix, schedule
from sim.mapping.grouping import shift_cycles
from sim.mapping.least_cycles import bit_cycles_bound, least_bit_cycles, mark_shifts
from sim.mapping.row_tiles import ROW_TILES
from sme_hw.cycles import group_bit_cycles
from sme_hw.tile_image import EMPTY, check_image
from tests.independent import exact_outputs, map_weights, unit_compute
from tests.random_cases import (
    random_hardware,
    random_inputs,
    random_mapping,
    random_weights,
    seeded,
)


def random_case(rng, **fixed):
    """Return options, weights of several row tiles, and inputs."""
    sizes = {"rows": int(rng.integers(4, 13)), "cols": int(rng.integers(4, 9))}
    options = random_hardware(rng, random_mapping(rng, codec="codes", **sizes | fixed))
    shape = rng.integers(options.rows + 1, 5 * options.rows), rng.integers(1, 2 * options.cols)
    weights = random_weights(rng, shape, options)
    weights[rng.random(len(weights)) < 0.1] = 0
    # Most rows small, so that it matters which of them share a tile.
    weights = np.where(rng.random((shape[0], 1)) < 0.6, weights // 16, weights)
    return options, weights, random_inputs(rng, (rng.integers(1, 4), shape[0]), options)


def map_dealt(weights, options, grouping="balanced"):
    """Map with row tiles that are chosen freely."""
    parameters = load_parameters("tiny", **options.as_dict(), grouping=grouping)
    layer = map_matrix(weights, parameters)
    return layer, layer.matrices[0], parameters.hardware


def physical_rows(matrix, tile, inputs, options):
    """Return what stands on a tile's physical rows: codes, shifts and inputs in plain lists."""
    codes, shifts, vectors = [], [], []
    order = matrix.row_order[tile.row_tile, tile.column_tile].tolist()
    while order[-1] == EMPTY:
        order.pop()
    for start in range(0, len(order), options.active_rows):
        group = order[start : start + options.active_rows]
        some = next(i for i in group if i != EMPTY)
        for i in group:
            row = int(tile.rows[some if i == EMPTY else i])
            shifts.append(int(matrix.row_shifts[row, tile.column_tile]))
            held = matrix.codes[row, tile.columns].tolist()
            codes.append([0] * len(held) if i == EMPTY else held)
            vectors.append(row)
    return codes, shifts, inputs[:, vectors].tolist()


@pytest.mark.parametrize("grouping", ["balanced", "magnitude"])
@pytest.mark.parametrize("policy", ["paper", "minimal", "rounded", "plain"])
def test_rows_keep_their_codes_and_results_follow(policy, grouping):
    """Every row is in one tile; codes stay in logical order; loops over rows find the results."""
    rng = seeded(41)
    moved = 0
    for case in range(25):
        options, weights, inputs = random_case(rng, policy=policy)
        _, matrix, hardware = map_dealt(weights, options, grouping)
        expected = map_weights(weights, options).matrices[0]
        assert matrix.codes.tolist() == expected.codes
        assert matrix.row_shifts.tolist() == expected.shifts
        held = [row for tile in matrix.row_tiles for row in tile[tile != EMPTY]]
        assert sorted(held) == list(range(len(weights)))
        moved += held != sorted(held)
        outputs = np.zeros((len(inputs), weights.shape[1]), np.int64)
        for tile in matrix.tiles(hardware):
            image = matrix.image(tile, hardware)
            check_image(image, hardware)
            codes, shifts, vectors = physical_rows(matrix, tile, inputs, options)
            loops = [unit_compute(codes, shifts, vector, options) for vector in vectors]
            for model in (compute_unit, compute_unit_bit_serial):
                results, clips = model(image, hardware, inputs[:, tile.rows])
                assert results.tolist() == [result for result, _ in loops], f"case {case}"
                assert clips.tolist() == np.sum([c for _, c in loops], axis=0).tolist()
            outputs[:, tile.columns] += results
        if options.adc_bits == "lossless":
            assert outputs.tolist() == exact_outputs(expected, inputs.tolist(), options)
    assert moved > 5 or policy == "plain"


@pytest.mark.parametrize("grouping", ["balanced", "magnitude"])
@pytest.mark.parametrize("cell_bits", [1, 2])
def test_crossbars_are_those_of_the_tiles(cell_bits, grouping):
    """Crossbars are counted as if each row tile were a matrix of its own."""
    rng = seeded(43)
    saved = 0
    for case in range(40):
        policy = ["paper", "minimal", "rounded"][case % 3]
        options, weights, _ = random_case(rng, cell_bits=cell_bits, policy=policy)
        layer, matrix, _ = map_dealt(weights, options, grouping)
        expected = dict.fromkeys(map_weights(weights, options).counts, 0)
        for rows in matrix.row_tiles:
            counts = map_weights(weights[rows[rows != EMPTY]], options).counts
            expected = {key: np.add(expected[key], counts[key]).tolist() for key in expected}
        counts = {key: np.array(getattr(layer.counts, key)).tolist() for key in expected}
        assert counts == expected, f"case {case}"
        gain = map_weights(weights, options).counts["squeezed"] - layer.counts.squeezed
        assert gain >= 0 or grouping == "balanced", f"case {case}"
        saved += gain
    assert saved > 0


def test_predicted_bit_cycles_are_those_of_the_images():
    """What row tiles are chosen by is what the groups then take, and never below the bound."""
    rng = seeded(47)
    gained = 0
    for case in range(60):
        options, weights, _ = random_case(rng)
        layer, matrix, hardware = map_dealt(weights, options)
        plan = schedule(layer)
        ones = np.zeros(matrix.row_shifts.shape, int)
        for tile in matrix.tiles(hardware):
            ones[tile.rows, tile.column_tile] = abs(
                matrix.codes[tile.rows, tile.columns].astype(int)
            ).sum(axis=1)
        shifts = np.unique(matrix.row_shifts)
        kinds = mark_shifts(ones, matrix.row_shifts, shifts)
        taken = 0
        for tile in matrix.tiles(hardware):
            counts = kinds[tile.rows, tile.column_tile].sum(axis=0)
            predicted = int(least_bit_cycles(counts, shifts, hardware))
            assert predicted == sum(matrix.image(tile, hardware).bit_cycles), f"case {case}"
            taken += predicted
        assert plan.bit_cycles == taken
        assert plan.bit_cycles_bound <= taken <= plan.bit_cycles_in_order
        sorted_only = load_parameters("tiny", **options.as_dict(), grouping="shift")
        others = schedule(map_matrix(weights, sorted_only))
        assert taken <= others.bit_cycles
        assert plan.bit_cycles_in_order == others.bit_cycles_in_order
        assert plan.bit_cycles_conventional == others.bit_cycles_conventional
        gained += others.bit_cycles - taken
    assert gained > 0


def tile_cycles(members, shifts, hardware):
    """Return the fewest bit-cycles of a tile, trying every order of its rows."""
    groups = max(1, -(-len(members) // hardware.group_rows))
    waste = min(
        shift_cycles(shifts, np.array(order), hardware.group_rows)
        for order in itertools.permutations([*members, *[EMPTY] * (hardware.rows - len(members))])
        if sum(
            any(i != EMPTY for i in order[s : s + hardware.group_rows])
            for s in range(0, hardware.rows, hardware.group_rows)
        )
        <= groups
    )
    return groups * group_bit_cycles(hardware, 0, 0) + waste


@pytest.mark.parametrize("column_tiles", [1, 2])
@pytest.mark.parametrize("rows_active", [1, 2, 3, "all"])
def test_against_every_way_to_deal_rows(column_tiles, rows_active):
    """With one column of tiles and even slots, nothing is better; the bound always holds."""
    parameters = load_parameters(
        "tiny", rows=4, rows_active=rows_active, squeeze=3, policy="minimal"
    )
    hardware = parameters.hardware
    rng = seeded(53)
    for case in range(15):
        rows = int(rng.integers(5, 9))
        row_shifts = rng.choice([0, 1, 3], size=(rows, column_tiles)).astype(np.uint8)
        ones = (rng.random((rows, column_tiles)) < 0.8) * rng.integers(1, 32, size=(rows, 1))
        costs = {}
        for size in range(rows - 4, 5):
            for first in itertools.combinations(range(rows), size):
                tiles = [list(first), [r for r in range(rows) if r not in first]]
                costs[first] = sum(
                    tile_cycles([r for r in tile if ones[r, c]], row_shifts[:, c], hardware)
                    for tile in tiles
                    for c in range(column_tiles)
                )
        chosen = ROW_TILES["balanced"](ones, row_shifts, hardware)
        found = costs[tuple(chosen[0][chosen[0] != EMPTY].tolist())]
        shifts = np.unique(row_shifts)
        counts = mark_shifts(ones, row_shifts, shifts).sum(axis=0)
        assert bit_cycles_bound(counts, shifts, 2, hardware) <= min(costs.values())
        assert min(costs.values()) <= found <= costs[0, 1, 2, 3], f"case {case}"
        if column_tiles == 1 and rows_active != 3:  # short slots may suit mixed tiles better
            assert found == min(costs.values()), f"case {case}"


def test_tiles_of_unlike_height_are_evened_out():
    """Twelve rows on crossbars of eight: six and six, where time is to be gained by it."""
    for small, rows_active, sizes in ((12, 2, [6, 6]), (3, 2, [6, 6]), (12, "all", [8, 4])):
        weights = np.full((12, 3), 255)
        weights[:small] = 1
        options = {"rows_active": rows_active, "grouping": "balanced"}
        (matrix,) = map_matrix(weights, load_parameters("tiny", **options)).matrices
        assert [int(np.count_nonzero(tile != EMPTY)) for tile in matrix.row_tiles] == sizes


def test_moved_rows_are_gathered():
    """Every other row is moved: apart, no tile wastes a bit-cycle, nor a crossbar."""
    weights = np.tile([[1, 1], [255, 1]], (8, 1))
    layers = {
        grouping: map_matrix(
            weights, load_parameters("tiny", squeeze=2, policy="paper", grouping=grouping)
        )
        for grouping in ROW_TILES
    }
    assert [schedule(layer).bit_cycles for layer in layers.values()] == [20, 20, 16, 16]
    assert [layer.counts.squeezed for layer in layers.values()] == [12, 12, 7, 7]
    for grouping in ("balanced", "magnitude"):
        assert layers[grouping].matrices[0].row_tiles.tolist() == [
            list(range(0, 16, 2)),
            list(range(1, 16, 2)),
        ]
    # Four bits of address for 16 rows; three and a flag for the physical row of each input.
    bits = [describe([layer])["layers"][0]["index_bits"] for layer in layers.values()]
    assert [entry["matrix"] for entry in bits] == [0, 0, 64, 64]
    assert [entry["tile"] for entry in bits] == [0, 64, 64, 64]


def test_small_codes_share_tiles():
    """Where no row is moved, tiles of small codes leave their leading planes empty."""
    weights = np.tile([[1, 1], [255, 1]], (8, 1))
    options = {"squeeze": 0, "preset": "tiny"}
    counts = [
        map_matrix(weights, load_parameters(grouping=grouping, **options)).counts
        for grouping in ROW_TILES
    ]
    assert [count.squeezed for count in counts] == [16, 16, 9, 9]
    assert [count.sliced for count in counts] == [16, 16, 9, 9]


def test_rows_without_a_one_fill_tiles_up():
    """Empty rows go where there is room, whatever their shifts."""
    weights = np.zeros((17, 2), int)
    weights[[0, 5, 16]] = [[1, 1], [255, 0], [1, 0]]
    layer = map_matrix(weights, load_parameters("tiny", squeeze=2, grouping="balanced"))
    (matrix,) = layer.matrices
    assert schedule(layer).bit_cycles == schedule(layer).bit_cycles_bound == 3 * 8
    assert sorted(matrix.row_tiles[matrix.row_tiles != EMPTY].tolist()) == list(range(17))
    nothing = map_matrix(np.zeros((17, 2), int), layer.parameters)
    assert schedule(nothing).bit_cycles == 3 * 8
