"""Builders of the networks for measurements, with random weights in place of the real ones."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

from benchmarks.networks.catalogue import NETWORKS
from benchmarks.networks.data import build_network, data_folder, open_images
from benchmarks.networks.graph import same_pads
from sme_hw.errors import InputError

# Channels and strides of MobileNet-v2's blocks: expansion, outputs, blocks, stride of the first.
BLOCKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
BLOCKS += [(6, 160, 3, 2), (6, 320, 1, 1)]


def squeezenet_shapes():
    """Return shapes of SqueezeNet 1.1's weights."""
    shapes = {"conv0": (64, 3, 3, 3), "conv25": (1000, 512, 1, 1)}
    inputs = 64
    for index, squeezed in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
        shapes[f"fire{index}.squeeze"] = (squeezed, inputs, 1, 1)
        shapes[f"fire{index}.expand1x1"] = (4 * squeezed, squeezed, 1, 1)
        shapes[f"fire{index}.expand3x3"] = (4 * squeezed, squeezed, 3, 3)
        inputs = 8 * squeezed
    return shapes


def mobilenet_shapes():
    """Return shapes of MobileNet-v2's weights, in the order of computation."""
    shapes = {"features.0.0": (32, 3, 3, 3)}
    inputs, index = 32, 0
    for expansion, outputs, blocks, _ in BLOCKS:
        for _ in range(blocks):
            index += 1
            hidden = expansion * inputs
            if expansion > 1:
                shapes[f"features.{index}.conv.expand"] = (hidden, inputs, 1, 1)
            shapes[f"features.{index}.conv.dw"] = (hidden, 1, 3, 3)
            shapes[f"features.{index}.conv.project"] = (outputs, hidden, 1, 1)
            inputs = outputs
    return shapes | {"features.18.0": (1280, 320, 1, 1), "classifier": (1000, 1280)}


def resnet20_shapes():
    """Return shapes of ResNet-20's convolutions and last layer."""
    shapes = {"conv1": (16, 3, 3, 3)}
    inputs = 16
    for stage, outputs in enumerate((16, 32, 64), 1):
        for index in range(3):
            shapes[f"layer{stage}.{index}.conv1"] = (outputs, inputs, 3, 3)
            shapes[f"layer{stage}.{index}.conv2"] = (outputs, outputs, 3, 3)
            inputs = outputs
    return shapes | {"linear": (10, 64)}


RESNET8 = {"00.conv": (16, 3, 3, 3), "01.conv": (16, 16, 3, 3), "02.conv": (16, 16, 3, 3)}
RESNET8 |= {"03.conv": (32, 16, 3, 3), "04.conv": (32, 32, 3, 3), "05.conv": (32, 16, 1, 1)}
RESNET8 |= {"06.conv": (64, 32, 3, 3), "07.conv": (64, 64, 3, 3), "08.conv": (64, 32, 1, 1)}
RESNET8 |= {"09.fc": (10, 64)}
LENET = {"conv1": (20, 1, 5, 5), "conv2": (50, 20, 5, 5), "fc1": (500, 800), "fc2": (10, 500)}


def floats(shapes, rng):
    """Return weights and biases."""
    arrays = {}
    for name, shape in shapes.items():
        spread = np.sqrt(2 / np.prod(shape[1:]))
        arrays[f"{name}.weight"] = (rng.normal(size=shape) * spread).astype(np.float32)
        arrays[f"{name}.bias"] = (rng.normal(size=shape[0]) / 8).astype(np.float32)
    return arrays


