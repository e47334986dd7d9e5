"""Scales of input channels: their factors go into the weights, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
from onnx import helper

from sim.mapping import Quantisation, load_parameters
from sim.network.calibration import CalibrationParams, calibrate, calibrate_network, collect
from sim.network.crossbar_layer import CrossbarLayer
from sim.network.forward import FloatNetwork
from sim.network.mapped_network import map_network
from sim.network.network import read_network
from sim.network.ranges import RANGES, Statistics, choose_quantisation
from sim.network.sensitivity import measure_sensitivity
from sme_hw.errors import InputError
from tests.network_cases import fixture_images, fixture_network, on_crossbars
from tests.onnx_models import save
from tests.random_cases import seeded

CHANNELS = CalibrationParams(method="channels")
EXACT = {"input_bits": 16, "codec": "int8", "scale": "column", "squeeze": 0}


def statistics(values, axis=-1):
    """Return the statistics of a tensor."""
    seen = Statistics(axis)
    for measure in (seen.widen, seen.count):
        measure(values)
    return seen


def of_channels(values, *, axis=-1, bits=8, signed=False, zero_point=True):
    """Return the quantisation of a tensor with a scale for each channel."""
    hardware = load_parameters("tiny", input_bits=bits, signed_inputs=signed).hardware
    return RANGES["channels"](
        statistics(values, axis),
        lambda low, high: choose_quantisation(low, high, hardware, zero_point=zero_point),
    )


@pytest.mark.parametrize("bits", [1, 4, 8, 16])
@pytest.mark.parametrize(
    ("signed", "zero_point"), [(False, True), (True, True), (True, False), (False, False)]
)
@pytest.mark.parametrize("seed", range(4))
def test_all_that_was_seen_is_covered(bits, signed, zero_point, seed):
    """In every channel, with a step of its own that is never larger than the tensor's."""
    rng = seeded(seed)
    values = rng.normal(size=(2, 9, 300)) * 10.0 ** rng.uniform(-3, 2, (9, 1))
    if not signed and not zero_point:
        values = np.abs(values)
    if bits == 1 and signed and not zero_point:  # the integers are -1 and 0
        values = -np.abs(values)
    values = values.astype(np.float32)
    found = of_channels(values, axis=1, bits=bits, signed=signed, zero_point=zero_point)
    assert found.factors.shape == (9,)
    assert found.factors.max() == 1
    assert found.factors.min() < 0.1
    reals = found.to_reals(found.to_integers(values, 1), 1)
    gaps = np.abs(reals - values).max(axis=(0, 2))
    if zero_point:  # rounding it moves the ends of large channels
        assert (gaps <= 0.51 * found.scale).all()
        small = np.abs(values).max(axis=(0, 2)) < 0.3 * np.abs(values).max()
        assert bits == 1 or (gaps <= 0.51 * found.scale * found.factors)[small].all()
    else:
        assert (gaps <= 0.51 * found.scale * found.factors).all()


def test_scales_are_between_channel_and_tensor():
    """By hand: what each channel needs, to the power .7, of what the tensor needs."""
    values = np.array([[0, 25.5, 0.255, 2.55, 1e-9]], np.float32)
    found = of_channels(values)
    assert (found.scale, found.zero_point) == (pytest.approx(0.1), 0)
    # What was always 0 is as the tensor; what is next to nothing is not scaled without end.
    expected = [1, 1, 0.01**0.7, 0.1**0.7, 2.0**-7]
    np.testing.assert_allclose(found.factors, expected, rtol=1e-6)
    # From -1 to 3 the zero point is 64: upwards 191 integers are left, downwards 64.
    sides = np.array([[-1, 3, -0.25], [3, 0, 0.25]], np.float32)
    needs = np.array([3 / 191, 3 / 191, 0.25 / 64])
    np.testing.assert_allclose(of_channels(sides).factors, (needs / needs[0]) ** 0.7, rtol=1e-6)
    assert of_channels(sides).zero_point == 64


@pytest.mark.parametrize("values", [[0.0, 0, 0], [1e-44, 0, -1e-44]])
def test_channels_of_nothing_but_zeros(values):
    """Scales stay finite and positive, so that other images may hold something."""
    found = of_channels(np.array([values], np.float32))
    assert (found.scale, found.factors.tolist()) == (1, [1])
    tiny = np.array([[4e-36, 1e-44, 0]], np.float32)
    found = of_channels(tiny)
    scales = (found.scale * found.factors).astype(np.float32)
    assert (scales >= np.finfo(np.float32).tiny).all()
    assert found.to_integers(tiny)[0, 0] == 255


@pytest.mark.parametrize("shape", [(6, 2, 3, 2), (6, 1, 1, 1), (8, 3, 1, 3), (5, 7)])
@pytest.mark.parametrize("groups", [1, 2])
def test_factors_go_into_the_weights_of_their_channel(shape, groups):
    """Weight by weight; halves keep their precision, and a single factor of 1 changes nothing."""
    groups = groups if len(shape) == 4 else 1
    rng = seeded(shape[0])
    weights = rng.normal(size=shape).astype(np.float16)
    factors = rng.uniform(0.01, 1, shape[1] * groups)
    folded = Quantisation(1.0, 0, 0, 255, factors).fold(weights, groups)
    assert folded.dtype == np.float32
    for place in np.ndindex(shape):
        channel = place[0] // (shape[0] // groups) * shape[1] + place[1]
        assert folded[place] == np.float32(float(weights[place]) * factors[channel])
    assert Quantisation(1.0, 0, 0, 255).fold(weights, groups) is weights
    assert Quantisation(1.0, 0, 0, 255).fold(weights.astype(float), groups).dtype == float


