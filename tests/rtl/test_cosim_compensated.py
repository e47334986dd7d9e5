"""A network that was fitted to images, through emitted Verilog."""

import pytest

from sim.cosim import cosim_layers
from tests.compensation_cases import fitted
from tests.layer_cases import assert_result
from tests.network_cases import fixture_images, fixture_network
from tests.network_reference import dense_layer
from tests.random_cases import seeded

pytestmark = pytest.mark.rtl


def test_split_and_shared_out(tmp_path):
    """Depthwise, grouped and dense layers, with ADCs that clip, are what plain loops say."""
    images, _ = fixture_images("separable_legacy")
    mapped = fitted(
        fixture_network("separable_legacy"),
        images,
        fit={"rounding": "compensated", "bias_correction": True, "additions": True, "ratio": 5},
        rows=16,
        cols=6,
        rows_active=4,
        policy="split",
        squeeze=7,
        weight_sets=2,
        adc_bits=1,
        zero_skip=True,
    )
    rng = seeded(91)
    work = []
    for layer in mapped.layers[2:]:  # a depthwise one comes first
        given = layer.quantisation
        inputs = rng.integers(given.low, given.high + 1, size=(2, layer.mapping.inputs))
        work.append((layer.mapping, inputs))
    assert any(own.counts.pieces > own.counts.rows for own, _ in work)
    assert any(len(m.placement.groups) > 1 for own, _ in work for m in own.matrices)
    result = cosim_layers(work, directory=tmp_path, processes=2, stalled_units=1)
    assert result.equal, result.failures
    for (mapping, inputs), layer in zip(work, result.layers, strict=True):
        outputs, done, _ = dense_layer(mapping, inputs)
        assert_result(layer, outputs.tolist(), done.clips.tolist())
    assert result.as_dict()["clips"] > 0
