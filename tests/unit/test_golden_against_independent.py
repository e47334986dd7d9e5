"""The integer golden model against the bit-serial plain-loop model of :mod:`tests.independent`."""

import numpy as np
import pytest

from sim.golden.compute_unit import compute_unit, compute_unit_bit_serial, count_clips
from sim.mapping import load_parameters, map_matrix
from tests.independent import Options, compute, exact_outputs, map_weights, unit_compute
from tests.random_cases import (
    random_hardware,
    random_inputs,
    random_mapping,
    random_weights,
    seeded,
)

MODELS = pytest.mark.parametrize("model", [compute_unit, compute_unit_bit_serial])


def map_both(weights, options):
    """Map with the project and with the plain-loop model: parameters and the two matrices."""
    parameters = load_parameters("tiny", **options.as_dict())
    ours = map_matrix(weights, parameters).matrices[0]
    expected = map_weights(weights, options).matrices[0]
    assert ours.codes.tolist() == expected.codes
    assert ours.row_shifts.tolist() == expected.shifts
    return parameters, ours, expected


def run_tiles(model, matrix, hardware, inputs):
    """Run a golden model on every tile: the outputs of the matrix, and clips per tile."""
    outputs = np.zeros((len(inputs), matrix.codes.shape[1]), np.int64)
    clips = []
    for tile in matrix.tiles(hardware):
        image = matrix.image(tile, hardware)
        results, tile_clips = model(image, hardware, inputs[:, tile.rows])
        outputs[:, tile.columns] += results
        clips.append(np.asarray(tile_clips).tolist())
    return outputs.tolist(), clips


def random_case(rng, **fixed):
    """Return options, weights and inputs of a few small tiles."""
    sizes = {"rows": int(rng.integers(4, 17)), "cols": int(rng.integers(4, 13))}
    options = random_hardware(rng, random_mapping(rng, **sizes | fixed))
    shape = rng.integers(1, 2 * options.rows), rng.integers(1, 2 * options.cols)
    weights = random_weights(rng, shape, options)
    inputs = random_inputs(rng, (rng.integers(1, 4), shape[0]), options)
    return options, weights, inputs


@MODELS
@pytest.mark.parametrize("policy", ["paper", "minimal", "rounded", "rounded-window", "plain"])
def test_random_tiles(model, policy):
    """Results and clips of every plane agree, for random parameters, weights and inputs."""
    rng = seeded(31)
    clipped = 0
    for case in range(50):
        options, weights, inputs = random_case(rng, policy=policy)
        parameters, ours, expected = map_both(weights, options)
        outputs, clips = compute(expected, inputs.tolist(), options)
        found = run_tiles(model, ours, parameters.hardware, inputs)
        assert found == (outputs, clips), f"case {case}: {options}"
        clipped += any(map(any, clips))
    assert 5 < clipped < 40


def test_counted_clips():
    """Counting clips alone finds what the plain-loop model finds, in batches of any size."""
    rng = seeded(37)
    clipped = 0
    for case in range(80):
        options, weights, inputs = random_case(rng)
        parameters, ours, expected = map_both(weights, options)
        hardware = parameters.hardware
        found = [
            count_clips(ours.image(tile, hardware), hardware, inputs[:, tile.rows]).tolist()
            for tile in ours.tiles(hardware)
        ]
        assert found == compute(expected, inputs.tolist(), options)[1], f"case {case}: {options}"
        clipped += any(map(any, found))
    assert 10 < clipped < 70


