"""Which integers stand for a layer's inputs: covered ranges, least errors, clear refusals."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from sim.mapping import load_parameters
from sim.network.calibration import CalibrationParams, calibrate, collect
from sim.network.network import read_network
from sim.network.ranges import RANGES, Statistics, choose_quantisation
from sme_hw.errors import InputError
from tests.network_cases import fixture_images, fixture_network, on_crossbars
from tests.random_cases import seeded


def hardware(bits=8, *, signed=False):
    """Return hardware with such inputs."""
    return load_parameters("tiny", input_bits=bits, signed_inputs=signed).hardware


def error(quantisation, values):
    """Return the squared error of values as integers."""
    integers = quantisation.to_integers(values.astype(np.float32))
    return float(np.square(quantisation.to_reals(integers) - values).sum())


INPUTS = [(bits, signed) for bits in (1, 2, 3, 8, 16) for signed in (False, True)]


@pytest.mark.parametrize(("bits", "signed"), INPUTS)
@pytest.mark.parametrize("seed", range(8))
def test_range_is_covered(bits, signed, seed):
    """Both ends are within half a step of an integer, and 0 is one, whatever the range is."""
    rng = seeded(seed)
    unit = hardware(bits, signed=signed)
    low, high = (10.0 ** rng.uniform(-30, 30) * rng.uniform(size=2)).tolist()
    low, high = [(0.0, high), (-low, 0.0), (-low, high), (-low, high / 500)][seed % 4]
    found = choose_quantisation(low, high, unit, zero_point=True)
    assert (found.low, found.high) == unit.input_range
    assert found.low <= found.zero_point <= found.high
    ends = np.array([low, 0, high])
    gaps = np.abs(found.to_reals(found.to_integers(ends)) - ends)
    assert gaps[1] == 0
    assert max(gaps) <= 0.501 * found.scale
    assert found.scale == pytest.approx((high - low) / (2**bits - 1))


@pytest.mark.parametrize(("bits", "signed"), INPUTS)
def test_range_without_zero_point(bits, signed):
    """0 is the integer 0; what it has no integers for is refused."""
    unit = hardware(bits, signed=signed)
    for low, high in [(0.0, 3.0), (-2.0, 0.0), (-2.0, 3.0), (-5.0, 1.0)]:
        least, largest = unit.input_range
        if (low < 0 and least == 0) or (high > 0 and largest == 0):
            side = "up to" if low == 0 or signed else "down to"
            with pytest.raises(InputError, match=f"reach {side} .* need a zero point"):
                choose_quantisation(low, high, unit, zero_point=False)
            continue
        found = choose_quantisation(low, high, unit, zero_point=False)
        assert found.zero_point == 0
        ends = np.array([low, high])
        gaps = np.abs(found.to_reals(found.to_integers(ends)) - ends)
        assert max(gaps) <= 0.501 * found.scale
        assert found.scale == pytest.approx(max(low / (least or -1), high / (largest or 1)))


@pytest.mark.parametrize("method", RANGES)
@pytest.mark.parametrize("values", [[0.0, 0], [1e-44, 0], [-1e-40, 1e-42]])
@pytest.mark.parametrize("zero_point", [False, True])
def test_nothing_but_zeros(method, values, zero_point):
    """What float32 cannot divide by is no scale: such inputs count as 0."""
    seen = Statistics()
    for measure in (seen.widen, seen.count):
        measure(np.array(values, np.float32)[:, np.newaxis])
    found = RANGES[method](
        seen, lambda a, b: choose_quantisation(a, b, hardware(), zero_point=zero_point)
    )
    assert (found.scale, found.zero_point, found.low, found.high) == (1, 0, 0, 255)


SHAPES = {
    "normal": lambda rng: rng.normal(size=20000),
    "rectified": lambda rng: np.maximum(rng.normal(size=20000), 0),
    "heavy tails": lambda rng: rng.standard_t(2, size=20000),
    "negative": lambda rng: -np.abs(rng.standard_t(3, size=20000)),
    "uniform": lambda rng: rng.uniform(-0.2, 1, size=20000),
}


@pytest.mark.parametrize("bits", [2, 4, 8, 12])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("signed", "zero_point"), [(False, True), (True, True), (True, False)])
def test_least_error_is_least(bits, shape, signed, zero_point):
    """It is not worse than all that was seen, nor than other cuts of it, on what was seen."""
    values = SHAPES[shape](np.random.default_rng(bits)).astype(np.float32)
    seen = Statistics()
    for measure in (seen.widen, seen.count):
        for part in np.split(values, 4):
            measure(part[:, np.newaxis])
    assert seen.counts.sum() == np.count_nonzero(values)
    assert (seen.low, seen.high) == (min(values.min(), 0), max(values.max(), 0))

    def quantise(low, high):
        return choose_quantisation(low, high, hardware(bits, signed=signed), zero_point=zero_point)

    full = RANGES["full"](seen, quantise)
    assert full.as_dict() == quantise(seen.low, seen.high).as_dict()
    chosen = error(RANGES["mse"](seen, quantise), values)
    cuts = [
        error(quantise(seen.low * cut, seen.high * cut), values) for cut in np.linspace(0.2, 1, 9)
    ]
    assert chosen <= 1.01 * min(cuts)
    if shape == "normal" and bits <= 4:
        assert chosen < 0.6 * cuts[-1]


def test_statistics_are_those_of_the_float_network():
    """Ranges of layers' inputs, each image seen once in every pass, whatever the batches are."""
    network = fixture_network("plain_dynamo")
    images, _ = fixture_images("plain_dynamo")
    told = []
    batches = [(images[:7], None), (images[7:], None)]
    several = collect(network, batches, told.append)
    once = collect(network, [(images, None)], told.append)
    assert told == [7, 9, 7, 9, 16, 16]
    assert (several[0].low, several[0].high) == (0, images.max())
    for first, second in zip(several, once, strict=True):
        assert first.low == second.low
        assert first.high == pytest.approx(second.high, rel=1e-6)
        assert first.counts.sum() == pytest.approx(second.counts.sum(), abs=2)
    assert several[0].counts.sum() == np.count_nonzero(images)


