"""`sme map`, `sme eval` and `sme cosim` of networks that are fitted to calibration images."""

import numpy as np
import pytest

from sim.mapping import load_mapping
from sme_cli.main import main
from tests.command_line import assert_refused, report
from tests.compensation_cases import fitted
from tests.network_cases import copy_networks, fixture_images, fixture_network

IMAGES = ("--data", "plain.npz", "--normalise", "unit")
DATA = (*IMAGES, "--calibration-images", "10")
OPTIONS = ("--preset", "tiny", "--scale", "column")
SPLIT = (*OPTIONS, "--policy", "split", "--squeeze", "7", "--adc-bits", "2")
SHARED = ("--rounding", "compensated", "--bias-correction", "--additions", "--ratio", "3")
MAP, EVAL = ("map", "plain.onnx", *DATA), ("eval", "plain.onnx", *DATA)


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """Work in a folder with networks and images."""
    monkeypatch.chdir(tmp_path)
    copy_networks(tmp_path)
    (tmp_path / "rules.toml").write_text('[[layer]]\nmatch = "hidden*"\ncodec = "po2"\n')
    return tmp_path


CASES = {
    "split": (*SPLIT, *SHARED),
    "rounded": (*OPTIONS, "--policy", "rounded", "--squeeze", "5", "--window", "8", *SHARED),
    "biases": (*OPTIONS, "--squeeze", "2", "--bias-correction"),
    "all options": (
        *(*OPTIONS, "--policy", "plain", "--squeeze", "4", "--rounding", "compensated"),
        *("--damping", "0.1", "--passes", "1", "--range", "channels"),
    ),
}


@pytest.mark.parametrize("options", CASES.values(), ids=CASES)
def test_saved_mappings_give_the_same_numbers(options):
    """Accuracy, clips, losses and counts; and they are not those of another fit."""
    expected = report(*EVAL, *options)
    counts = report(*MAP, *options, "-o", "m")
    assert report("eval", "plain.onnx", *IMAGES, "--mapping", "m") == expected
    assert counts["crossbars"] == expected["crossbars"]
    if "--ratio" in options:
        assert counts["crossbars"]["squeezed"] <= counts["crossbars"]["conventional"] / 3
    other = tuple(o for o in options if o != "--bias-correction")
    if other == options:
        other = (*options, "--passes", "0")
    assert report(*EVAL, *other) != expected


def test_options_reach_the_fit():
    """What is saved is what the library fits with the same options and images."""
    fit = {"rounding": "compensated", "ratio": 2.5, "damping": 0.1, "passes": 1}
    options = [part for key, value in fit.items() for part in (f"--{key}", str(value))]
    assert main([*MAP, *SPLIT, *options, "-o", "m"]) == 0
    images, _ = fixture_images("plain_dynamo")
    chosen = np.sort(np.random.default_rng(2026).permutation(16)[:10])
    network = fixture_network("plain_dynamo")
    options = {"rows": 8, "cols": 8, "policy": "split", "squeeze": 7, "adc_bits": 2}
    expected = fitted(network, images[chosen], fit=fit, **options)
    for own, other in zip(load_mapping("m"), expected.layers, strict=True):
        assert own.parameters == other.mapping.parameters
        assert own.calibration.bias.tolist() == other.mapping.calibration.bias.tolist()
        for one, two in zip(own.matrices, other.mapping.matrices, strict=True):
            assert one.codes.tolist() == two.codes.tolist()
            assert one.row_shifts.tolist() == two.row_shifts.tolist()
            assert np.allclose(one.code_steps, two.code_steps, rtol=1e-5)


FIT = ("--rounding", "compensated")
QUANTISED = ("map", "quantised.onnx", "--data", "residual.npz", "--normalise", "unit")
BAD = [
    ((*MAP, *OPTIONS, *FIT, "--calibration-images", "3"), "to 3 calibration images, at least 4"),
    ((*MAP, *OPTIONS, "--bias-correction", "--calibration-images", "1"), "to 1 calibration"),
    ((*MAP, *OPTIONS, *FIT, "--calibration-images", "0"), "--calibration-images 0"),
    ((*MAP, *OPTIONS, *FIT, "--calibration-images", "6"), "hidden.weight: 6 input vectors"),
    ((*QUANTISED, *FIT), "only float weights can be fitted to calibration images"),
    ((*QUANTISED, "--bias-correction"), "only float weights can be fitted"),
    ((*MAP, *FIT, "--codec", "po2"), "codec = 'po2' is not possible"),
    ((*MAP, *FIT, "--layer-parameters", "rules.toml"), "codec = 'po2' is not possible"),
    ((*MAP, *FIT, "--ratio", "0.5"), "ratio = 0.5 is not possible"),
    ((*MAP, *FIT, "--ratio", "nan"), "ratio = nan is not possible"),
    ((*MAP, *FIT, "--ratio", "100000"), "0 crossbars are too few"),
    ((*MAP, *SPLIT, *FIT, "--ratio", "100000"), "0 crossbars are too few"),
    ((*MAP, "--ratio", "3"), "ratio = 3.0 is not possible: it needs rounding = compensated"),
    ((*MAP, "--bias-correction", "--additions"), "it needs rounding = compensated"),
    ((*MAP, *FIT, "--damping", "0"), "damping = 0.0 is not possible"),
    ((*MAP, *FIT, "--passes", "101"), "passes = 101 is not possible"),
    ((*MAP, "--rounding", "best"), "best"),
    (("map", "plain.onnx", *FIT), "--rounding needs --data"),
    (("map", "plain.onnx", "--bias-correction"), "--bias-correction needs --data"),
    (("map", "plain.onnx", "--ratio", "2"), "--ratio needs --data"),
]
BAD += [
    ((command, "plain.onnx", *IMAGES, "--mapping", "m", *option), f"{option[0]} contradicts")
    for command in ("eval", "cosim")
    for option in (
        FIT,
        ("--ratio", "3"),
        ("--bias-correction",),
        ("--additions",),
        ("--damping", "0.1"),
        ("--passes", "2"),
    )
]


def test_bad_input(work, capsys):
    """One clear line, nothing written."""
    assert main([*MAP, *OPTIONS, "-o", "m"]) == 0
    for arguments, words in BAD:
        more = ("-o", "new", "--json", "new.json") if arguments[0] == "map" else ()
        assert_refused(capsys, work, (*arguments, *more), words)