@pytest.mark.parametrize("grouping", ["none", "shift", "balanced", "magnitude"])
def test_counted_clips_in_batches(grouping, monkeypatch):
    """Batches, row orders and zero-skip make no difference."""
    rng = seeded(38)
    parameters = load_parameters(
        "small", grouping=grouping, rows_active=12, adc_bits=1, squeeze=3, zero_skip=True
    )
    hardware = parameters.hardware
    (matrix,) = map_matrix(rng.laplace(size=(70, 40)), parameters).matrices
    inputs = rng.integers(256, size=(23, 70))
    monkeypatch.setattr("sim.golden.compute_unit._SUMS", 5 * 11 * 64)
    for tile in matrix.tiles(hardware):
        image, taken = matrix.image(tile, hardware), inputs[:, tile.rows]
        clips = compute_unit_bit_serial(image, hardware, taken)[1]
        assert clips.any()
        assert count_clips(image, hardware, taken).tolist() == clips.tolist()


@MODELS
@pytest.mark.parametrize("signed", [False, True])
def test_lossless_is_exact(model, signed):
    """With lossless converters the result is the sum of I' * W', and nothing clips."""
    rng = seeded(17)
    for case in range(30):
        options, weights, inputs = random_case(rng, policy="minimal", weight_bits=8, squeeze=2)
        changed = {"adc_bits": "lossless", "adc_lsb": 0, "signed_inputs": signed}
        options = Options(**options.as_dict() | changed)
        inputs = random_inputs(rng, inputs.shape, options)
        parameters, ours, expected = map_both(weights, options)
        outputs, clips = run_tiles(model, ours, parameters.hardware, inputs)
        assert outputs == exact_outputs(expected, inputs.tolist(), options), f"case {case}"
        assert not any(map(any, clips))


@MODELS
def test_clips_by_hand(model):
    """Eight rows of 1 through 2-bit converters: 3 instead of 8, one clip a bit-cycle and sign."""
    options = Options(rows=8, cols=4, codec="codes", squeeze=0, adc_bits=2, input_bits=2)
    weights = np.tile(np.array([[1, -1, 128, 0]]), (8, 1))
    parameters, ours, _ = map_both(weights, options)
    inputs = np.full((1, 8), 3)
    outputs, clips = run_tiles(model, ours, parameters.hardware, inputs)
    assert outputs == [[9, -9, 9 * 128, 0]]
    assert clips == [[2, 0, 0, 0, 0, 0, 0, 4]]


@MODELS
def test_dropped_bits_are_no_clips(model):
    """A converter with an LSB of 4 levels reads 7 as 4, without a clip."""
    options = Options(rows=8, cols=4, codec="codes", squeeze=0, adc_bits=1, adc_lsb=2, input_bits=1)
    parameters, ours, _ = map_both(np.ones((7, 1), np.int16), options)
    assert run_tiles(model, ours, parameters.hardware, np.ones((1, 7), np.int64)) == (
        [[4]],
        [[0] * 8],
    )
    parameters, ours, _ = map_both(np.ones((8, 1), np.int16), options)
    assert run_tiles(model, ours, parameters.hardware, np.ones((1, 8), np.int64)) == (
        [[4]],
        [[0] * 7 + [1]],
    )


@MODELS
@pytest.mark.parametrize("bits", [1, 2, 16])
def test_signed_inputs_in_shifted_groups(model, bits):
    """Rows that are not shifted repeat their sign bit; the group's last cycle is subtracted."""
    options = Options(
        rows=4,
        cols=4,
        codec="codes",
        policy="minimal",
        squeeze=3,
        adc_bits="lossless",
        input_bits=bits,
        signed_inputs=True,
    )
    weights = np.array([[31], [-63], [127], [-248]], np.int16)
    parameters, ours, expected = map_both(weights, options)
    assert ours.row_shifts.ravel().tolist() == [0, 1, 2, 3]
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    inputs = np.array([[low, low, low, low], [high, low, high, low], [low, high, 0, high]])
    kept = np.array([31, -62, 124, -248])  # what fell off the low end of shifted rows is lost
    outputs, _ = run_tiles(model, ours, parameters.hardware, inputs)
    assert outputs == (inputs @ kept)[:, None].tolist()
    codes, shifts = expected.codes, [row[0] for row in expected.shifts]
    loops = [unit_compute(codes, shifts, vector, options)[0] for vector in inputs.tolist()]
    assert outputs == loops
