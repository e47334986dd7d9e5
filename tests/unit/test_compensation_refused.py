"""What cannot be fitted is refused by name; what looks as if it could not be is fitted."""

import numpy as np
import pytest

from sim.compensation.fit import fit_network
from sim.compensation.params import FitParams
from sme_hw.errors import InputError, ParameterError
from tests.compensation_cases import fitted
from tests.network_cases import fixture_images, fixture_network
from tests.network_reference import network_outputs

BOTH = [{"rounding": "compensated"}, {"bias_correction": True}]
SHARED = {"rounding": "compensated", "ratio": 3}
PLAIN = fixture_network("plain_dynamo")


@pytest.mark.parametrize("fit", [*BOTH, SHARED])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_too_few_images(fit, count):
    """They are counted over all batches."""
    images, _ = fixture_images("plain_dynamo")
    with pytest.raises(InputError, match=f"to {count} calibration images, at least 4 are needed"):
        fitted(PLAIN, images[:count], fit=fit)


@pytest.mark.parametrize("fit", [*BOTH, SHARED])
def test_too_few_vectors(fit):
    """A dense layer sees one for each image: the first such layer is named."""
    images, _ = fixture_images("plain_dynamo")
    with pytest.raises(InputError, match=r"^hidden\.weight: 5 input vectors .* 8 are needed"):
        fitted(PLAIN, images[:5], fit=fit)


@pytest.mark.parametrize("fit", [*BOTH, SHARED])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_activations_that_are_no_numbers(fit, value):
    """The layer is named, in whatever image they are."""
    images, _ = fixture_images("plain_dynamo")
    bad = images.copy()
    bad[-1, 0, 3, 3] = value
    layers = fitted(PLAIN, images, fit={"bias_correction": True}).layers
    parameters = [layer.mapping.parameters for layer in layers]
    quantisations = [layer.quantisation for layer in layers]
    with pytest.raises(InputError, match=r"^first\.weight: its inputs .* no numbers"):
        fit_network(PLAIN, parameters, quantisations, [images, bad], FitParams(**fit))


@pytest.mark.parametrize("stem", ["residual_qdq", "separable_qdq"])
@pytest.mark.parametrize("fit", [*BOTH, SHARED])
def test_quantised_models(stem, fit):
    """Their weights are integers already; the first layer is named."""
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    name = network.layers[0].name
    with pytest.raises(InputError) as caught:
        fitted(network, images, fit=fit, codec="auto")
    assert str(caught.value).startswith(f"{name}: only float weights can be fitted")


def test_codecs():
    """Those with a grid of their own have no compensated rounding, but correct biases."""
    images, _ = fixture_images("plain_dynamo")
    for fit in (BOTH[0], SHARED):
        with pytest.raises(ParameterError, match=r"^codec = 'po2'"):
            fitted(PLAIN, images, fit=fit, codec="po2", scale="layer-pow2")
    fitted(PLAIN, images, fit=BOTH[1], codec="po2", scale="layer-pow2")


def test_too_few_crossbars():
    """A layer cannot be left without any."""
    images, _ = fixture_images("plain_dynamo")
    for policy, squeeze in (("split", 7), ("plain", 4)):
        fit = SHARED | {"ratio": 1e5}
        with pytest.raises(InputError, match=r"^0 crossbars are too few, at least 4 are needed"):
            fitted(PLAIN, images, fit=fit, policy=policy, squeeze=squeeze)


BAD = [
    ({"ratio": 0.5, "rounding": "compensated"}, "ratio = 0.5"),
    ({"ratio": float("nan"), "rounding": "compensated"}, "ratio = nan"),
    ({"ratio": float("inf"), "rounding": "compensated"}, "ratio = inf"),
    ({"ratio": 3}, "ratio = 3"),
    ({"additions": True}, "additions = True"),
    ({"damping": 0}, "damping = 0"),
    ({"damping": 1e-4}, "damping = 0.0001"),
    ({"passes": -1}, "passes = -1"),
    ({"passes": 1.5}, "passes = 1.5"),
    ({"rounding": "up"}, "rounding = 'up'"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_parameters(options, words):
    """Key, value, and what is allowed."""
    with pytest.raises(ParameterError) as caught:
        FitParams(**options)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_legacy", "plain_dynamo"])
@pytest.mark.parametrize("grey", [0.0, 0.3])
def test_constant_images(stem, grey):
    """Moments are singular: weights stay what they are, and the result is as exact as ever."""
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    calibration = np.full_like(images, grey)
    calibration[:4] = images[:4]
    for own in (calibration, np.full_like(images, grey)):
        mapped = fitted(
            network,
            own,
            fit=SHARED | {"bias_correction": True, "additions": True},
            policy="split",
            squeeze=7,
        )
        outputs = mapped.runner()(images[:2])
        assert np.isfinite(outputs).all()
        assert outputs.tolist() == network_outputs(mapped, images[:2])[0].tolist()


@pytest.mark.parametrize("size", [1e-18, 1e12])
def test_images_of_any_size(size):
    """Squares neither vanish nor overflow where float32 still holds them."""
    images, _ = fixture_images("plain_dynamo")
    mapped = fitted(
        PLAIN, images * np.float32(size), fit=SHARED | {"ratio": 2}, policy="split", squeeze=7
    )
    assert np.isfinite(mapped.runner()(images * np.float32(size))).all()


def test_images_that_are_too_large():
    """Squares that float32 does not hold are refused, the layer is named."""
    images, _ = fixture_images("plain_dynamo")
    with pytest.raises(InputError, match=r"^first\.weight: .* beyond 1e\+15"):
        fitted(PLAIN, images * np.float32(1e25), fit=BOTH[0])
