"""Clips measured on inputs, for whole layers."""

import numpy as np
import pytest

from sim.mapping import load_parameters, map_layer, map_matrix
from sim.report.clips import measure_clips, random_batches
from tests.independent import Options, compute_layer, map_convolution, row_groups
from tests.random_cases import random_inputs, seeded


def expected_conversions(matrix, options, vectors):
    """Count the conversions of each plane in plain loops."""
    count = 0
    n_rows, n_columns = len(matrix.codes), len(matrix.codes[0])
    for top in range(0, n_rows, options.rows):
        for t, left in enumerate(range(0, n_columns, options.cols)):
            shifts = [row[t] for row in matrix.shifts[top : top + options.rows]]
            for first, end in row_groups(len(shifts), options):
                span = max(shifts[first:end]) - min(shifts[first:end])
                cycles = options.input_bits + span
                count += 2 * cycles * min(options.cols, n_columns - left) * vectors
    return count


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("policy", ["minimal", "split"])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_layers_of_groups(groups, policy, signed):
    """Every group gets its own inputs; conversions and clips are those of plain loops."""
    rng = seeded(71)
    options = Options(
        rows=13,
        cols=5,
        squeeze=2,
        policy=policy,
        adc_bits=1,
        rows_active=9,
        signed_inputs=signed,
    )
    weights = rng.laplace(size=(6, 12 // groups, 3, 1))
    layer = map_layer("conv", weights, load_parameters("tiny", **options.as_dict()), groups=groups)
    assert layer.inputs == 36
    inputs = random_inputs(rng, (7, 36), options)
    told = []
    report = measure_clips(layer, [inputs[:3], inputs[3:]], told.append)
    expected = map_convolution(weights, options, groups=groups)
    clips = np.sum(compute_layer(expected, inputs.tolist(), options)[1], axis=0)
    conversions = sum(expected_conversions(m, options, len(inputs)) for m in expected.matrices)
    assert report.clipped == tuple(clips.tolist())
    assert any(report.clipped)
    assert (report.vectors, report.conversions) == (7, conversions)
    assert sum(told) == 7 * layer.counts.tiles
    assert report.as_dict()["share"] == [c / conversions for c in clips.tolist()]
    assert report.as_dict()["conversions"] == [conversions] * options.planes


def test_skipped_conversions_do_not_count():
    """With zero-skip only executed bit-cycles convert: one of eight for inputs of zero."""
    weights = np.ones((8, 3), int)
    inputs = np.zeros((5, 8), int)
    for zero_skip, cycles in ((False, 8), (True, 1)):
        layer = map_matrix(weights, load_parameters("tiny", zero_skip=zero_skip))
        assert measure_clips(layer, [inputs]).conversions == 5 * cycles * 3 * 2


def test_everything_clips():
    """Where all inputs and weights are ones, every conversion of positive weights clips."""
    options = {"adc_bits": 1, "weight_bits": 2, "window": 2, "squeeze": 0, "input_bits": 4}
    layer = map_matrix(np.full((8, 2), 3), load_parameters("tiny", **options))
    report = measure_clips(layer, [np.full((3, 8), 15)])
    assert report.shares == [0.5, 0.5]
    layer = map_matrix(np.full((8, 2), 3), load_parameters("tiny", **options | {"adc_bits": 4}))
    assert measure_clips(layer, [np.full((3, 8), 15)]).shares == [0, 0]


@pytest.mark.parametrize("signed", [False, True])
def test_random_batches_are_one_stream(signed, monkeypatch):
    """However many vectors exist at a time, all of them are those of one call."""
    hardware = load_parameters("tiny", signed_inputs=signed, input_bits=5).hardware
    low, high = hardware.input_range
    expected = np.random.default_rng(9).integers(low, high + 1, size=(17, 7))
    for elements in (1, 21, 34, 1 << 22):
        monkeypatch.setattr("sim.report.clips._ELEMENTS", elements)
        batches = list(random_batches(7, 17, hardware, 9))
        assert max(map(len, batches)) == min(17, max(1, elements // 7))
        np.testing.assert_array_equal(np.concatenate(batches), expected)
    assert (expected.min(), expected.max()) == (low, high)