def integers(arrays, in_scale, in_zero, out_scale, out_zero):
    """Return the int8 form of a network whose layers all have the same ranges of activations."""
    result = {}
    for name in [key.removesuffix(".weight") for key in arrays if key.endswith(".weight")]:
        weights = arrays[f"{name}.weight"]
        scale = np.abs(weights).reshape(len(weights), -1).max(1) / 127
        if weights.ndim == 2:
            scale[:] = scale.max()
        shaped = scale.reshape(-1, *[1] * (weights.ndim - 1))
        result[f"{name}.weight"] = np.rint(weights / shaped).astype(np.int8)
        bias = arrays[f"{name}.bias"] / (scale * in_scale)
        result[f"{name}.bias"] = np.rint(bias).astype(np.int32)
        result[f"{name}.scale"] = (scale[:1] if weights.ndim == 2 else scale).astype(np.float32)
        for end, factor, zero in (("in", in_scale, in_zero), ("out", out_scale, out_zero)):
            result[f"{name}.{end}_scale"] = np.float32(factor)
            result[f"{name}.{end}_zero_point"] = np.int32(zero)
    return result


def resnet20_arrays(rng):
    """Return weights with batch normalisations."""
    arrays = floats(resnet20_shapes(), rng)
    for key in [key for key in arrays if key.endswith("bias") and "linear" not in key]:
        del arrays[key]
    for name in resnet20_shapes():
        if name == "linear":
            continue
        channels = len(arrays[f"{name}.weight"])
        for part in ("weight", "bias", "running_mean", "running_var"):
            values = rng.uniform(0.5, 1.5, size=channels).astype(np.float32)
            arrays[f"{name.replace('conv', 'bn')}.{part}"] = values
    return arrays


def arrays_of(name):
    """Return random weights for one of the networks."""
    rng = np.random.default_rng(2026)
    if name == "resnet20":
        return resnet20_arrays(rng)
    if name == "resnet8-int8":
        return integers(floats(RESNET8, rng), 0.1, -128, 0.1, -28)
    if name == "mobilenetv2-int8":
        shapes = list(mobilenet_shapes().values())
        shapes[-1] = (1001, 1280, 1, 1)
        kinds = ["dwconv" if shape[1:] == (1, 3, 3) else "conv" for shape in shapes]
        named = {f"{i:02}.{k}": s for i, (k, s) in enumerate(zip(kinds, shapes, strict=True))}
        return integers(floats(named, rng), 0.05, -20, 0.05, -20)
    shapes = {
        "squeezenet1.1": squeezenet_shapes(),
        "mobilenetv2": mobilenet_shapes(),
        "resnet8": RESNET8,
        "lenet": LENET,
    }
    return floats(shapes[name], rng)


