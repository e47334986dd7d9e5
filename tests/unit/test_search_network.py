"""The search done on a network: what it tells while it works, and what it refuses before."""

import numpy as np
import pytest

from sim.compensation.network_search import check_search, measure_accuracy, search_network
from sim.compensation.params import FitParams
from sim.compensation.search import Target
from sim.mapping import load_parameters
from sim.network.batches import Batches
from sim.network.calibration import CalibrationParams, calibrate_network
from sim.network.images import Images
from sme_hw.errors import InputError
from tests.network_cases import fixture_images, fixture_network

TARGET = Target(max_divergence=0.02)
PLAIN = fixture_network("plain_dynamo")


def data(*, labelled):
    """Return the images of a network, five at a time."""
    images, labels = fixture_images("plain_dynamo")
    source = Images("data", len(images), labels if labelled else None, lambda i: images[i])
    return Batches(source, np.arange(len(images)), 5)


def test_progress():
    """Each part counts its layers or images from 1 to all; each trial is mapped and measured."""
    images = data(labelled=False)
    batches = [values for values, _ in images.first(10)]
    parameters = [
        load_parameters("tiny", policy=policy, squeeze=x, scale="column", adc_bits="lossless")
        for policy, x in (("rounded", 0), ("split", 7))
    ]
    hardware = [parameters[0].hardware] * 4
    quantisations = calibrate_network(PLAIN, images.first(10), hardware, CalibrationParams())
    fit = FitParams(rounding="compensated", passes=0)
    told = []
    trials = search_network(
        *(PLAIN, parameters, quantisations, batches, images.after(10), fit, TARGET, 2),
        lambda *what: told.append(what),
    )
    names = [layer.name for layer in PLAIN.layers]
    first = next(trials)
    weighed, told = told[:8], told[8:]
    assert sorted(what for what, _, _ in weighed) == sorted(2 * [f"weighing {n}" for n in names])
    assert [more for _, *more in weighed] == [[n, 8] for n in range(1, 9)]
    assert told[:4] == [(f"candidates for {name}", n, 4) for n, name in enumerate(names, 1)]
    mapped = [(f"mapping {name}", n, 4) for n, name in enumerate(names, 1)]
    measured = [("images on crossbars", n, 6) for n in (5, 6)]
    assert told[4:] == mapped + measured
    (second,) = trials
    assert first.accuracy != second.accuracy
    again = measure_accuracy(PLAIN, first.mappings, images.after(10), lambda *what: None)
    assert again == first.accuracy
    assert first.accuracy["images"] == 6


def test_checks():
    """Labels are needed for a drop alone; images and float weights always."""
    bare, labelled = data(labelled=False), data(labelled=True)
    batches = [values for values, _ in bare.first(4)]
    drop = Target(max_drop=1.0, max_divergence=0.1)
    check_search(PLAIN, batches, bare, TARGET)
    check_search(PLAIN, batches, labelled, drop)
    with pytest.raises(InputError, match=r"^max_drop = 1\.0 needs labels, data has none$"):
        check_search(PLAIN, batches, bare, drop)
    with pytest.raises(InputError, match="to 3 calibration images, at least 4 are needed"):
        check_search(PLAIN, [batches[0][:3]], labelled, drop)
    with pytest.raises(InputError, match="only float weights"):
        check_search(fixture_network("residual_qdq"), batches, bare, TARGET)
