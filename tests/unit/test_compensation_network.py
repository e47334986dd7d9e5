"""Networks fitted to images: on crossbars they are what the golden model says, and better."""

import numpy as np
import pytest

from sim.compensation.allocation import conventional_crossbars
from sim.network.calibration import CalibrationParams
from sim.network.forward import FloatNetwork
from sim.network.real_layer import RealLayer
from tests.compensation_cases import fitted
from tests.network_cases import fixture_images, fixture_network, on_crossbars
from tests.network_reference import network_outputs

COMPENSATED = {"rounding": "compensated", "bias_correction": True}
CASES = {
    "split, shared out": ({**COMPENSATED, "ratio": 3}, {"policy": "split", "squeeze": 7}),
    "split, two planes": (
        {**COMPENSATED, "ratio": 2, "additions": True},
        {"policy": "split", "squeeze": 6},
    ),
    "rounded, shared out": (
        {**COMPENSATED, "ratio": 3},
        {"policy": "rounded", "squeeze": 5, "window": 8},
    ),
    "paper's rows, one scale": (
        {"rounding": "compensated", "ratio": 2.5},
        {"policy": "paper", "squeeze": 4, "scale": "layer-pow2"},
    ),
    "two bits a cell": (
        {**COMPENSATED, "ratio": 1.5, "passes": 1},
        {"policy": "minimal", "squeeze": 2, "cell_bits": 2, "window": 5},
    ),
    "plain": ({**COMPENSATED, "additions": True}, {"policy": "plain", "squeeze": 4}),
    "no passes": ({"rounding": "compensated", "passes": 0}, {"policy": "minimal", "squeeze": 3}),
    "biases alone": ({"bias_correction": True}, {"policy": "paper", "squeeze": 2}),
    "biases alone, split": ({"bias_correction": True}, {"policy": "split", "squeeze": 6}),
}


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_legacy", "plain_dynamo"])
@pytest.mark.parametrize(("fit", "options"), CASES.values(), ids=CASES)
def test_as_the_golden_model_says(stem, fit, options):
    """Bit for bit, and no more crossbars than were to be shared out."""
    images, _ = fixture_images(stem)
    network = fixture_network(stem)
    told = []
    mapped = fitted(
        network, images[4:], fit=fit, progress=lambda *what: told.append(what), **options
    )
    outputs = mapped.runner()(images[:2])
    expected, done = network_outputs(mapped, images[:2])
    assert outputs.tolist() == expected.tolist()
    assert len(np.unique(expected)) > 1, "constants show nothing"
    assert not sum(reference.clips.sum() for reference in done)
    names = [layer.name for layer in network.layers]
    assert [name for what, name in told if what == "mapping"] == names
    counts = [layer.mapping.counts for layer in mapped.layers]
    conventional = sum(own.conventional for own in counts)
    parameters = mapped.layers[0].mapping.parameters
    shapes = [RealLayer(layer).weights.shape for layer in network.layers]
    assert conventional == sum(conventional_crossbars(s, parameters) for s in shapes)
    if "ratio" in fit:
        assert 0 < sum(own.squeezed for own in counts) <= conventional / fit["ratio"]
        assert sorted(name for what, name in told if what == "weighing") == sorted(2 * names)


def test_scales_that_are_not_free_stay():
    """One power of two for a layer; others are real numbers, and fitted."""
    images, _ = fixture_images("plain_dynamo")
    network = fixture_network("plain_dynamo")
    fit = {"rounding": "compensated"}
    options = {"policy": "minimal", "squeeze": 3}
    for scale in ("layer-pow2", "column-pow2", "column"):
        for layer in fitted(network, images, fit=fit, scale=scale, **options).layers:
            mantissas = np.frexp(layer.mapping.code_steps)[0]
            assert (mantissas == 0.5).all() == (scale != "column")
            if scale == "layer-pow2":
                assert len(set(layer.mapping.code_steps.tolist())) == 1


def error(mapped, images):
    """Return the squared error of a mapped network's output."""
    wanted = FloatNetwork(mapped.network).run(images)[0]
    return float(np.mean((mapped.runner()(images) - wanted) ** 2))


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_legacy", "plain_dynamo"])
@pytest.mark.parametrize(
    "options",
    [{"policy": "plain", "squeeze": 5}, {"policy": "rounded", "squeeze": 5, "window": 8}],
    ids=["plain", "rounded"],
)
def test_less_is_lost_than_by_nearest_codes(stem, options):
    """With as many planes, on the images that it was fitted to; biases alone help, too."""
    images, _ = fixture_images(stem)
    network = fixture_network(stem)
    nearest = on_crossbars(
        network, images, rows=16, cols=8, adc_bits="lossless", scale="column", **options
    )
    ours = fitted(network, images, fit=COMPENSATED, **options)
    assert error(ours, images) < 0.5 * error(nearest, images)


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_legacy", "plain_dynamo"])
@pytest.mark.parametrize("rounding", ["nearest", "compensated"])
@pytest.mark.parametrize("method", ["mse", "channels"])
def test_mean_errors_vanish(stem, rounding, method):
    """Of the last layer's outputs, which is the network's; without correction they do not."""
    images, _ = fixture_images(stem)
    network = fixture_network(stem)
    wanted = FloatNetwork(network).run(images)[0].mean(axis=0)
    errors = []
    for correction in (True, False):
        fit = {"rounding": rounding, "bias_correction": correction, "passes": 1}
        if fit == {"rounding": "nearest", "bias_correction": False, "passes": 1}:
            mapped = on_crossbars(
                network,
                images,
                params=CalibrationParams(method=method),
                policy="paper",
                squeeze=3,
                adc_bits="lossless",
            )
        else:
            mapped = fitted(
                network,
                images,
                fit=fit,
                calibration=CalibrationParams(method=method),
                policy="paper",
                squeeze=3,
            )
        errors.append(np.abs(mapped.runner()(images).mean(axis=0) - wanted).max())
    assert errors[0] < 1e-4 * np.abs(wanted).max()
    assert errors[1] > 10 * errors[0]


def test_a_larger_ratio_loses_more():
    """And takes fewer crossbars."""
    images, _ = fixture_images("plain_dynamo")
    network = fixture_network("plain_dynamo")
    found = []
    for ratio in (1.5, 3, 6):
        fit = COMPENSATED | {"ratio": ratio}
        mapped = fitted(network, images, fit=fit, policy="split", squeeze=7)
        crossbars = sum(layer.mapping.counts.squeezed for layer in mapped.layers)
        found.append((crossbars, error(mapped, images)))
    assert found[0][0] > found[1][0] > found[2][0]
    assert found[0][1] < found[1][1] < found[2][1]
