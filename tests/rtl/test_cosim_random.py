"""Random parameters through emitted Verilog, against the loops of :mod:`tests.independent`."""

from dataclasses import replace

import numpy as np
import pytest

from sim.cosim import cosim
from sim.cosim.jobs import tile_jobs
from sim.mapping import load_parameters
from tests.independent import (
    Options,
    clips_of_units,
    compute,
    cycles_per_round,
    cycles_per_vector,
    map_weights,
)
from tests.random_cases import (
    CODEC_NAMES,
    random_hardware,
    random_inputs,
    random_mapping,
    random_weights,
    seeded,
)
from tests.simulators import SMALL

LARGE = {"rows": 40, "cols": 21, "cell_bits": 2, "squeeze": 4, "adcs_per_crossbar": 2}
CASES = [
    # seed, shape of the matrix, vectors, simulator, what is not left to chance
    (9, (9, 5), 3, SMALL, {"rows": 8, "cols": 4, "input_bits": 16, "squeeze": 3}),
    (10, (11, 13), 4, SMALL, {"rows": 5, "cols": 7, "cell_bits": 2, "rows_active": 1}),
    (3, (3, 2), 5, SMALL, {"rows": 4, "cols": 6, "input_bits": 1, "policy": "paper"}),
    (373, (17, 9), 2, SMALL, {"rows": 12, "cols": 9, "signed_inputs": True, "policy": "rounded"}),
    (21, (21, 10), 3, SMALL, {"rows": 9, "cols": 10, "cell_bits": 1, "squeeze": 7}),
    (31, (19, 11), 4, SMALL, {"rows": 8, "cols": 4, "weight_sets": 4, "squeeze": 2}),
    (33, (21, 13), 5, "verilator", {"rows": 9, "cols": 6, "weight_sets": 3, "rows_active": 4}),
    (14, (100, 37), 4, "verilator", {"rows": 32, "cols": 16, "squeeze": 3, "policy": "minimal"}),
    (15, (300, 70), 3, "verilator", {"rows": 128, "cols": 64, "squeeze": 2, "rows_active": 9}),
    (24, (100, 37), 3, "verilator", LARGE),
]

HARDWARE = {
    *("input_bits", "signed_inputs", "adc_bits", "adc_lsb", "adcs_per_crossbar"),
    *("rows_active", "weight_sets"),
}


def random_options(rng, fixed):
    """Return random options with those in ``fixed`` as given."""
    mapping = {key: value for key, value in fixed.items() if key not in HARDWARE}
    drawn = random_hardware(rng, random_mapping(rng, weight_bits=8, **mapping))
    options = Options(**drawn.as_dict() | fixed)
    # A beat holds rows of one group.
    return replace(options, inputs_per_beat=min(options.inputs_per_beat, options.active_rows))


def random_case(seed, shape, vectors, fixed):
    """Return options, weights and inputs, and print what they were drawn from."""
    rng = seeded(seed)
    options = random_options(rng, fixed)
    print(options)
    weights = random_weights(rng, shape, options)
    return options, weights, random_inputs(rng, (vectors, shape[0]), options)


def run(options, weights, inputs, simulator, directory):
    """Co-simulate; returns the result and the tiles that ran without stalls."""
    parameters = load_parameters("paper", **options.as_dict())
    result = cosim(weights, inputs, parameters, simulator=simulator, directory=directory)
    assert result.equal, [tile for tile in result.tiles if not tile.equal]
    return result, [tile for tile in result.tiles if not tile.stalled]


def test_all_codecs_are_simulated():
    """Chance leaves out none of them, nor rows with bits of their own."""
    options = [random_options(seeded(seed), fixed) for seed, *_, fixed in CASES]
    assert {drawn.codec for drawn in options} == set(CODEC_NAMES)
    assert any(isinstance(drawn.row_bits, list) for drawn in options)


