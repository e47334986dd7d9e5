"""The exported test networks: what is in the files, and that they can be exported anew."""

import re
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra network")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra network")

FOLDER = Path(__file__).parents[1] / "networks"
NETWORKS = ["residual", "separable", "plain"]
EXPORTED = [f"{name}_{exporter}" for name in NETWORKS for exporter in ("legacy", "dynamo")]
QUANTISED = ["residual_qdq", "separable_qdq"]
FILES = [*EXPORTED, *QUANTISED]


def load(stem):
    """Return one of the networks."""
    return onnx.load(FOLDER / f"{stem}.onnx")


def operations(stem):
    """Return how often each operation occurs."""
    names = [node.op_type for node in load(stem).graph.node]
    return {name: names.count(name) for name in names}


def references(stem):
    """Return images as the network takes them, PyTorch's outputs, and the labels."""
    with np.load(FOLDER / f"{stem.partition('_')[0]}.npz") as archive:
        images = archive["images"].astype(np.float32) / np.float32(255)
        return images, archive["outputs"], archive["labels"]


def run(stem, images):
    """Return what onnxruntime computes from images."""
    session = onnxruntime.InferenceSession(
        FOLDER / f"{stem}.onnx", providers=["CPUExecutionProvider"]
    )
    (outputs,) = session.run(None, {"input": images})
    return outputs


def strings(message):
    """Yield all texts in a protobuf message with the names of their fields."""
    for field, value in message.ListFields():
        parts = value if isinstance(value, list) or hasattr(value, "append") else [value]
        for part in parts:
            if hasattr(part, "ListFields"):
                yield from strings(part)
            elif isinstance(part, str):
                yield field.name, part


def test_every_file_is_tested():
    """There are no other files than those named here."""
    assert sorted(path.stem for path in FOLDER.glob("*.onnx")) == sorted(FILES)


@pytest.mark.parametrize("stem", FILES)
def test_files_are_valid_and_bare(stem):
    """The checker accepts them, the batch is free, and no stack trace or path is in them."""
    model = load(stem)
    onnx.checker.check_model(model, full_check=True)
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "N"
    found = list(strings(model))
    assert ("name", "input") in found
    for field, text in found:
        assert field != "doc_string"
        assert not re.search(r"\.py\b|site-packages|File \"", text)
    assert not model.metadata_props
    assert not any(node.metadata_props for node in model.graph.node)


@pytest.mark.parametrize("stem", EXPORTED)
@pytest.mark.parametrize("count", [1, 16])
def test_outputs_are_those_of_the_definition(stem, count):
    """Onnxruntime gives PyTorch's outputs within float32 rounding, at any batch size."""
    images, expected, labels = references(stem)
    outputs = run(stem, images[:count])
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, expected[:count], rtol=0, atol=2e-6)
    np.testing.assert_array_equal(outputs.argmax(1), labels[:count])


@pytest.mark.parametrize("stem", QUANTISED)
def test_quantised_outputs_are_near(stem):
    """Quantisation to int8 moves the outputs, but not far: an eighth of their spread."""
    images, expected, _ = references(stem)
    error = np.sqrt(np.mean((run(stem, images) - expected) ** 2))
    assert 0 < error < expected.std(axis=0).mean() / 8


@pytest.mark.parametrize("name", NETWORKS)
def test_images_tell_classes_apart(name):
    """Three classes or more occur among the labels, so a wrong result changes the accuracy."""
    _, outputs, labels = references(name)
    assert len(set(labels.tolist())) >= 3
    np.testing.assert_array_equal(outputs.argmax(1), labels)


def test_what_an_importer_will_meet():
    """The files together hold the forms for which they were made."""
    assert operations("residual_legacy")["BatchNormalization"] == 6
    assert "BatchNormalization" not in operations("residual_dynamo")
    assert operations("residual_legacy")["GlobalAveragePool"] == 1
    assert operations("residual_dynamo")["ReduceMean"] == 1
    assert operations("plain_legacy")["MatMul"] == 1
    assert operations("plain_legacy")["Flatten"] == 1
    assert operations("plain_dynamo")["Reshape"] == 1
    assert operations("separable_legacy")["Pad"] == 1
    assert operations("separable_legacy")["Clip"] == 5

    def attributes(stem, wanted):
        model = load(stem)
        return [
            list(attribute.ints) or attribute.i
            for node in model.graph.node
            for attribute in node.attribute
            if node.op_type == "Conv" and attribute.name == wanted
        ]

    for stem in ("separable_legacy", "separable_dynamo"):
        assert {1, 2, 8} == set(attributes(stem, "group"))
        assert [2, 2] in attributes(stem, "dilations")
    assert [0, 0, 1, 1] in attributes("separable_dynamo", "pads")


@pytest.mark.parametrize(
    ("stem", "activation", "channels"), [("residual_qdq", 2, False), ("separable_qdq", 3, True)]
)
def test_what_is_quantised_how(stem, activation, channels):
    """Weights are int8, per channel or per tensor; activations uint8 (2) or int8 (3)."""
    graph = load(stem).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "QuantizeLinear":
            assert constants[node.input[2]].data_type == activation
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    sources = {output: node for node in graph.node for output in node.output}
    assert convolutions
    for node in convolutions:
        source = sources[node.input[1]]
        assert source.op_type == "DequantizeLinear"
        weight, scale = (constants[name] for name in source.input[:2])
        assert weight.data_type == onnx.TensorProto.INT8
        assert list(scale.dims) == ([weight.dims[0]] if channels else [])


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a folder with everything exported anew."""
    pytest.importorskip("torch", reason="needs the extra export")
    pytest.importorskip("onnxscript", reason="needs the extra export")
    from tests.networks.export import export_all

    folder = tmp_path_factory.mktemp("networks")
    export_all(folder)
    return folder


def parts(model):
    """Return nodes and initialisers, comparable one by one."""
    nodes = [node.SerializeToString(deterministic=True) for node in model.graph.node]
    tensors = {
        tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer
    }
    return nodes, tensors


# The exporters warn of themselves and each other.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("stem", FILES)
def test_exporting_anew_changes_nothing(exported, stem):
    """Definitions and files belong together: operations, attributes and weights are the same."""
    committed, anew = load(stem), onnx.load(exported / f"{stem}.onnx")
    nodes, tensors = parts(committed)
    nodes_anew, tensors_anew = parts(anew)
    assert nodes == nodes_anew
    assert list(tensors) == list(tensors_anew)
    for name, tensor in tensors.items():
        assert tensor.dtype == tensors_anew[name].dtype
        # Ranges of activations are measured, in floating point, so they depend on the processor.
        measured = stem in QUANTISED and tensor.dtype.kind == "f"
        rounded = stem in QUANTISED and tensor.dtype == np.int32
        np.testing.assert_allclose(
            tensor, tensors_anew[name], rtol=1e-5 if measured else 0, atol=1 if rounded else 0
        )
    assert committed.opset_import == anew.opset_import
    assert (committed.graph.input, committed.graph.output) == (anew.graph.input, anew.graph.output)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", NETWORKS)
def test_references_belong_to_the_definitions(exported, name):
    """Images, labels and PyTorch's outputs are what the definitions give."""
    with np.load(FOLDER / f"{name}.npz") as committed, np.load(exported / f"{name}.npz") as anew:
        np.testing.assert_array_equal(committed["images"], anew["images"])
        np.testing.assert_array_equal(committed["labels"], anew["labels"])
        np.testing.assert_allclose(committed["outputs"], anew["outputs"], rtol=0, atol=2e-6)
