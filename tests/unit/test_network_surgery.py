"""Parts of networks: cut graphs, tensors passed in, layers as operators, batches, vectors."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from sim.network.batches import images_at_once
from sim.network.forward import FloatNetwork, forward
from sim.network.shapes import check_shapes
from sim.network.surgery import DOMAIN, LAYER, cut
from sim.network.vectors import sample_vectors
from sme_hw.errors import InputError
from tests.network_cases import NETWORKS, fixture_images, fixture_network, on_crossbars
from tests.network_reference import window_vectors


def names(graph):
    """Return the stored tensors' names."""
    return {tensor.name for tensor in graph.initializer}


@pytest.mark.parametrize("stem", NETWORKS)
def test_layers_become_operators(stem):
    """Numbered in their order; weights, and nodes that only they needed, are gone."""
    network = fixture_network(stem)
    before = network.model.SerializeToString()
    graph = network.mapped.graph
    found = [node for node in graph.node if node.domain == DOMAIN]
    assert {node.op_type for node in found} == {LAYER}
    pairs = {node.attribute[0].i: (node.input[0], node.output[0]) for node in found}
    assert pairs == {i: (n.input, n.output) for i, n in enumerate(network.layers)}
    left = {node.op_type for node in graph.node}
    assert not left & {"Conv", "Gemm", "MatMul", "BatchNormalization"}
    used = {name for node in graph.node for name in node.input}
    assert names(graph) <= used
    assert sum(onnx.numpy_helper.to_array(t).size for t in graph.initializer) < 100
    assert network.model.SerializeToString() == before


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_qdq", "plain_dynamo"])
def test_what_a_layer_gives_can_be_passed_in(stem):
    """A cut network goes on from there; from the very output too."""
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    expected = FloatNetwork(network).run(images)[0]
    tensors = [layer.output for layer in network.layers]
    values = FloatNetwork(network, tensors).run(images)
    assert len(values) == len(tensors)
    for name, value in zip(tensors, values, strict=True):
        after = FloatNetwork(network, given=[name])
        known = {network.input_name: images}
        found = after.compute(known | {name: value})[0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        moved = after.compute(known | {name: value + 1})[0]
        assert not np.allclose(moved, expected, rtol=0, atol=1e-3)


def test_cut_takes_away_what_is_not_needed():
    """Nodes and weights behind the wanted tensor, and before the given one, are gone."""
    network = fixture_network("plain_dynamo")
    second = network.layers[1]
    before = cut(network.model, [second.input])
    assert "second.weight" not in names(before.graph)
    assert "first.weight" in names(before.graph)
    after = cut(network.model, given=[second.output])
    assert names(after.graph).isdisjoint({"first.weight", "second.weight"})
    assert "hidden.weight" in names(after.graph)
    given_input = cut(network.model, given=[network.input_name])
    assert given_input.SerializeToString() == network.model.SerializeToString()


def test_what_onnx_runtime_cannot_run_is_refused():
    """Its message is passed on, with the network's name."""
    network = fixture_network("plain_dynamo")
    with pytest.raises(InputError, match=r"plain_dynamo\.onnx: ONNX Runtime says: "):
        FloatNetwork(network, ["no such tensor"])
    with pytest.raises(InputError, match=r"plain_dynamo\.onnx: ONNX Runtime says: "):
        FloatNetwork(network).run(np.zeros((1, 1, 11, 12), np.float32))


def with_batch(network, size):
    """Return a network that takes so many images at a time, None for any number."""
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    first = model.graph.input[0].type.tensor_type.shape.dim[0]
    first.Clear()
    if size is not None:
        first.dim_value = size
    return replace(network, model=model)


def test_images_at_once(monkeypatch):
    """As many as fit the memory, one if the model says so, and no other fixed number."""
    network = fixture_network("plain_dynamo")
    assert images_at_once(with_batch(network, None), (1, 12, 12)) == 64
    assert images_at_once(with_batch(network, 1), (1, 12, 12)) == 1
    with pytest.raises(InputError, match="takes exactly 8 images at a time"):
        images_at_once(with_batch(network, 8), (1, 12, 12))
    elements = check_shapes(network.name, network.model, (1, 12, 12))
    assert elements > 12 * 12 + 4 * 8 * 8 + 6
    monkeypatch.setattr("sim.network.batches._ELEMENTS", 5 * elements)
    assert images_at_once(network, (1, 12, 12)) == 5
    monkeypatch.setattr("sim.network.batches._ELEMENTS", 5)
    assert images_at_once(network, (1, 12, 12)) == 1


@pytest.mark.parametrize("stem", ["plain_dynamo", "separable_qdq"])
def test_sampled_vectors_are_windows_of_real_inputs(stem):
    """As many as wanted, none twice, in their order, the same for the same seed."""
    images, _ = fixture_images(stem)
    mapped = on_crossbars(fixture_network(stem), images, adc_bits="lossless")
    inputs = [None] * len(mapped.layers)

    def compute(index, values):
        inputs[index] = values
        return mapped.layers[index](values)

    forward(mapped.network, compute)(images[:6])
    told = []
    found = sample_vectors(mapped, [images[:2], images[2:6]], 5, 1, told.append)
    assert told == [2, 4]
    for layer, values, vectors in zip(mapped.layers, inputs, found, strict=True):
        integers = layer.quantisation.to_integers(values).astype(np.int64)
        every = integers
        if layer.layer.window is not None:
            every, _ = window_vectors(integers, layer.layer, layer.quantisation.zero_point)
        assert vectors.dtype == np.int64
        assert len(vectors) == 5
        rest = iter(every.tolist())
        assert all(vector in rest for vector in vectors.tolist())  # in their order
        # A third of the images, a third of the vectors.
        first_images = every[: len(every) // 3].tolist()
        assert all(vector in first_images for vector in vectors[:1].tolist())
    again = sample_vectors(mapped, [images[:2], images[2:6]], 5, 1)
    assert all((a == b).all() for a, b in zip(found, again, strict=True))
    other = sample_vectors(mapped, [images[:2], images[2:6]], 5, 2)
    assert any((a != b).any() for a, b in zip(found, other, strict=True))


def test_fewer_vectors_than_wanted():
    """A dense layer has one for each image."""
    images, _ = fixture_images("plain_dynamo")
    mapped = on_crossbars(fixture_network("plain_dynamo"), images, adc_bits="lossless")
    assert [len(v) for v in sample_vectors(mapped, [images[:3]], 100, 1)] == [100, 12, 3, 3]


def test_vectors_of_blocks_are_those_of_the_whole(monkeypatch):
    """Large inputs come in blocks; the choice does not depend on where they are cut."""
    images, _ = fixture_images("separable_dynamo")
    mapped = on_crossbars(fixture_network("separable_dynamo"), images, adc_bits="lossless")
    whole = sample_vectors(mapped, [images[:3]], 9, 4)
    monkeypatch.setattr("sim.network.crossbar_layer._ELEMENTS", 700)
    parts = sample_vectors(mapped, [images[:3]], 9, 4)
    assert [v.tolist() for v in parts] == [v.tolist() for v in whole]