def run(model, images):
    """Return the scores of some images."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"input": images})[0]


@pytest.mark.parametrize(
    ("name", "classes", "layers", "additions"),
    [
        ("squeezenet1.1", 1000, 26, 0),
        ("mobilenetv2", 1000, 53, 10),
        ("mobilenetv2-int8", 1001, 53, 10),
        ("resnet20", 10, 20, 9),
        ("resnet8", 10, 10, 3),
        ("resnet8-int8", 10, 10, 3),
        ("lenet", 10, 4, 0),
    ],
)
def test_every_array_has_its_place(name, classes, layers, additions):
    """All arrays are in the graph, which has the layers and shortcuts it should, and runs."""
    arrays = arrays_of(name)
    model = NETWORKS[name].build(arrays)
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("Conv") + operators.count("Gemm") == layers
    assert operators.count("Add") == additions
    used = {source for node in model.graph.node for source in node.input}
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert set(stored) <= used
    for key, array in arrays.items():
        if key.endswith(("weight", "bias", "running_mean", "running_var")):
            np.testing.assert_array_equal(stored[key], array)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim][1:]
    images = np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32)
    scores = run(model, images)
    assert scores.shape == (2, classes)
    assert len(np.unique(scores)) > 2
    # One image alone gives what it gives among others, but for float32 rounding.
    np.testing.assert_allclose(run(model, images[1:]), scores[1:], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("squeezenet1.1", 13),
        ("mobilenetv2", 7),
        ("mobilenetv2-int8", 7),
        ("resnet20", 8),
        ("resnet8", 8),
        ("resnet8-int8", 8),
    ],
)
def test_size_of_what_is_averaged(name, size):
    """Strides and pools reduce images as the papers say."""
    model = onnx.shape_inference.infer_shapes(NETWORKS[name].build(arrays_of(name)))
    (mean,) = [node for node in model.graph.node if node.op_type == "GlobalAveragePool"]
    (value,) = [value for value in model.graph.value_info if value.name == mean.input[0]]
    assert [dim.dim_value for dim in value.type.tensor_type.shape.dim[2:]] == [size, size]


def test_lenet_by_hand():
    """Convolution, maximum of two by two, fully connected: in plain numpy."""
    arrays = arrays_of("lenet")
    images = np.random.default_rng(1).normal(size=(3, 1, 28, 28)).astype(np.float32)
    x = images
    for name in ("conv1", "conv2"):
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(2, 3))
        x = np.einsum("nchwij,ocij->nohw", windows, arrays[f"{name}.weight"])
        x += arrays[f"{name}.bias"].reshape(-1, 1, 1)
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))
    x = np.maximum(x.reshape(3, -1) @ arrays["fc1.weight"].T + arrays["fc1.bias"], 0)
    x = x @ arrays["fc2.weight"].T + arrays["fc2.bias"]
    np.testing.assert_allclose(run(NETWORKS["lenet"].build(arrays), images), x, rtol=0, atol=1e-4)


def test_int8_is_near_to_float():
    """ResNet-8 gives nearly the same with its weights and activations as integers."""
    arrays = floats(RESNET8, np.random.default_rng(2026))
    rng = np.random.default_rng(1)
    images = rng.uniform(size=(8, 3, 1, 1)) * rng.uniform(size=(8, 3, 32, 32))
    images = images.astype(np.float32)
    expected = run(NETWORKS["resnet8"].build(arrays), images)
    scale = 0.04
    integer = integers(arrays, scale, -28, scale, -28)
    outputs = run(NETWORKS["resnet8-int8"].build(integer), images)
    assert np.abs(outputs - expected).max() < 3 * scale < expected.std(axis=0).mean() / 2


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [
        (32, 3, 1, [1, 1, 1, 1]),
        (32, 3, 2, [0, 0, 1, 1]),
        (33, 3, 2, [1, 1, 1, 1]),
        (32, 1, 2, [0, 0, 0, 0]),
        (7, 2, 2, [0, 0, 1, 1]),
        (8, 5, 1, [2, 2, 2, 2]),
    ],
)
def test_same_pads(size, kernel, stride, pads):
    """TensorFlow's rule: an output wherever a stride begins; an odd pixel goes to the end."""
    assert same_pads(size, kernel, stride) == pads


def test_files_are_read(tmp_path, monkeypatch):
    """Weights and images are found by their names; what is absent is said."""
    entry = NETWORKS["lenet"]
    np.savez(tmp_path / entry.weights, **arrays_of("lenet"))
    pixels = np.random.default_rng(1).integers(0, 256, size=(3, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / entry.data, x=pixels, y=np.array([9, 0, 1], np.uint8))
    monkeypatch.setenv("SME_DATA", str(tmp_path))
    folder = data_folder(None)
    model = build_network(folder, entry)
    images = open_images(folder, replace(entry, label_offset=0), model)
    np.testing.assert_array_equal(images.labels, [9, 0, 1])
    np.testing.assert_array_equal(
        images.batch([2])[0, 0], pixels[2].astype(np.float32) / np.float32(255)
    )
    with pytest.raises(InputError, match="9, 0 to 8"):
        open_images(folder, replace(entry, label_offset=1), model)
    with pytest.raises(InputError, match=r"resnet20_cifar10\.npz cannot be read"):
        build_network(folder, NETWORKS["resnet20"])
    with pytest.raises(InputError, match="there is no folder"):
        data_folder(str(tmp_path / "absent"))
    monkeypatch.delenv("SME_DATA")
    with pytest.raises(InputError, match="SME_DATA"):
        data_folder(None)
