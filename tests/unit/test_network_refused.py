"""ONNX files that are cut short, hostile, or have what is not supported are refused in one line."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sim.network.network import read_network
from sim.network.onnx_file import load_model
from sim.network.shapes import MAX_ELEMENTS
from sme_hw.errors import InputError
from tests.onnx_models import norm_model, save


def bad(path, tmp_path):
    """Return the message with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read_network(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path) in message
    return message


def test_truncated_file_is_refused(tmp_path):
    """A file that was cut short is no model, wherever the cut is."""
    path = norm_model(tmp_path / "m.onnx", np.random.default_rng(1))
    data = path.read_bytes()
    for size in (0, 1, len(data) // 3, len(data) // 2, len(data) - 7):
        path.write_bytes(data[:size])
        bad(path, tmp_path)


def test_damaged_files_never_end_in_a_traceback(tmp_path):
    """Whatever bytes are changed, the file is read or refused."""
    path = norm_model(tmp_path / "m.onnx", np.random.default_rng(1))
    data = path.read_bytes()
    rng = np.random.default_rng(2)
    refused = 0
    for _ in range(150):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_network(path)
        except InputError:
            refused += 1
    assert refused > 10


def test_cycle_is_refused(tmp_path):
    """A graph whose nodes wait for each other is named invalid."""
    nodes = [helper.make_node("Relu", ["b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    nodes.append(helper.make_node("Add", ["x", "b"], ["y"]))
    assert "sorted" in bad(save(tmp_path / "m.onnx", nodes, {"x": [1, 2]}, {}), tmp_path)


def test_huge_shapes_are_refused(tmp_path):
    """Inputs, stored tensors, and tensors that would only come to be while running."""
    path = tmp_path / "m.onnx"
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    weights = {"w": np.ones((1, 1, 1, 1), np.float32)}
    huge = ["N", 1, 1 << 20, 1 << 20]
    assert "at most" in bad(save(path, [node], {"x": huge}, weights), tmp_path)
    grows = helper.make_node("Expand", ["w", "s"], ["e"])
    shape = {"s": np.array([1 << 15, 1 << 15, 1, 1])}
    adds = helper.make_node("Add", ["e", "x"], ["y"])
    assert "at most" in bad(
        save(path, [grows, adds], {"x": ["N", 1, 1, 1]}, weights | shape), tmp_path
    )
    model = onnx.load(save(path, [node], {"x": ["N", 1, 2, 2]}, weights))
    model.graph.initializer[0].dims[0] = MAX_ELEMENTS + 1
    onnx.save(model, path)
    assert "tensor w has shape" in bad(path, tmp_path)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "missing.bin", "link.bin"])
def test_external_data_stays_in_its_folder(tmp_path, location):
    """Neither dots nor absolute paths nor links lead outside."""
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    weights = {"w": np.ones((4, 4), np.float32)}
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = save(folder / "m.onnx", [node], {"x": ["N", 4]}, weights)
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    message = bad(path, tmp_path)
    assert "tensor w lies in" in message


def test_external_data_beside_the_model_is_read(tmp_path):
    """Weights in a file of their own, and refused if that is too short."""
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(64, 32)).astype(np.float32)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = save(tmp_path / "m.onnx", [node], {"x": ["N", 64]}, {"w": weights})
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin")
    assert (tmp_path / "w.bin").exists()
    assert read_network(path).layers[0].weights.T.tolist() == weights.tolist()
    (tmp_path / "w.bin").write_bytes(bytes(100))
    bad(path, tmp_path)


def test_what_is_not_supported_is_named_with_its_node(tmp_path):
    """The operator and the node stand in the message."""
    weights = {"w": np.ones((2, 2, 1, 1), np.float32), "m": np.ones((2, 2), np.float32)}
    path = tmp_path / "m.onnx"
    cases = {
        "ConvTranspose": (["x", "w"], {}, "not supported"),
        "Conv": (["x", "r"], {}, "weights r are missing"),
        "Gemm": (["v", "m"], {"transA": 1}, "transA"),
    }
    for kind, (inputs, given, expected) in cases.items():
        nodes = [
            helper.make_node("Relu", ["x"], ["r"]),
            helper.make_node("Flatten", ["x"], ["v"]),
            helper.make_node("Transpose", ["v"], ["q"]),
            helper.make_node(kind, inputs, ["y"], "the-node", **given),
        ]
        message = bad(save(path, nodes, {"x": [2, 2, 1, 1]}, weights), tmp_path)
        assert f"node the-node ({kind})" in message
        assert expected in message


def test_operator_of_another_domain_is_refused(tmp_path):
    """Nobody knows how to run it."""
    node = helper.make_node("Magic", ["x"], ["y"], "wand", domain="com.example")
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], {"x": ["N", 4]}, {})
    model = onnx.load(path)
    model.graph.node[0].CopyFrom(node)
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    onnx.save(model, path)
    assert "node wand (Magic)" in bad(path, tmp_path)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    """Infinite weights cannot be scaled."""
    weights = {"w": np.array([[1.0, np.inf], [0, 1]], np.float32)}
    node = helper.make_node("MatMul", ["x", "w"], ["y"], "product")
    path = save(tmp_path / "m.onnx", [node], {"x": ["N", 2]}, weights)
    assert "no numbers" in bad(path, tmp_path)


def test_network_without_layers_is_refused(tmp_path):
    """There would be nothing to map."""
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], {"x": ["N", 2]}, {})
    assert "no Conv, Gemm or MatMul" in bad(path, tmp_path)


def test_model_with_several_inputs_is_refused(tmp_path):
    """Nobody could tell which one the image is."""
    node = helper.make_node("Add", ["x", "z"], ["y"])
    path = save(tmp_path / "m.onnx", [node], {"x": ["N", 2], "z": ["N", 2]}, {})
    assert "one input is needed, this has x, z" in bad(path, tmp_path)


def test_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    """As any other bad input."""
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            load_model(path)
