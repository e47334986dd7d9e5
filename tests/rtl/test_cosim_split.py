"""Rows that are split, through emitted Verilog: every input goes to all pieces of its row."""

import numpy as np
import pytest

from sim.cosim import cosim, cosim_layers
from sim.mapping import load_parameters
from tests.compensation_cases import fitted
from tests.independent import Options
from tests.layer_cases import assert_result, random_layer
from tests.network_cases import fixture_images, fixture_network
from tests.network_reference import dense_layer
from tests.random_cases import seeded
from tests.simulators import SMALL

pytestmark = pytest.mark.rtl

OPTIONS = Options(
    rows=15,
    cols=6,
    rows_active=4,
    weight_sets=2,
    adc_bits=1,
    input_bits=5,
    codec="int8",
    scale="column",
    policy="split",
    squeeze=7,
)
LAYERS = [
    # name, options, shape of the weights, groups
    ("dense", OPTIONS, (14, 10, 1, 1), 1),
    ("depthwise", OPTIONS, (7, 1, 2, 1), 7),
]
VECTORS = 4


def fitted_layers(rng):
    """Return depthwise, grouped and dense layers that were fitted to images, and inputs."""
    images, _ = fixture_images("separable_legacy")
    fit = {"rounding": "compensated", "bias_correction": True, "additions": True, "ratio": 5}
    network = fixture_network("separable_legacy")
    mapped = fitted(network, images, fit=fit, zero_skip=True, **OPTIONS.as_dict())
    work = []
    for layer in mapped.layers[2:]:  # a depthwise one comes first
        given = layer.quantisation
        inputs = rng.integers(given.low, given.high + 1, size=(2, layer.mapping.inputs))
        work.append((layer.mapping, inputs))
    assert any(own.counts.pieces > own.counts.rows for own, _ in work)
    assert any(len(m.placement.groups) > 1 for own, _ in work for m in own.matrices)
    return work


def test_layers(tmp_path):
    """Layers of several column tiles or groups, with ADCs that clip; also of a fitted network."""
    rng = seeded(81)
    drawn = [random_layer(rng, *layer, VECTORS) for layer in LAYERS]
    assert max(len(layer.mapping.matrices) for layer in drawn) > 2
    assert all(layer.mapping.counts.pieces > layer.mapping.counts.rows for layer in drawn)
    fitted_work = fitted_layers(rng)
    work = [(layer.mapping, layer.inputs) for layer in drawn] + fitted_work
    run = cosim_layers(work, directory=tmp_path, processes=2, stalled_units=1)
    assert run.equal, run.failures
    assert run.designs == 1
    for random, layer in zip(drawn, run.layers, strict=False):
        assert np.any(random.assert_as_plain_loops_say(layer)), "nothing clipped"
    clips = 0
    for (mapping, inputs), layer in zip(fitted_work, run.layers[len(drawn) :], strict=True):
        outputs, done, _ = dense_layer(mapping, inputs)
        assert_result(layer, outputs.tolist(), done.clips.tolist())
        clips += done.clips.sum()
    assert clips > 0


def test_nothing_is_lost(tmp_path):
    """With lossless ADCs, what comes out is the product with the codes as they were given."""
    rng = seeded(83)
    weights = rng.integers(-63, 64, size=(7, 11))
    inputs = rng.integers(-8, 8, size=(3, 7))
    options = {"weight_bits": 6, "cell_bits": 2, "policy": "split", "squeeze": 4}
    options |= {"signed_inputs": True, "input_bits": 4, "adc_bits": "lossless"}
    parameters = load_parameters("tiny", grouping="balanced", **options)
    result = cosim(weights, inputs, parameters, simulator=SMALL, directory=tmp_path / "run")
    assert result.equal, [tile for tile in result.tiles if not tile.equal]
    assert result.outputs.tolist() == (inputs @ weights).tolist()
    assert result.layer.counts.pieces > result.layer.counts.rows