STEMS = ["residual_legacy", "separable_dynamo", "plain_dynamo"]


@pytest.mark.parametrize("stem", STEMS)
def test_nothing_is_lost_by_exact_hardware(stem):
    """Convolutions, depthwise ones and products, with many bits: the float network's outputs."""
    images, _ = fixture_images(stem)
    network = fixture_network(stem)
    mapped = on_crossbars(network, images, adc_bits="lossless", params=CHANNELS, **EXACT)
    factors = [layer.quantisation.factors for layer in mapped.layers]
    channels = [layer.weights.shape[1] * layer.groups for layer in network.layers]
    assert [len(own) for own in factors[1:]] == channels[1:]
    assert min(own.min() for own in factors) < 0.5
    expected = FloatNetwork(network).run(images)[0]
    assert np.abs(mapped.runner()(images) - expected).max() < 0.02 * np.abs(expected).max()


def test_losses_are_told_apart():
    """Steps of real inputs take the weights without factors: little is lost in each of them."""
    images, labels = fixture_images("separable_dynamo")
    network = fixture_network("separable_dynamo")
    mapped = on_crossbars(network, images, adc_bits="lossless", params=CHANNELS, **EXACT)
    kept = [layer.mapping for layer in mapped.layers]
    losses = measure_sensitivity(mapped, kept, [(images, labels)])
    assert all(step["kl"] < 1e-3 for step in losses.steps.values())
    for layer in losses.layers:
        assert layer.sqnr_db > 35
        assert layer.shares["weights quantised"] > 0.95


@pytest.mark.parametrize("left", [False, True])
def test_matrix_products(tmp_path, left):
    """Channels are on the axis that the product sums over, on either side of the weights."""
    rng = seeded(int(left))
    spread = 10.0 ** -np.arange(5.0)
    weights = (rng.normal(size=(3, 5)) / spread).astype(np.float32)
    images = rng.normal(size=(4, 6, 5)) * spread
    stored, names, shape = weights.T, ["x", "w"], ["N", 6, 5]
    if left:
        stored, names, shape = weights, ["w", "x"], ["N", 5, 6]
        images = images.swapaxes(1, 2)
    images = np.ascontiguousarray(images, np.float32)
    path = save(
        tmp_path / "m.onnx", [helper.make_node("MatMul", names, ["y"])], {"x": shape}, {"w": stored}
    )
    network = read_network(path)
    exact = FloatNetwork(network).run(images)[0]
    errors = {}
    for method in RANGES:
        mapped = on_crossbars(
            network,
            images,
            params=CalibrationParams(method=method),
            **EXACT | {"adc_bits": "lossless", "input_bits": 8},
        )
        errors[method] = float(np.square(mapped.runner()(images) - exact).mean())
    (layer,) = mapped.layers
    assert layer.quantisation.factors.tolist() == sorted(layer.quantisation.factors, reverse=True)
    # Small channels have large weights here: with one scale they are lost.
    assert errors["channels"] < 0.1 * min(errors["mse"], errors["full"])


def test_integers_keep_one_scale():
    """Factors cannot go into codes: layers of quantised models keep what the model has."""
    images, _ = fixture_images("residual_qdq")
    network = fixture_network("residual_qdq")
    hardware = [load_parameters("tiny").hardware] * len(network.layers)
    seen = collect(network, [(images, None)])
    found = calibrate(network, seen, hardware, CHANNELS)
    expected = calibrate(network, seen, hardware, CalibrationParams())
    assert [q.as_dict() for q in found] == [q.as_dict() for q in expected]
    assert all(len(q.factors) == 1 for q in found)
    # Codes whose inputs have no quantisation of their own.
    layer = replace(network.layers[2], quantisation=None)
    assert layer.weights.dtype.kind == "i"
    (alone,) = calibrate(replace(network, layers=(layer,)), seen[2:3], hardware[:1], CHANNELS)
    assert alone.factors.tolist() == [1]
    assert alone.scale == pytest.approx((seen[2].high - seen[2].low) / 255)


def test_no_images():
    """There is nothing to calibrate on."""
    network = fixture_network("plain_dynamo")
    hardware = [load_parameters("tiny").hardware] * len(network.layers)
    with pytest.raises(InputError, match=r"plain_dynamo\.onnx: there are no images to calibrate"):
        calibrate_network(network, [], hardware, CHANNELS)


def test_mapping_without_calibration_cannot_run():
    """Its layer is named; so is one whose mapping has another shape."""
    network = fixture_network("plain_dynamo")
    layer = network.layers[0]
    parameters = load_parameters("tiny")
    (mapping, *_) = map_network(network, [parameters] * len(network.layers))
    with pytest.raises(InputError, match=r"^first\.weight: its mapping was not calibrated"):
        CrossbarLayer(layer, mapping)
    match = r"^hidden\.weight: its mapping has weights \("
    with pytest.raises(InputError, match=match):
        CrossbarLayer(network.layers[2], mapping)


def test_unknown_range():
    """The choices are named."""
    with pytest.raises(InputError, match="mse, full, channels"):
        CalibrationParams(method="best")
