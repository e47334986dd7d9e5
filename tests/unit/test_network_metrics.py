"""Numbers that compare networks, by hand; and which images they are taken on."""

import math

import numpy as np
import pytest

from sim.network.batches import Batches, split
from sim.network.images import Images
from sim.network.metrics import Comparison
from sme_hw.errors import InputError

LOGITS = np.log([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3]])
OTHERS = np.log([[0.25, 0.5, 0.25], [0.2, 0.6, 0.2]])
# sum of p * log(p / q) by hand
DIVERGENCE = [
    0.5 * math.log(2) + 0.25 * math.log(0.5),
    0.1 * math.log(0.5) + 0.3 * math.log(1.5),
]


@pytest.mark.parametrize("form", ["logits", "probabilities", "axes"])
def test_divergence_by_hand(form):
    """Of class probabilities from the reference's; logits may be off by a constant."""
    ours, reference = OTHERS + 7, LOGITS - 3
    if form == "probabilities":
        ours, reference = np.exp(OTHERS), np.exp(LOGITS)
    if form == "axes":
        ours, reference = (v.reshape(2, 3, 1, 1) for v in (ours, reference))
    comparison = Comparison()
    comparison.add(ours.astype(np.float32), reference.astype(np.float32), None)
    assert comparison.divergence == pytest.approx(DIVERGENCE, rel=1e-5)
    assert comparison.agree == [False, True]
    report = comparison.as_dict()
    assert report["kl"] == round(sum(DIVERGENCE) / 2, 6)
    assert report["agreement"] == 50
    assert [report[key] for key in ("top1", "top1_float", "drop", "drop_standard_error")] == [
        None
    ] * 4


def test_probabilities_may_be_zero():
    """A class that is impossible to one of them counts with float32's smallest number."""
    ours, reference = np.array([[0.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 0.0]])
    comparison = Comparison()
    comparison.add(ours, reference, None)
    comparison.add(reference, reference, None)
    smallest = math.log(np.finfo(np.float32).tiny)
    assert comparison.divergence == pytest.approx([-smallest, 0], rel=1e-6)


def test_drop_and_its_standard_error_by_hand():
    """Images that both get wrong, or right, do not add to the error: differences are paired."""
    comparison = Comparison()
    right, wrong = [1.0, 0.0], [0.0, 1.0]
    ours = np.array([right, wrong, wrong, right, wrong])
    reference = np.array([right, right, right, wrong, wrong])
    labels = np.zeros(5, np.int64)
    comparison.add(ours[:3], reference[:3], labels[:3])
    comparison.add(ours[3:], reference[3:], labels[3:])
    differences = [0, 1, 1, -1, 0]
    variance = sum((d - 0.2) ** 2 for d in differences) / 4
    assert comparison.as_dict() | {"kl": None} == {
        "images": 5,
        "top1": 40.0,
        "top1_float": 60.0,
        "drop": 20.0,
        "drop_standard_error": round(100 * math.sqrt(variance / 5), 2),
        "agreement": 40.0,
        "kl": None,
    }


def test_one_image_has_no_standard_error():
    """There is nothing to take it from."""
    comparison = Comparison()
    comparison.add(LOGITS[:1], LOGITS[:1], np.array([2]))
    report = comparison.as_dict()
    assert report["drop_standard_error"] is None
    assert (report["top1"], report["top1_float"], report["drop"]) == (0, 0, 0)
    assert report["kl"] == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_no_numbers_are_refused(bad):
    """It is said whose they are, and nothing is counted."""
    broken = LOGITS.copy()
    broken[1, 0] = bad
    comparison = Comparison()
    comparison.add(LOGITS, LOGITS, None)
    with pytest.raises(InputError, match=r"^the mapped network's outputs hold .* no numbers$"):
        comparison.add(broken, LOGITS, None)
    with pytest.raises(InputError, match=r"^the float network's outputs hold .* no numbers$"):
        comparison.add(LOGITS, broken, None)
    assert len(comparison.agree) == 2


def numbered(count, *, labelled=True):
    """Return images that hold their own number."""
    return Images(
        "numbers",
        count,
        np.arange(count) * 10 if labelled else None,
        lambda indices: np.array(indices, np.float32)[:, None],
    )


def seen(batches):
    """Return the numbers of all images in their order, and check sizes and labels."""
    numbers = []
    for images, labels in batches:
        assert 1 <= len(images) <= batches.size
        assert (labels == images[:, 0] * 10).all()
        numbers += images[:, 0].astype(int).tolist()
    assert len(numbers) == len(batches)
    return numbers


@pytest.mark.parametrize("evaluate", [None, 1, 9, 1000])
def test_no_image_is_for_both(evaluate):
    """What is calibrated on is not evaluated; the choice is by the seed alone."""
    chosen = {}
    for seed in (1, 1, 2):
        spared, rest = split(numbered(50), None, calibrate=20, evaluate=evaluate, size=7, seed=seed)
        one, other = seen(spared), seen(rest)
        assert seen(rest) == other  # as often as one likes
        assert len(set(one)) == 20
        assert len(set(other)) == min(30, evaluate or 30)
        assert not set(one) & set(other)
        assert chosen.setdefault(seed, (one, other)) == (one, other)
        assert seen(rest.first(5)) == other[:5]
        assert seen(rest.after(5)) == other[5:]
    assert chosen[1] != chosen[2]
    assert chosen[1][1] != sorted(chosen[1][1]) or evaluate == 1


def test_other_images_for_calibration():
    """Then all are evaluated."""
    spared, rest = split(numbered(8), numbered(30), calibrate=12, evaluate=None, size=4, seed=3)
    assert sorted(seen(rest)) == list(range(8))
    assert len(set(seen(spared))) == 12
    few, _ = split(numbered(8), numbered(3), calibrate=12, evaluate=None, size=4, seed=3)
    assert seen(few) == [0, 1, 2]


@pytest.mark.parametrize("calibrate", [8, 9])
def test_nothing_left_to_evaluate(calibrate):
    """Both numbers are named."""
    with pytest.raises(InputError, match=f"numbers: {calibrate} of 8 images are for calibration"):
        split(numbered(8), None, calibrate=calibrate, evaluate=None, size=4, seed=1)
    _, rest = split(numbered(8), None, calibrate=7, evaluate=None, size=4, seed=1)
    assert len(rest) == 1


def test_images_without_labels():
    """None comes in their place."""
    batches = Batches(numbered(3, labelled=False), np.array([2, 0]), 2)
    ((images, labels),) = batches
    assert images.tolist() == [[2], [0]]
    assert labels is None
