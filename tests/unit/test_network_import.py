"""ONNX files become layers that compute what ONNX defines."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from sim.mapping import Quantisation, load_parameters
from sim.network.forward import FloatNetwork, forward
from sim.network.network import Network, read_network
from sme_cli.main import main
from tests.network_cases import layer_on_crossbars
from tests.onnx_models import norm_model, save

FIXTURES = Path(__file__).parent.parent / "networks"


def float_layers(network: Network):
    """Return a function that computes layers from their imported weights, in float64."""
    parameters = load_parameters("tiny")

    def compute(index, values):
        layer = network.layers[index]
        weights = layer.weights * layer.weight_scales.reshape(-1, *[1] * (layer.weights.ndim - 1))
        groups = weights.reshape(layer.groups, -1, math.prod(weights.shape[1:]))
        crossbars = layer_on_crossbars(layer, parameters, Quantisation(1.0, 0, 0, 255))

        def product(vectors):
            parts = np.split(vectors.astype(np.float64), layer.groups, axis=1)
            pairs = zip(parts, groups, strict=True)
            return np.concatenate([part @ group.T for part, group in pairs], axis=1)

        outputs = crossbars.apply(values, product, 0)
        return (outputs + layer.along_outputs(layer.bias, outputs.ndim)).astype(np.float32)

    return compute


def assert_same(path, images):
    """Assert that a model with its layers replaced computes what ONNX Runtime does."""
    network = read_network(path)
    ours = forward(network, float_layers(network))(images)
    theirs = FloatNetwork(network).run(images)[0]
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    return network


@pytest.mark.parametrize("seed", range(24))
def test_convolutions_of_all_kinds(tmp_path, seed):
    """Groups, strides, dilations, paddings of any sort, one or two axes."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    axes = int(rng.integers(1, 3))
    groups = int(rng.choice([1, 2, 4]))
    per_group, outputs = int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    kernel = rng.integers(1, 4, axes).tolist()
    given = {"kernel_shape": kernel, "group": groups}
    if rng.random() < 0.7:
        given["strides"] = rng.integers(1, 4, axes).tolist()
    mode = str(rng.choice(["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    if mode == "NOTSET":
        given["pads"] = rng.integers(0, 3, 2 * axes).tolist()
        given["dilations"] = rng.integers(1, 3, axes).tolist()
    else:
        given["auto_pad"] = mode
    weights = rng.normal(size=(outputs, per_group, *kernel)).astype(np.float32)
    bias = rng.normal(size=outputs).astype(np.float32)
    size = rng.integers(7, 12, axes).tolist()
    named = {"w": weights, "b": bias} if rng.random() < 0.5 else {"w": weights}
    node = helper.make_node("Conv", ["x", *named], ["y"], **given)
    shape = ["N", groups * per_group, *size]
    path = save(tmp_path / "conv.onnx", [node], {"x": shape}, named)
    images = rng.normal(size=(3, *shape[1:])).astype(np.float32)
    network = assert_same(path, images)
    assert network.layers[0].groups == groups


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm_with_factors(tmp_path, transposed):
    """A Gemm's alpha, beta and transposition are in weights and bias."""
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(6, 4) if transposed else (4, 6)).astype(np.float32)
    bias = rng.normal(size=(1, 6)).astype(np.float32)
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=3.0, transB=transposed)
    path = save(tmp_path / "m.onnx", [node], {"x": ["N", 4]}, {"w": weights, "b": bias})
    assert_same(path, rng.normal(size=(5, 4)).astype(np.float32))


def test_matmul_with_more_axes_and_a_product_of_activations(tmp_path):
    """A constant on the right makes a layer; attention-like products do not."""
    rng = np.random.default_rng(6)
    weights = rng.normal(size=(4, 3)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Transpose", ["h"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["h", "t"], ["y"]),
    ]
    path = save(tmp_path / "m.onnx", nodes, {"x": ["N", 5, 4]}, {"w": weights})
    network = assert_same(path, rng.normal(size=(2, 5, 4)).astype(np.float32))
    assert [layer.kind for layer in network.layers] == ["MatMul"]


def test_matmul_with_weights_on_the_left(tmp_path):
    """Inputs and outputs are on the axis before the last one."""
    rng = np.random.default_rng(9)
    weights = rng.normal(size=(3, 5)).astype(np.float32)
    node = helper.make_node("MatMul", ["left.weight", "x"], ["y"])
    path = save(tmp_path / "m.onnx", [node], {"x": ["N", 5, 4]}, {"left.weight": weights})
    images = rng.normal(size=(2, 5, 4)).astype(np.float32)
    network = assert_same(path, images)
    (layer,) = network.layers
    assert (layer.name, layer.axis, layer.weights.shape) == ("left.weight", -2, (3, 5))
    parameters = load_parameters(
        "tiny", adc_bits="lossless", squeeze=0, codec="int8", scale="column"
    )
    crossbars = layer_on_crossbars(layer, parameters, Quantisation(1 / 64, 128, 0, 255))
    mapping = crossbars.mapping
    values = (rng.integers(-128, 128, images.shape) / 64).astype(np.float32)
    expected = weights @ values
    outputs = forward(network, lambda index, inputs: crossbars(inputs))(values)
    np.testing.assert_allclose(outputs, expected, atol=0.05)
    exact = (mapping.matrices[0].codes * mapping.matrices[0].code_steps).T @ values
    np.testing.assert_allclose(outputs, exact, atol=1e-5)


def test_normalisation_behind_a_matmul_stays(tmp_path):
    """It takes the second axis, which is not that of the outputs."""
    rng = np.random.default_rng(10)
    constants = {"w": rng.normal(size=(4, 6)).astype(np.float32)}
    for name in ("gain", "offset", "mean"):
        constants[name] = rng.normal(size=6).astype(np.float32)
    constants["variance"] = rng.uniform(0.1, 2, 6).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("BatchNormalization", ["m", "gain", "offset", "mean", "variance"], ["y"]),
    ]
    path = save(tmp_path / "m.onnx", nodes, {"x": ["N", 6, 4]}, constants)
    network = assert_same(path, rng.normal(size=(2, 6, 4)).astype(np.float32))
    assert [node.op_type for node in network.mapped.graph.node] == ["Layer", "BatchNormalization"]


