"""Rows that are split, through emitted Verilog: every input goes to all pieces of its row."""

import numpy as np
import pytest

from sim.cosim import cosim, cosim_layers
from sim.mapping import load_parameters
from tests.independent import Options
from tests.layer_cases import random_layer
from tests.random_cases import seeded
from tests.simulators import SMALL

pytestmark = pytest.mark.rtl

OPTIONS = Options(
    rows=9,
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


def test_layers(tmp_path):
    """A dense layer of several column tiles and a depthwise one, with ADCs that clip."""
    rng = seeded(81)
    drawn = [random_layer(rng, *layer, VECTORS) for layer in LAYERS]
    work = [(layer.mapping, layer.inputs) for layer in drawn]
    assert max(len(layer.matrices) for layer, _ in work) > 2
    assert all(layer.counts.pieces > layer.counts.rows for layer, _ in work)
    run = cosim_layers(work, directory=tmp_path, processes=2, stalled_units=1)
    assert run.equal, run.failures
    for random, layer in zip(drawn, run.layers, strict=True):
        assert np.any(random.assert_as_plain_loops_say(layer)), "nothing clipped"


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
