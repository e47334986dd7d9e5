"""How strongly weights are held at the network's own: by what predicts other images."""

import numpy as np
import pytest

from sim.compensation.moments import MomentSums
from sim.compensation.ridge import choose_ridge
from tests.random_cases import seeded

GROUPS, ROWS, COLUMNS = 2, 12, 3


def problem(seed, vectors, noise):
    """Return own weights, better ones, and sums of inputs with outputs of the better ones."""
    rng = seeded(seed)
    own = rng.normal(size=(GROUPS, ROWS, COLUMNS))
    better = own + 0.1 * rng.normal(size=own.shape)
    inputs = (rng.normal(size=(vectors, GROUPS, ROWS)) + 5).astype(np.float32)
    outputs = np.einsum("vgr,grc->vgc", inputs, better)
    outputs += noise * rng.normal(size=outputs.shape)
    sums = MomentSums("layer")
    for half in range(2):
        sums.add(inputs[half::2], outputs[half::2].astype(np.float32), half)
    return own, better, sums


def test_halves_make_the_whole():
    """Each half has the moments of its own vectors, and all have those of both."""
    own, _, sums = problem(1, 31, 0.1)
    first, second = sums.halves()
    alone = [MomentSums("layer") for _ in range(2)]
    rng = seeded(1)
    rng.normal(size=2 * own.size)
    inputs = (rng.normal(size=(31, GROUPS, ROWS)) + 5).astype(np.float32)
    for half, (other, found) in enumerate(zip(alone, (first, second), strict=True)):
        part = inputs[half::2]
        other.add(part, np.zeros((len(part), GROUPS, COLUMNS), np.float32))
        expected = other.moments()
        assert found.count == expected.count == len(part)
        assert np.allclose(found.inputs, expected.inputs, rtol=1e-6)
        assert np.allclose(found.second, expected.second, rtol=1e-4, atol=1e-5)
    whole = sums.moments()
    assert whole.count == 31
    assert np.allclose(whole.inputs, (16 * first.inputs + 15 * second.inputs) / 31)


@pytest.mark.parametrize(
    ("vectors", "noise", "least", "most"),
    [(4000, 0.01, 0, 0.1), (60, 10.0, 10, 1e4)],
    ids=["much is known", "little is known"],
)
def test_images_are_taken_as_seriously_as_they_deserve(vectors, noise, least, most):
    """Many vectors without noise move weights; few with much noise leave them."""
    own, _, sums = problem(2, vectors, noise)
    assert least < choose_ridge(sums.halves(), own) < most


def test_chosen_weights_are_near_the_best():
    """Of all shares, about the one that comes nearest to the weights that made the outputs."""
    shares = (0.025, 0.1, 0.5, 2.5, 12.5, 62.5, 5e3)
    for seed, (vectors, noise) in enumerate([(40, 0.05), (40, 0.5), (200, 1.0), (2000, 2.0)]):
        own, better, sums = problem(10 + seed, vectors, noise)
        moments = sums.moments()

        def distance(share, moments=moments, own=own, better=better):
            return float(((moments.target(own, share) - better) ** 2).sum())

        found = distance(choose_ridge(sums.halves(), own))
        assert found <= 1.3 * min(distance(share) for share in shares)


def test_own_weights_stay_where_nothing_is_known():
    """Without any power of inputs all shares are the same, and the largest is taken."""
    sums = MomentSums("layer")
    for half in range(2):
        sums.add(np.ones((5, 1, 4), np.float32), np.zeros((5, 1, 2), np.float32), half)
    own = np.arange(8.0).reshape(1, 4, 2)
    assert choose_ridge(sums.halves(), own) == 5e3
