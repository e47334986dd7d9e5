"""Moments of inputs and outputs, and the weights that fit them, against float64 and lstsq."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.compensation.moments import FEWEST_VECTORS, Moments, sample
from sim.network.real_layer import RealLayer
from sme_hw.errors import InputError
from tests.network_cases import fixture_network
from tests.random_cases import seeded


def batches(rng, groups=3, rows=7, columns=4, sizes=(20, 1, 13)):
    """Return vectors with means far from 0, and outputs that follow from them, but for noise."""
    mixing = rng.normal(size=(groups, rows, columns))
    found = []
    for size in sizes:
        vectors = rng.normal(size=(size, groups, rows)) + 30
        outputs = np.einsum("vgr,grc->vgc", vectors, mixing) + rng.normal(size=(size, groups, 4))
        found.append((vectors.astype(np.float32), outputs.astype(np.float32)))
    return found


def test_moments():
    """They are those of all batches together, in float64."""
    pairs = batches(seeded(1))
    found = Moments.of("layer", pairs)
    vectors, outputs = (np.concatenate(parts).astype(float) for parts in zip(*pairs, strict=True))
    assert found.count == 34
    assert np.allclose(found.inputs, vectors.mean(axis=0), rtol=1e-6)
    assert np.allclose(found.outputs, outputs.mean(axis=0), rtol=1e-6)
    for g in range(3):
        both = np.cov(vectors[:, g].T, outputs[:, g].T, bias=True)
        assert np.allclose(found.second[g], both[:7, :7], rtol=1e-4, atol=1e-4)
        assert np.allclose(found.cross[g], both[:7, 7:], rtol=1e-4, atol=1e-3)


def constant(rng, rows):
    """Return inputs that never change."""
    return np.broadcast_to(rng.normal(size=rows), (40, rows)) * 1.0


SINGULAR = {
    "all zero": lambda rng, rows: np.zeros((40, rows)),
    "constant": constant,
    "one constant row": lambda rng, rows: rng.normal(size=(40, rows)) * (np.arange(rows) > 0),
    "fewer vectors than rows": lambda rng, rows: rng.normal(size=(9, rows)),
    "one direction": lambda rng, rows: rng.normal(size=(40, 1)) * np.arange(1.0, rows + 1),
    "tiny": lambda rng, rows: rng.normal(size=(9, rows)) * 1e-12,
    "large": lambda rng, rows: rng.normal(size=(9, rows)) * 1e12,
}


@pytest.mark.parametrize("kind", SINGULAR)
@pytest.mark.parametrize("share", [1e-3, 0.03, 10])
def test_damping_makes_any_moments_positive_definite(kind, share):
    """Their inverse can be factored, and there is a target, whatever the inputs are."""
    rng, rows = seeded(2), 200
    vectors = SINGULAR[kind](rng, rows).astype(np.float32)[:, np.newaxis]
    weights = rng.normal(size=(1, rows, 3))
    outputs = (vectors @ weights[0]).astype(np.float32)
    moments = Moments.of("layer", [(vectors, outputs)])
    damped = moments.damped(share)
    inverse = np.linalg.inv(damped)
    np.linalg.cholesky((inverse + inverse.swapaxes(1, 2)) / 2)
    power = np.trace(moments.second[0]) / rows
    added = share * max(1, rows / len(vectors)) * power if power else 1
    assert np.allclose(damped[0] - moments.second[0], added * np.eye(rows), atol=1e-9 * power)
    target = moments.target(weights, share)
    assert np.allclose(target, weights, atol=5e-3), "the given weights fit already"


def test_no_power_in_one_group_alone():
    """Its damped moments are the identity, those of the others as they would be."""
    pairs = batches(seeded(3))
    silent = [(vectors.copy(), outputs) for vectors, outputs in pairs]
    for vectors, _ in silent:
        vectors[:, 1] = 5
    found, expected = (
        Moments.of("layer", silent).damped(0.1),
        Moments.of("layer", pairs).damped(0.1),
    )
    assert np.allclose(found[1], np.eye(7))
    assert found[[0, 2]].tolist() == expected[[0, 2]].tolist()


@pytest.mark.parametrize("share", [1e-3, 0.2, 1e3])
def test_target_is_a_ridge_regression(share):
    """Least squares of centred outputs, and of the distance to the given weights."""
    rng = seeded(4)
    pairs = batches(rng)
    moments = Moments.of("layer", pairs)
    given = rng.normal(size=(3, 7, 4))
    vectors, outputs = (np.concatenate(parts).astype(float) for parts in zip(*pairs, strict=True))
    vectors, outputs = vectors - vectors.mean(axis=0), outputs - outputs.mean(axis=0)
    found = moments.target(given, share)
    for g in range(3):
        power = np.mean(vectors[:, g] ** 2, axis=0).mean()
        pull = np.sqrt(share * power * len(vectors))
        left = np.concatenate([vectors[:, g], pull * np.eye(7)])
        right = np.concatenate([outputs[:, g], pull * given[g]])
        expected = np.linalg.lstsq(left, right, rcond=None)[0]
        assert np.allclose(found[g], expected, rtol=1e-3, atol=1e-3)


def test_refused():
    """Too few vectors, or numbers that are none; the layer is named."""
    (pair, *_) = batches(seeded(5), sizes=(FEWEST_VECTORS,))
    Moments.of("some layer", [pair])
    with pytest.raises(InputError, match=r"^some layer: 7 input vectors .* at least 8 .* more"):
        Moments.of("some layer", [(pair[0][:4], pair[1][:4]), (pair[0][:3], pair[1][:3])])
    for side in (0, 1):
        for value in (np.nan, np.inf):
            bad = [part.copy() for part in pair]
            bad[side][3, 1, 2] = value
            with pytest.raises(InputError, match=r"^some layer: .* no numbers"):
                Moments.of("some layer", [pair, tuple(bad)])


def test_sample_of_dense_layers():
    """Vectors and outputs of the same places; places are chosen at random, without repetition."""
    rng = seeded(6)
    for axis in (1, -1):
        layer = SimpleNamespace(window=None, axis=axis, groups=1)
        values = rng.normal(size=(3, 5, 11)).astype(np.float32)
        places = np.moveaxis(values, axis, -1).reshape(-1, values.shape[axis])
        outputs = np.moveaxis((places @ rng.normal(size=(places.shape[1], 2))), -1, -1)
        shape = list(np.moveaxis(values, axis, -1).shape[:-1])
        outputs = np.moveaxis(outputs.reshape(*shape, 2), -1, axis).astype(np.float32)
        known = {
            row.tobytes(): out
            for row, out in zip(places, np.moveaxis(outputs, axis, -1).reshape(-1, 2), strict=True)
        }
        vectors, found = sample(layer, values, outputs, 4, 0)
        assert vectors.shape == (12, 1, values.shape[axis])
        assert len({row.tobytes() for row in vectors}) == 12
        for vector, output in zip(vectors[:, 0], found[:, 0], strict=True):
            assert known[vector.tobytes()].tolist() == output.tolist()
        assert len(sample(layer, values, outputs, 999, 0)[0]) == len(places)
        assert sample(layer, values, outputs, 4, 1)[0].tolist() != vectors.tolist()


@pytest.mark.parametrize("stem", ["residual_legacy", "separable_legacy", "plain_legacy"])
def test_sample_of_convolutions(stem):
    """Vectors times weights are the outputs at the same places, with strides, padding, groups."""
    rng = seeded(7)
    seen = set()
    for layer in fixture_network(stem).layers:
        if layer.window is None:
            continue
        compute = RealLayer(layer)
        channels = layer.weights.shape[1] * layer.groups
        values = rng.normal(size=(2, channels, 9, 8)).astype(np.float32)
        outputs = compute(values, compute.weights, layer.bias)
        vectors, found = sample(layer, values, outputs, 10, 3)
        products = np.einsum("vgr,grc->vgc", vectors, compute.weights)
        products += layer.bias.reshape(layer.groups, -1)
        assert np.allclose(products, found, atol=1e-4)
        seen.add((layer.groups, layer.window.strides))
        assert len(found) <= 20
    assert seen
