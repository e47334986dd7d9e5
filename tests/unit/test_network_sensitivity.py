"""Where accuracy is lost: shares, steps, and a layer made bad on purpose."""

import numpy as np
import pytest

from sim.network.evaluation import evaluate
from sim.network.forward import FloatNetwork, forward
from sim.network.mapped_network import map_network
from sim.network.metrics import Comparison
from sim.network.sensitivity import STEPS, measure_sensitivity
from tests.network_cases import fixture_images, fixture_network, on_crossbars


def measured(stem, *, labelled=True, progress=None, **options):
    """Return the mapped network, its losses, and batches of images."""
    images, labels = fixture_images(stem)
    network = fixture_network(stem)
    mapped = on_crossbars(network, images, **options)
    parameters = [layer.mapping.parameters.without_squeeze() for layer in mapped.layers]
    unsqueezed = map_network(network, parameters, [layer.quantisation for layer in mapped.layers])
    batches = [(images[i : i + 6], labels[i : i + 6] if labelled else None) for i in (0, 6, 12)]
    told = () if progress is None else (progress,)
    return mapped, measure_sensitivity(mapped, unsqueezed, batches, *told), batches


CASES = [
    ("residual_legacy", {"adc_bits": 3, "squeeze": 2}),
    ("plain_dynamo", {"second": {"adc_bits": 1, "rows_active": 5}}),
    ("separable_qdq", {"squeeze": 3, "policy": "rounded", "signed_inputs": True}),
    ("separable_legacy", {"scale": "column", "policy": "minimal", "adc_lsb": 1}),
    ("separable_legacy", {"policy": "split", "squeeze": 7, "adc_bits": 2}),
]


@pytest.mark.parametrize(("stem", "options"), CASES, ids=str)
def test_shares_and_steps(stem, options):
    """Shares add up to 1; the last step is the hardware itself."""
    told = []
    mapped, losses, batches = measured(
        stem, progress=lambda *what: told.append(what), preset="small", **options
    )
    names = [layer.layer.name for layer in mapped.layers]
    report = losses.as_dict()
    assert report["images"] == 16
    assert list(report["steps"]) == list(STEPS)
    assert [layer["name"] for layer in report["layers"]] == names
    for layer in report["layers"]:
        assert list(layer["shares"]) == list(STEPS)
        assert all(0 <= share <= 1 for share in layer["shares"].values())
        assert sum(layer["shares"].values()) == pytest.approx(1, abs=3e-4)
    assert report["steps"]["ADCs"] == evaluate(mapped, batches).comparison.as_dict()
    expected = [(what, len(images)) for what in (*STEPS, *names) for images, _ in batches]
    assert sorted(told) == sorted(expected)


def test_nothing_is_lost_by_exact_hardware():
    """Codes of 8 bits, inputs of 16 and lossless ADCs: only rounding is left, if anything."""
    options = {"codec": "int8", "scale": "column", "squeeze": 0, "adc_bits": "lossless"}
    _, losses, _ = measured("residual_legacy", input_bits=16, **options)
    for layer in losses.layers:
        assert layer.sqnr_db > 40
        assert layer.kl < 1e-5
        assert layer.agreement == 100
        assert layer.shares["squeezed out"] == layer.shares["ADCs"] == 0
        assert layer.shares["weights quantised"] > 0.99
    steps = list(losses.steps.values())
    assert steps[0] == steps[1]
    assert all(step["kl"] < 1e-4 and step["drop"] == 0 for step in steps)


@pytest.mark.parametrize("degree", [3, 7])
def test_split_rows_lose_nothing(degree):
    """Squeeze-out changes no weight, in layers of any number of groups; only codes and ADCs do."""
    _, losses, _ = measured("separable_legacy", preset="small", policy="split", squeeze=degree)
    for layer in losses.layers:
        assert layer.shares["squeezed out"] == 0
        assert layer.shares["weights quantised"] > 0
    steps = losses.steps
    assert steps["squeezed out"] == steps["weights quantised"]


@pytest.mark.parametrize("stem", ["residual_qdq", "separable_qdq"])
def test_quantised_models_lose_nothing_but_by_squeeze_and_adcs(stem):
    """Weights and inputs are integers already, padding is 0 with any zero point."""
    _, losses, _ = measured(stem, preset="small", adc_bits="lossless", squeeze=0)
    for layer in losses.layers:
        assert layer.kl < 1e-6
        assert layer.sqnr_db is None or layer.sqnr_db > 100  # rounding of float32
    _, losses, _ = measured(stem, preset="small", adc_bits="lossless", squeeze=2)
    for layer in losses.layers:
        assert layer.shares["squeezed out"] > 0.999 or layer.sqnr_db is None


@pytest.mark.parametrize("number", [1, 4])
def test_bad_layer_is_the_worst(number):
    """One layer whose ADCs have a single bit is found, and so is the step."""
    images, labels = fixture_images("residual_legacy")
    network = fixture_network("residual_legacy")
    good = {"preset": "small", "codec": "int8", "squeeze": 0, "adc_bits": "lossless"}
    mapped = on_crossbars(network, images, **good)
    broken = on_crossbars(network, images, **good | {"adc_bits": 1})
    layers = list(mapped.layers)
    layers[number] = broken.layers[number]
    mixed = type(mapped)(network, tuple(layers))
    unsqueezed = [layer.mapping for layer in mapped.layers]
    losses = measure_sensitivity(mixed, unsqueezed, [(images, labels)])
    kl = [layer.kl for layer in losses.layers]
    assert kl.index(max(kl)) == number
    assert max(kl) > 20 * sorted(kl)[-2]
    worst = losses.layers[number]
    assert worst.shares["ADCs"] > 0.9
    assert worst.sqnr_db == min(layer.sqnr_db for layer in losses.layers) < 10
    steps = [step["kl"] for step in losses.steps.values()]
    assert steps[3] > 20 * max(steps[:3])


def test_losses_of_a_layer_by_themselves():
    """Only that layer on crossbars, all others as they are; signal and noise by hand."""
    mapped, losses, batches = measured("plain_dynamo", preset="small", adc_bits=3, labelled=False)
    network, number = mapped.network, 1
    layer = mapped.layers[number]
    weights = {t.name: t for t in network.model.graph.initializer}
    assert layer.layer.name in weights

    floats = {}
    tensors = [n for other in network.layers for n in (other.input, other.output)]
    images = np.concatenate([images for images, _ in batches])
    values = FloatNetwork(network, tensors).run(images)
    floats = dict(zip(tensors, values, strict=True))

    def compute(index, values):
        return layer(values) if index == number else floats_of(index, values)

    def floats_of(index, values):
        other = network.layers[index]
        if index < number:
            return floats[other.output]
        exact = other.weights.reshape(len(other.weights), -1).T.astype(np.float64)
        return (values @ exact + other.bias).astype(np.float32)

    comparison = Comparison()
    reference = FloatNetwork(network).run(images)[0]
    comparison.add(forward(network, compute)(images), reference, None)
    report, found = comparison.as_dict(), losses.layers[number]
    assert found.kl == pytest.approx(report["kl"], abs=2e-6)
    assert found.agreement == report["agreement"]
    exact = floats[layer.layer.output].astype(np.float64)
    noise = layer(floats[layer.layer.input]) - exact
    ratio = 10 * np.log10(np.square(exact).sum() / np.square(noise).sum())
    assert found.sqnr_db == pytest.approx(ratio, abs=0.006)
    assert losses.steps["ADCs"]["top1"] is None
