"""Whole networks on crossbars: every bit is that of the golden model, tile by tile."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from sim.network.calibration import CalibrationParams
from sim.network.evaluation import evaluate
from sim.network.forward import FloatNetwork
from sim.network.ranges import RANGES
from tests.network_cases import NETWORKS, fixture_images, fixture_network, on_crossbars
from tests.network_reference import network_outputs
from tests.random_cases import random_hardware, random_mapping, seeded

SMALL = {"rows": 16, "cols": 8}


def assert_golden(mapped, images):
    """Assert that results and work are the reference's; returns all clips."""
    expected, done = network_outputs(mapped, images)
    assert len(np.unique(expected)) > 1, "constants show nothing: choose other options"
    outputs = mapped.runner()(images)
    assert outputs.dtype == np.float32
    assert outputs.tolist() == expected.tolist()
    result = evaluate(mapped, [(images[:1], None), (images[1:], None)])
    entries = result.as_dict()["layers"]
    for entry, layer, reference in zip(entries, mapped.layers, done, strict=True):
        assert entry["name"] == layer.layer.name
        assert entry["vectors"] == reference.vectors
        assert entry["conversions"] == reference.conversions
        assert entry["clips"] == reference.clips.tolist()
        assert entry["input"]["scale"] == layer.quantisation.scale
    return sum(int(reference.clips.sum()) for reference in done)


@pytest.mark.parametrize("stem", NETWORKS)
def test_lossless_networks(stem):
    """ADCs of enough bits: nothing clips."""
    images, _ = fixture_images(stem)
    mapped = on_crossbars(fixture_network(stem), images[4:], adc_bits="lossless")
    assert assert_golden(mapped, images[:2]) == 0


CLIPPING = {
    "squeezed": {**SMALL, "adc_bits": 2, "squeeze": 2, "policy": "minimal", "scale": "column"},
    "signed": {
        **SMALL,
        "adc_bits": 1,
        "signed_inputs": True,
        "params": CalibrationParams(zero_point=False),
    },
    "signed with zero point": {**SMALL, "adc_bits": 1, "signed_inputs": True, "squeeze": 3},
    "grouped rows": {
        **SMALL,
        "adc_bits": 2,
        "rows_active": 6,
        "zero_skip": True,
        "grouping": "balanced",
        "squeeze": 2,
        "policy": "minimal",
    },
    "rows split": {**SMALL, "adc_bits": 1, "policy": "split", "squeeze": 6, "scale": "column"},
    "two bits a cell": {**SMALL, "adc_bits": (3, 2, 1), "cell_bits": 2, "squeeze": 2, "adc_lsb": 1},
    "every second layer": {
        "preset": "small",
        "adc_bits": "lossless",
        "second": {"adc_bits": 1, "squeeze": 2, "rows_active": 9, "zero_skip": True},
    },
}


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_qdq", "plain_dynamo"])
@pytest.mark.parametrize("options", CLIPPING.values(), ids=CLIPPING)
def test_clipping_networks(stem, options):
    """Results, clips, conversions and vectors of every layer are those of the golden model."""
    images, _ = fixture_images(stem)
    mapped = on_crossbars(fixture_network(stem), images[4:], **options)
    assert assert_golden(mapped, images[:2]) > 0


@pytest.mark.parametrize("seed", range(16))
def test_random_parameters(seed):
    """Whatever the options are."""
    rng = seeded(seed)
    stem = NETWORKS[seed % len(NETWORKS)]
    fixed = {} if stem.endswith("qdq") else {"codec": str(rng.choice(["sme", "int8", "apot"]))}
    options = random_hardware(rng, random_mapping(rng, weight_bits=8, **fixed))
    if stem.endswith("qdq") or options.input_bits == 1:  # what the model needs; or shows nothing
        options = replace(options, input_bits=8)
    options = replace(options, adc_lsb=min(options.adc_lsb, 1))  # coarser ones show nothing
    more = {
        "grouping": str(rng.choice(["none", "shift", "balanced", "magnitude"])),
        "zero_skip": bool(rng.integers(2)),
        "params": CalibrationParams(method=str(rng.choice(list(RANGES)))),
    }
    print(options, more)
    images, _ = fixture_images(stem)
    assert_golden(
        on_crossbars(fixture_network(stem), images[4:], **options.as_dict(), **more), images[:2]
    )


@pytest.mark.parametrize("signed_inputs", [False, True])
@pytest.mark.parametrize("stem", ["residual_qdq", "separable_qdq"])
def test_quantised_models_give_what_onnx_runtime_gives(stem, signed_inputs):
    """Without squeeze-out, crossbars compute a quantised model's own integers.

    ONNX Runtime scales sums in float32, so one that lies between two steps of the output may fall
    to the other side there; on these images none does, but that may depend on the processor.
    """
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    mapped = on_crossbars(
        network, images[:1], adc_bits="lossless", squeeze=0, signed_inputs=signed_inputs
    )
    (last,) = (n for n in network.model.graph.node if network.output_name in n.output)
    (step,) = (t for t in network.model.graph.initializer if t.name == last.input[1])
    gaps = mapped.runner()(images) - FloatNetwork(network).run(images)[0]
    assert np.abs(gaps).max() <= 1.001 * onnx.numpy_helper.to_array(step)
    assert np.mean(gaps != 0) < 0.03


def test_comparison_is_that_of_the_outputs():
    """Top-1, agreement and divergence belong to crossbars, float network and labels."""
    images, labels = fixture_images("residual_legacy")
    network = fixture_network("residual_legacy")
    mapped = on_crossbars(network, images, "small", adc_bits=1)
    told = []
    batches = [(images[i : i + 5], labels[i : i + 5]) for i in range(0, 16, 5)]
    report = evaluate(mapped, batches, told.append).as_dict()["accuracy"]
    ours = network_outputs(mapped, images)[0].argmax(axis=1)
    assert report["images"] == 16
    assert report["top1"] == round(100 * np.mean(ours == labels), 2)
    assert report["top1_float"] == 100  # the labels are the float network's classes
    assert report["agreement"] == report["top1"] < 100
    assert report["drop"] == round(100 - report["top1"], 2)
    assert told == [5, 5, 5, 1]
