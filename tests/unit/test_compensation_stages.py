"""Networks in stages, and sums at the end of residual blocks: found, and reconstructed."""

import weakref

import numpy as np
import pytest
from onnx import helper

from sim.compensation.additions import added_tensors
from sim.network.forward import FloatNetwork
from sim.network.network import read_network
from sim.network.real_layer import RealLayer
from sim.network.stages import Stages
from tests.compensation_cases import fitted
from tests.network_cases import NETWORKS, fixture_images, fixture_network
from tests.onnx_models import save
from tests.random_cases import seeded


def through_stages(network, batches, extra=None, look=lambda *arguments: None):
    """Run a network in stages with its layers' own weights."""

    def visit(index, inputs, more):
        layer = network.layers[index]
        compute = RealLayer(layer)
        outputs = [compute(values, compute.weights, layer.bias) for values in inputs]
        look(index, inputs, more, outputs)
        return outputs

    return Stages(network, extra).run(batches, visit)


@pytest.mark.parametrize("stem", [name for name in NETWORKS if "qdq" not in name])
def test_stages_give_what_the_network_gives(stem):
    """Inputs, outputs and further tensors of every layer, and the end."""
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    batches = [images[:3], images[3:4]]
    extra = added_tensors(network)
    assert any(extra) == ("plain" not in stem)
    names = {n for layer in network.layers for n in (layer.input, layer.output)} | {*extra}
    names = sorted(names - {None, network.input_name})
    floats = FloatNetwork(network, names)
    known = [dict(zip(names, floats.run(part), strict=True)) for part in batches]
    for values, part in zip(known, batches, strict=True):
        values[network.input_name] = part
    seen = []

    def look(index, inputs, more, outputs):
        layer = network.layers[index]
        seen.append(index)
        assert (more is None) == (extra[index] is None)
        for name, found in ((layer.input, inputs), (layer.output, outputs), (extra[index], more)):
            for values, expected in zip(found or [], known, strict=False):
                assert np.allclose(values, expected[name], rtol=1e-4, atol=1e-5)

    ends = through_stages(network, batches, extra, look)
    assert seen == list(range(len(network.layers)))
    for part, end in zip(batches, ends, strict=True):
        assert np.allclose(end, FloatNetwork(network).run(part)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_dynamo", "plain_legacy"])
def test_tensors_that_nobody_needs_are_freed(stem):
    """When a layer's turn comes, those that no later stage takes are gone."""
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    stages = Stages(network)
    seen = {}
    most = 0

    def look(index, inputs, more, outputs):
        nonlocal most
        later = set().union(*(stages.needs(i) for i in range(index + 1, len(network.layers) + 1)))
        layer = network.layers[index]
        alive = {name for name, reference in seen.items() if reference() is not None}
        assert alive <= later | {layer.input}
        most = max(most, len(alive | {layer.input}))
        if layer.input != network.input_name:  # that one belongs to whoever gave it
            seen[layer.input] = weakref.ref(inputs[0])
        seen[layer.output] = weakref.ref(outputs[0])

    through_stages(network, [images[:2].copy()], None, look)
    assert most == (1 if stem.startswith("plain") else 2)


def conv(name, source, target):
    """Return a node with weights of that name."""
    return helper.make_node("Conv", [source, f"{name}.w"], [target], name, pads=[1, 1, 1, 1])


def add(left, right, target):
    """Return a sum."""
    return helper.make_node("Add", [left, right], [target])


RELU = helper.make_node("Relu", ["a"], ["r"])
GRAPHS = {
    # nodes, the network's outputs, and what is expected of its layers a, b ...
    "identity": ([conv("a", "x", "a"), RELU, conv("b", "r", "b"), add("b", "r", "y")], [None, "r"]),
    "the input": ([conv("a", "x", "a"), add("x", "a", "y")], ["x"]),
    "two layers": ([conv("a", "x", "a"), conv("b", "x", "b"), add("a", "b", "y")], [None, "a"]),
    "output shared": (
        [conv("a", "x", "a"), RELU, conv("b", "r", "b"), add("b", "r", "s"), add("s", "b", "y")],
        [None, None],
    ),
    "twice the same": ([conv("a", "x", "a"), add("a", "a", "y")], [None]),
    "stored": ([conv("a", "x", "a"), RELU, add("r", "constant", "y")], [None]),
    "stored, at once": ([conv("a", "x", "a"), add("a", "plane", "y")], [None]),
    "from a later layer": (
        [
            conv("a", "x", "a"),
            conv("b", "x", "b"),
            helper.make_node("Relu", ["b"], ["r"]),
            add("a", "r", "y"),
        ],
        [None, None],
    ),
    "another operator": (
        [conv("a", "x", "a"), helper.make_node("Mul", ["a", "x"], ["y"])],
        [None],
    ),
}


def graph(path, nodes, outputs=("y",)):
    """Write a network of those nodes; returns it as it is read."""
    rng = seeded(1)
    names = [node.name for node in nodes if node.op_type == "Conv"]
    constants = {f"{n}.w": rng.normal(size=(4, 4, 3, 3)).astype(np.float32) / 4 for n in names}
    used = {name for node in nodes for name in node.input}
    for name, shape in {"constant": (4, 1, 1), "plane": (4, 6, 6)}.items():
        if name in used:
            constants[name] = rng.normal(size=shape).astype(np.float32)
    return read_network(save(path, nodes, {"x": ["N", 4, 6, 6]}, constants, outputs))


@pytest.mark.parametrize(("nodes", "expected"), GRAPHS.values(), ids=GRAPHS)
def test_added_tensors(nodes, expected, tmp_path):
    """Only where the sum is all that becomes of a layer, and the rest is known before."""
    assert added_tensors(graph(tmp_path / "m.onnx", nodes)) == expected


def test_outputs_of_the_network_are_not_given_up(tmp_path):
    """A layer whose output is wanted itself makes up for nobody."""
    nodes, _ = GRAPHS["identity"]
    assert added_tensors(graph(tmp_path / "m.onnx", nodes, ("y", "b"))) == [None, None]
    assert added_tensors(graph(tmp_path / "m.onnx", nodes, ("y", "r"))) == [None, "r"]


@pytest.mark.parametrize(("kind", "most"), [("identity", 0.99), ("two layers", 0.7)])
def test_additions_reduce_the_error_of_sums(kind, most, tmp_path):
    """The last layer makes up for what the others have lost, on other images, too."""
    network = graph(tmp_path / "m.onnx", GRAPHS[kind][0])
    images, others = seeded(2).normal(size=(2, 100, 4, 6, 6)).astype(np.float32)
    wanted = FloatNetwork(network).run(others)[0]
    errors = []
    for additions in (False, True):
        fit = {"rounding": "compensated", "bias_correction": True, "additions": additions}
        mapped = fitted(network, images, fit=fit, policy="plain", squeeze=6)
        errors.append(np.mean((mapped.runner()(others) - wanted) ** 2))
    assert errors[1] < most * errors[0]