@pytest.mark.parametrize("shared", [False, True])
def test_batch_normalisation_is_folded_unless_its_input_is_used(tmp_path, shared):
    """The numbers stay; the operator goes where it can."""
    rng = np.random.default_rng(7)
    path = norm_model(tmp_path / "m.onnx", rng, shared=shared)
    network = assert_same(path, rng.normal(size=(2, 3, 6, 6)).astype(np.float32))
    kinds = [node.op_type for node in network.mapped.graph.node]
    assert kinds == (["Layer", "BatchNormalization", "Add"] if shared else ["Layer", "Add"])


def quantised_model(path, rng, *, signed, per_channel):
    """Write a convolution between quantisations, as quantising tools do."""
    kind = np.int8 if signed else np.uint8
    info = np.iinfo(kind)
    scales = rng.uniform(0.01, 0.02, 4 if per_channel else ()).astype(np.float32)
    constants = {
        "w": rng.integers(-128, 128, (4, 3, 3, 3)).astype(np.int8),
        "ws": scales,
        "wz": np.zeros(scales.shape, np.int8),
        "xs": np.float32(0.02),
        "xz": kind(info.min + 100),
        "b": rng.integers(-500, 500, 4).astype(np.int32),
        "bs": (scales * np.float32(0.02)).astype(np.float32),
        "bz": np.zeros(scales.shape, np.int32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        helper.make_node("DequantizeLinear", ["b", "bs", "bz"], ["bd"], axis=0),
        helper.make_node("Conv", ["xd", "wd", "bd"], ["y"], pads=[1, 1, 1, 1]),
    ]
    return save(path, nodes, {"x": ["N", 3, 5, 5]}, constants), constants


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_quantised_models_keep_their_integers(tmp_path, signed, per_channel):
    """Codes, zero points and scales are the model's; results follow from integers alone."""
    rng = np.random.default_rng(8)
    path, constants = quantised_model(
        tmp_path / "m.onnx", rng, signed=signed, per_channel=per_channel
    )
    network = assert_same(path, rng.normal(size=(2, 3, 5, 5)).astype(np.float32))
    layer = network.layers[0]
    assert layer.weights.tolist() == constants["w"].tolist()
    assert layer.quantisation is not None
    low = -128 if signed else 0
    found = layer.quantisation
    assert (found.scale, found.zero_point) == (np.float32(0.02), low + 100)
    assert (found.low, found.high, found.factors.tolist()) == (low, low + 255, [1.0])


def test_batch_normalisation_is_folded_as_an_exporter_folds_it():
    """One exporter left it in the graph, the other one took it into the weights."""
    ours, theirs = (
        read_network(FIXTURES / f"residual_{exporter}.onnx").layers
        for exporter in ("legacy", "dynamo")
    )
    assert len(ours) == len(theirs)
    for mine, folded in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.weights, folded.weights, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mine.bias, folded.bias, rtol=1e-5, atol=1e-6)


def test_layers_of_a_network_are_mapped_from_the_command_line(tmp_path, capsys):
    """`sme map` finds layers and groups in the file; --groups would contradict it."""
    model = str(FIXTURES / "separable_dynamo.onnx")
    report = tmp_path / "report.json"
    assert main(["map", model, "--preset", "tiny", "--json", str(report)]) == 0
    layers = json.loads(report.read_text())["layers"]
    sources = read_network(model).sources()
    assert [layer["name"] for layer in layers] == [source.name for source in sources]
    assert [layer["groups"] for layer in layers] == [source.groups for source in sources]
    assert max(source.groups for source in sources) > 2
    assert main(["map", model, "--groups", "x=2"]) == 2
    assert "an .onnx file says its groups" in capsys.readouterr().err