def calibrated(stem, given, **options):
    """Return the quantisations of a fixture whose first layer has one of its own."""
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    units = [load_parameters("tiny", **options).hardware] * len(network.layers)
    seen = collect(network, [(images, None)])
    return calibrate(network, seen, units, CalibrationParams(zero_point=given))


MOVED = [
    # model, inputs of the hardware, first layer's zero point and range
    ("residual_qdq", {}, (0, 0, 255)),
    ("residual_qdq", {"signed_inputs": True}, (-128, -128, 127)),
    ("residual_qdq", {"signed_inputs": True, "input_bits": 9}, (0, 0, 255)),
    ("separable_qdq", {}, (0, 0, 255)),
    ("separable_qdq", {"input_bits": 12}, (0, 0, 255)),
    ("separable_qdq", {"signed_inputs": True}, (-128, -128, 127)),
    ("separable_qdq", {"signed_inputs": True, "input_bits": 10}, (-128, -128, 127)),
]


@pytest.mark.parametrize(("stem", "options", "expected"), MOVED)
def test_integers_of_a_quantised_model_move_only_if_they_must(stem, options, expected):
    """Scales stay; all layers move alike, so that the same real numbers are told apart."""
    found = calibrated(stem, True, **options)
    assert (found[0].zero_point, found[0].low, found[0].high) == expected
    for layer, moved in zip(fixture_network(stem).layers, found, strict=True):
        own = layer.quantisation
        assert moved.scale == own.scale
        shift = moved.low - own.low
        assert (moved.zero_point - own.zero_point, moved.high - own.high) == (shift, shift)


def test_too_few_input_bits_for_a_quantised_model():
    """The layer, its bits and the option are named."""
    match = r"^stem\.0\.0\.weight: the model's inputs have 8 bits, input_bits = 7$"
    with pytest.raises(InputError, match=match):
        calibrated("residual_qdq", True, input_bits=7)


def test_missing_zero_point_names_the_layer():
    """Not the first layer, but that whose inputs reach below 0."""
    with pytest.raises(
        InputError, match=r"^blocks\.1\.expand\.0\.0\.weight: inputs reach down to -"
    ):
        calibrated("separable_dynamo", False)
    assert [q.zero_point for q in calibrated("separable_dynamo", False, signed_inputs=True)] == [
        0
    ] * 9


@pytest.fixture
def logarithm(tmp_path):
    """Return a network that takes the logarithm of its input between two products."""
    weights = np.eye(3, dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "first.weight"], ["a"]),
            helper.make_node("Log", ["a"], ["b"]),
            helper.make_node("MatMul", ["b", "second.weight"], ["y"]),
        ],
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(weights, f"{name}.weight") for name in ("first", "second")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = tmp_path / "logarithm.onnx"
    path.write_bytes(model.SerializeToString())
    return read_network(path)


# The reference implementation of Log warns; ONNX Runtime does not.
@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero).* in log:RuntimeWarning")
@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_inputs_that_are_no_numbers_name_the_layer(logarithm, bad):
    """Infinite or no numbers at all: in calibration and, with other images, afterwards."""
    good = np.full((2, 3), 2, np.float32)
    wrong = good.copy()
    wrong[1, 2] = bad
    match = r"^second\.weight: its inputs hold values that are no numbers$"
    with pytest.raises(InputError, match=match):
        collect(logarithm, [(wrong, None)])
    run = on_crossbars(logarithm, good, "tiny").runner()
    assert np.isfinite(run(good)).all()
    with pytest.raises(InputError, match=match):
        run(wrong)
