"""What layers cost a network when they are rounded: measured at its output."""

import numpy as np
import pytest
from onnx import helper

from sim.compensation import profile
from sim.compensation.params import FitParams
from sim.compensation.plan import row_forms
from sim.compensation.profile import measure_profiles
from sim.network.forward import FloatNetwork
from sim.network.metrics import Comparison
from sim.network.network import read_network
from tests.network_cases import fixture_images, fixture_network, on_crossbars
from tests.onnx_models import save
from tests.random_cases import seeded

SMALL = {"rows": 16, "cols": 4, "scale": "column", "adc_bits": "lossless"}


def profiles_of(network, images, batches, **options):
    """Measure a network's profiles; returns them with their forms and what was told."""
    mapped = on_crossbars(network, images, **SMALL | options)
    parameters = [layer.mapping.parameters for layer in mapped.layers]
    quantisations = [layer.quantisation for layer in mapped.layers]
    fit, told = FitParams(rounding="compensated", ratio=3), []
    found = measure_profiles(network, parameters, quantisations, batches, fit, told.append)
    return found, row_forms(parameters[0]), told


@pytest.mark.parametrize(
    "options",
    [{"policy": "split", "squeeze": 7}, {"policy": "plain", "squeeze": 3}],
    ids=["split", "plain"],
)
@pytest.mark.parametrize("stem", ["residual_legacy", "separable_legacy"])
def test_losses_add_up_to_what_was_measured(stem, options):
    """At the size that layers were measured at, the rows' losses are the layer's divergence."""
    network = fixture_network(stem)
    images, _ = fixture_images(stem)
    found, forms, told = profiles_of(network, images, [images[:9], images[9:]], **options)
    assert sorted(told) == sorted(2 * [layer.name for layer in network.layers])
    for layer, own in zip(network.layers, found, strict=True):
        groups, rows, columns = own.weights.shape
        assert (groups, groups * columns) == (layer.groups, len(layer.weights))
        assert own.importance.shape == (groups, rows)
        assert (own.importance > 0).all()
        losses = own.losses(forms, 4)
        assert losses.shape == (len(forms.sizes), groups, rows, -(-columns // 4))
        for size, (estimate, divergence) in zip((2, 1), own.points, strict=True):
            lost = losses[forms.sizes == size].min(axis=0).sum()
            assert lost == pytest.approx(estimate, rel=1e-6)
            assert divergence == pytest.approx(estimate, rel=1e-6) or size == 1
        assert own.points[1][1] > own.points[0][1]
    assert len({own.points for own in found}) == len(found)
    measured, spared = (np.concatenate(part) for part in profile._cut([images[:9], images[9:]]))
    assert len(measured) <= profile._REMOVED_IMAGES
    _check_removed(network, measured, spared, found)


def _check_removed(network, measured, spared, found):
    """Compare with the network whose layers, one at a time, say nothing but their means."""
    for layer, own in zip(network.layers, found, strict=True):
        whole, outputs = FloatNetwork(network), FloatNetwork(network, [layer.output])
        values = outputs.run(spared)[0]
        axis = layer.axis % values.ndim
        means = values.mean(axis=tuple(k for k in range(values.ndim) if k != axis), keepdims=True)
        constant = np.broadcast_to(means, (len(measured), *values.shape[1:]))
        feed = {layer.output: np.ascontiguousarray(constant, np.float32)}
        if network.input_name:
            feed[network.input_name] = measured
        after = FloatNetwork(network, given=[layer.output, network.input_name])
        comparison = Comparison()
        comparison.add(after.compute(feed)[0], whole.run(measured)[0], None)
        assert own.removed == pytest.approx(np.mean(comparison.divergence), rel=1e-3)


def test_layers_that_do_not_matter(tmp_path):
    """One whose output is multiplied by 0 costs nothing; by a little, little."""
    rng = seeded(1)
    weights = rng.normal(size=(4, 4, 3, 3)).astype(np.float32)
    nodes, parts = [], []
    constants = {"axes": np.array([2, 3])}
    for name, factor in {"a": 1.0, "b": 0.1, "c": 0.0}.items():
        constants[f"{name}.w"] = weights
        constants[f"{name}.f"] = np.full((), factor, np.float32)
        nodes.append(helper.make_node("Conv", ["x", f"{name}.w"], [name], name))
        nodes.append(helper.make_node("Mul", [name, f"{name}.f"], [f"{name}.m"]))
        parts.append(f"{name}.m")
    nodes.append(helper.make_node("Sum", parts, ["s"]))
    nodes.append(helper.make_node("ReduceMean", ["s", "axes"], ["y"], keepdims=0))
    path = save(tmp_path / "m.onnx", nodes, {"x": ["N", 4, 6, 6]}, constants)
    images = rng.normal(size=(12, 4, 6, 6)).astype(np.float32)
    found, *_ = profiles_of(read_network(path), images, [images], policy="plain", squeeze=4)
    a, b, c = (own.points[0][1] for own in found)
    assert c < 1e-9 < b
    assert [own.removed > own.points[0][1] for own in found] == [True, True, False]
    # A divergence grows with the square of the error.
    assert a == pytest.approx(100 * b, rel=0.3)
    ratio = found[0].importance / found[1].importance
    assert np.allclose(ratio, a / b, rtol=1e-3)


def test_images_measured_on_are_not_fitted_to():
    """They are the first ones, however they are cut into batches."""
    images = np.arange(22.0)[:, np.newaxis]
    for sizes in ((22,), (3, 4, 15), (5,) * 4 + (2,)):
        batches = np.split(images, np.cumsum(sizes)[:-1])
        measured, spared = profile._cut(batches)
        assert np.concatenate(measured).tolist() == images[:4].tolist()
        assert np.concatenate(spared).tolist() == images[4:].tolist()
    assert [sum(map(len, part)) for part in profile._cut([np.zeros((900, 1))])] == [200, 700]
    for images, expected in ((4, [4, 4]), (10, [10, 10]), (11, [1, 10])):
        assert [len(part[0]) for part in profile._cut([np.zeros((images, 1))])] == expected