@pytest.mark.rtl
@pytest.mark.parametrize(("seed", "shape", "vectors", "simulator", "fixed"), CASES)
def test_random_cosimulation(seed, shape, vectors, simulator, fixed, tmp_path):
    """Outputs, and clips of every plane in every tile, are what plain loops say."""
    options, weights, inputs = random_case(seed, shape, vectors, fixed)
    result, tiles = run(options, weights, inputs, simulator, tmp_path / "run")
    matrix = map_weights(weights, options).matrices[0]
    outputs, clips = compute(matrix, inputs.tolist(), options)
    assert np.any(outputs), "zeros show nothing: choose another seed"
    assert result.outputs.tolist() == outputs
    assert result.golden.tolist() == outputs
    assert [list(tile.clips) for tile in tiles] == clips_of_units(clips, options)
    stalled = [tile for tile in result.tiles if tile.stalled]
    tiles_of_first = min(options.weight_sets, len(clips))
    seen = inputs[: stalled[0].vectors // tiles_of_first].tolist()
    clips = compute(matrix, seen, options)[1]
    assert [list(tile.clips) for tile in stalled] == clips_of_units(clips, options)


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("grouping", "rows_active", "adc_bits"),
    [("balanced", "all", "lossless"), ("balanced", 3, 1), ("magnitude", 3, "lossless")],
)
def test_rows_dealt_to_tiles(grouping, rows_active, adc_bits, tmp_path):
    """Each tile gets the inputs of its own rows, whichever these are."""
    rng = seeded(27)
    weights = rng.integers(-255, 256, size=(21, 6)) // rng.choice([1, 32], size=(21, 1))
    inputs = rng.integers(256, size=(3, 21))
    parameters = load_parameters(
        "tiny", grouping=grouping, squeeze=3, rows_active=rows_active, adc_bits=adc_bits
    )
    result = cosim(weights, inputs, parameters, simulator=SMALL, directory=tmp_path / "run")
    assert result.equal, [tile for tile in result.tiles if not tile.equal]
    (matrix,) = result.layer.matrices
    assert matrix.row_tiles[0].tolist() != list(range(8)), "choose another seed"
    if adc_bits == "lossless":
        exact = inputs @ matrix.effective_codes(parameters.hardware)
        assert result.outputs.tolist() == exact.tolist()
    else:
        assert sum(sum(tile.clips) for tile in result.tiles)


SMALL_UNIT = {"rows": 10, "cols": 5, "weight_bits": 5, "squeeze": 0}

BOUNDS = [
    # what bounds the clock cycles of a vector, or of one vector for each tile
    ("compute", {"policy": "minimal", "squeeze": 3, "rows_active": 3}),
    ("compute with lanes", {"policy": "minimal", "squeeze": 3, "emulation_lanes": 4}),
    ("inputs", {"adcs_per_crossbar": 5, "results_per_beat": 5, "input_bits": 1}),
    ("results", {"adcs_per_crossbar": 5, "inputs_per_beat": 5, "input_bits": 2}),
]


@pytest.mark.rtl
@pytest.mark.parametrize(("bound", "changed"), BOUNDS)
def test_cycles_per_vector(bound, changed, tmp_path):
    """Four more vectors than predicted for two take four times the cycles of the contract."""
    options = Options(**SMALL_UNIT | changed)
    rng = seeded(9)
    weights = rng.standard_t(2, size=(10, 5))
    inputs = rng.integers(2**options.input_bits, size=(6, 10))
    result, tiles = run(options, weights, inputs, SMALL, tmp_path / "run")
    cycles = [tile_jobs(result.layer, inputs[:2])[0].cycles, tiles[0].cycles]
    shifts = [row[0] for row in map_weights(weights, options).matrices[0].shifts]
    expected = cycles_per_vector(shifts, 5, options)
    assert cycles[1] - cycles[0] == 4 * expected, bound
    assert max(shifts) == options.squeeze


@pytest.mark.rtl
@pytest.mark.parametrize(("bound", "changed"), BOUNDS)
def test_cycles_of_tiles_in_turn(bound, changed, tmp_path):
    """Four more rounds than predicted for six take four times what the tiles take together."""
    options = Options(**SMALL_UNIT | {"weight_sets": 4} | changed)
    rng = seeded(9)
    # A full tile, one of a single column, and of each kind one of four rows.
    weights = rng.standard_t(2, size=(14, 6))
    inputs = rng.integers(2**options.input_bits, size=(10, 14))
    result, units = run(options, weights, inputs, SMALL, tmp_path / "run")
    cycles = [tile_jobs(result.layer, inputs[:6])[0].cycles, units[0].cycles]
    shifts = map_weights(weights, options).matrices[0].shifts
    tiles = [
        ([row[tile] for row in shifts[rows]], columns)
        for rows in (slice(0, 10), slice(10, 14))
        for tile, columns in ((0, 5), (1, 1))
    ]
    assert cycles[1] - cycles[0] == 4 * cycles_per_round(tiles, options), bound
