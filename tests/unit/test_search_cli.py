"""`sme search`: what it reports is what was found, and what it saves runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from sim.compensation.search import Target
from sim.mapping import load_mapping, schedule
from sim.network.evaluation import evaluate
from sim.network.mapped_network import assemble
from sme_cli.main import main
from tests.network_cases import copy_networks, fixture_images, fixture_network
from tests.network_reference import network_outputs
from tests.onnx_models import save
from tests.random_cases import seeded

DATA = ("--data", "plain.npz", "--normalise", "unit")
CALIBRATED = (*DATA, "--calibration-images", "8")
SEARCH = ("search", "plain.onnx", *CALIBRATED, "--preset", "tiny", "--adc-bits", "lossless")
FEW = ("--validation-images", "4", "--trials", "2")
TARGET = ("--max-divergence", "0.01")
SPLIT, WHOLE = (
    ("--candidate", "policy=split,squeeze=7"),
    ("--candidate", "policy=rounded,squeeze=0"),
)


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """Work in a folder with networks and images."""
    monkeypatch.chdir(tmp_path)
    copy_networks(tmp_path)
    with np.load("plain.npz") as archive:
        np.savez("bare.npz", images=archive["images"])
    return tmp_path


def report(*arguments, code=0):
    """Run a command; returns its report."""
    assert main([*arguments, "--json", "r.json"]) == code
    return json.loads(Path("r.json").read_text(encoding="utf-8"))


def validated(saved, count):
    """Return the accuracy of a mapping on the ``count`` images that follow 8 of calibration."""
    images, labels = fixture_images("plain_dynamo")
    order = np.random.default_rng(2026).permutation(16)[8 : 8 + count]
    mapped = assemble(fixture_network("plain_dynamo"), saved)
    return evaluate(mapped, [(images[order], labels[order])]).comparison.as_dict()


def check(found):
    """Assert that a report is consistent."""
    target = Target(**found["target"])
    work = [trial["crossbar_cycles"]["squeezed"] for trial in found["trials"]]
    met = [target.met(trial["accuracy"]) for trial in found["trials"]]
    assert [trial["met"] for trial in found["trials"]] == met
    assert found["met"] == any(met)
    if found["met"]:
        assert work[found["best"]] == min(w for w, enough in zip(work, met, strict=True) if enough)
    else:
        losses = [trial["accuracy"]["kl"] for trial in found["trials"]]
        assert losses[found["best"]] == min(losses)
    for trial in found["trials"]:
        assert trial["accuracy"]["images"] == found["validation_images"]


def test_end_to_end(capsys):
    """Report, saved mapping and its evaluation agree; a second run finds the same."""
    found = report(*SEARCH, "--validation-images", "4", "--trials", "5", *TARGET, "-o", "m")
    out, _ = capsys.readouterr()
    assert list(found) == [
        *("model", "data", "target", "met", "calibration_images", "validation_images"),
        *("trials", "best", "accuracy", "mapping"),
    ]
    assert (found["model"], found["data"]) == ("plain.onnx", "plain.npz")
    assert found["target"] == {"max_drop": None, "min_agreement": None, "max_divergence": 0.01}
    assert (found["calibration_images"], found["validation_images"]) == (8, 4)
    assert found["met"]
    assert 2 <= len(found["trials"]) <= 5
    check(found)

    # What it says about layers is what was saved.
    best = found["trials"][found["best"]]
    saved = load_mapping("m")
    assert len(best["layers"]) == len(saved) == 4
    for layer, mapping in zip(best["layers"], saved, strict=True):
        options = mapping.parameters.mapping
        assert (layer["policy"], layer["squeeze"]) == (options.policy, options.squeeze)
        assert layer["window"] == options.window == 8, "of the usual candidates, one has another"
        assert layer["crossbars"]["squeezed"] == mapping.counts.squeezed
        assert layer["crossbar_cycles"]["squeezed"] == schedule(mapping).crossbar_cycles
        assert layer["estimated_divergence"] >= 0
        assert f"{layer['name']} " in out
    assert len({layer["policy"] for layer in best["layers"]}) > 1, "both kinds have their use"
    assert found["mapping"]["crossbars"]["squeezed"] == best["crossbars"]["squeezed"]

    # On images of validation, and on those that are left: none was seen by the search.
    assert validated(saved, 4) == best["accuracy"]
    rest = report("eval", "plain.onnx", *DATA, "--mapping", "m")
    assert rest["crossbars"] == found["mapping"]["crossbars"]
    assert rest["accuracy"] == found["accuracy"]
    assert rest["accuracy"]["images"] == 4
    assert "On images that had no part in the search:" in out
    assert f"{rest['accuracy']['kl']}" in out
    assert "saved in m: mapping.npz, mapping.json" in out
    assert report(*SEARCH, "--validation-images", "4", "--trials", "5", *TARGET) == found

    # Integers are what the golden model says.
    images, _ = fixture_images("plain_dynamo")
    mapped = assemble(fixture_network("plain_dynamo"), saved)
    outputs = mapped.runner()(images[:2])
    assert outputs.tolist() == network_outputs(mapped, images[:2])[0].tolist()


def test_progress_is_told(capsys):
    """A line for each trial as soon as it is done; the target is mentioned if it is not met."""
    found = report(*SEARCH, *FEW, "--max-divergence", "0", *SPLIT, "-o", "m", code=1)
    out, err = capsys.readouterr()
    assert not found["met"]
    check(found)
    assert [line.split(":")[0] for line in err.splitlines()] == ["trial 1", "trial 2"]
    assert all(line.endswith(": not met") for line in err.splitlines())
    assert out.endswith("the target was not met; this is the most accurate of all trials\n")
    best = found["trials"][found["best"]]
    assert validated(load_mapping("m"), 4) == best["accuracy"]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (("--max-drop", "100"), 0),
        (("--max-drop", "-100"), 1),
        (("--min-agreement", "0"), 0),
        (("--max-divergence", "1", "--max-drop", "-100"), 1),
        (("--max-divergence", "1", "--min-agreement", "0", "--max-drop", "100"), 0),
    ],
)
def test_targets(target, code):
    """Each alone and all together; exit code 1 says that they were not met."""
    found = report(*SEARCH, "--validation-images", "4", "--trials", "1", *target, *WHOLE, code=code)
    limits = dict(zip(target[::2], map(float, target[1::2]), strict=True))
    for key, value in found["target"].items():
        assert value == limits.get(f"--{key.replace('_', '-')}")
    assert found["met"] == (code == 0)
    assert len(found["trials"]) == 1
    check(found)


def test_no_images_are_left(capsys):
    """Then there is no evaluation, and that is said; of fewer than asked for, all are taken."""
    options = (*SEARCH, "--trials", "1", "--max-divergence", "1", *WHOLE)
    found = report(*options)  # 256 for validation
    assert (found["validation_images"], found["accuracy"]) == (8, None)
    assert "No images are left that had no part in the search." in capsys.readouterr()[0]
    found = report(*options, "--validation-images", "5", "--images", "100")
    assert (found["validation_images"], found["accuracy"]["images"]) == (5, 3)
    found = report(*options, "--validation-images", "5", "--images", "2")
    assert (found["validation_images"], found["accuracy"]["images"]) == (5, 2)
    found = report(*options, "--calibration", "bare.npz", "--validation-images", "9")
    assert (found["calibration_images"], found["accuracy"]["images"]) == (8, 7)


def network(path, rng, **weights):
    """Write x -> a -> ReLU -> + its product with z -> b -> y, of those weights there are."""
    nodes, last = [], "x"
    for name, previous in zip(weights, [None, *weights], strict=False):
        nodes.append(helper.make_node("MatMul", [last, name], [f"{name}_product"], f"{name}_node"))
        last = f"{name}_product"
        if name == "z":
            nodes.append(helper.make_node("Add", [last, f"{previous}_relu"], ["z_sum"]))
            last = "z_sum"
        elif len(weights) > 1 and name != "b":
            nodes.append(helper.make_node("Relu", [last], [f"{name}_relu"]))
            last = f"{name}_relu"
    nodes.append(helper.make_node("Identity", [last], ["y"]))
    inputs = len(next(iter(weights.values())))
    save(path, nodes, {"x": ["N", inputs]}, {k: v.astype(np.float32) for k, v in weights.items()})
    np.savez("x.npz", x=rng.normal(size=(48, inputs)).astype(np.float32))
    return "search", path, "--data", "x.npz", "--preset", "tiny", "--max-divergence", "0.02"


@pytest.mark.parametrize(
    "options",
    [
        ("--adc-bits", "lossless"),
        ("--adc-bits", "3"),
        ("--adc-bits", "4,4,3,2"),
        ("--adc-bits", "lossless", "--signed-inputs", "--no-zero-point"),
        ("--adc-bits", "lossless", "--cell-bits", "2", "--rows-active", "4"),
        ("--adc-bits", "lossless", "--weight-bits", "5", "--grouping", "balanced"),
    ],
    ids=" ".join,
)
def test_one_layer(options):
    """Alone, with as many candidates as its cells and converters leave."""
    rng = seeded(31)
    command = network("one.onnx", rng, b=rng.normal(size=(12, 5)))
    more = ("--calibration-images", "24", "--validation-images", "16", "--trials", "4")
    found = report(*command, *more, *options)
    check(found)
    (layer,) = found["trials"][found["best"]]["layers"]
    assert 0 < layer["crossbar_cycles"]["squeezed"] < layer["crossbar_cycles"]["conventional"]
    windows = {trial["layers"][0]["window"] for trial in found["trials"]}
    assert windows - {3} == {5 if "--weight-bits" in options else 8}
    if options == ("--adc-bits", "4,4,3,2"):
        tried = {trial["layers"][0]["squeeze"] for trial in found["trials"]}
        assert tried == {4}, "no others have four planes"


def test_a_layer_of_zeros():
    """It gets no crossbar, costs nothing, and does not disturb the others."""
    rng = seeded(32)
    weights = {
        "a": rng.normal(size=(6, 12)),
        "z": np.zeros((12, 12)),
        "b": rng.normal(size=(12, 5)),
    }
    command = network("zeros.onnx", rng, **weights)
    more = ("--calibration-images", "24", "--validation-images", "16", "--adc-bits", "lossless")
    found = report(*command, *more)
    check(found)
    for trial in found["trials"]:
        first, zeros, last = trial["layers"]
        assert (zeros["crossbars"]["squeezed"], zeros["estimated_divergence"]) == (0, 0.0)
        assert min(first["crossbars"]["squeezed"], last["crossbars"]["squeezed"]) > 0


CANDIDATES = [
    # what is wrong, and what is told beside it
    ("policy", "policy=..., squeeze=..., window=... are possible"),
    ("policy=", "policy=..., squeeze=..., window=... are possible"),
    ("", "policy=..., squeeze=..., window=... are possible"),
    ("policy=split,squeeze=7,", "policy=..., squeeze=..., window=... are possible"),
    ("rows=8", "policy=..., squeeze=..., window=... are possible"),
    ("squeeze=4,squeeze=5", "policy=..., squeeze=..., window=... are possible, each once"),
    ("policy=slit", "policy = 'slit' is not possible: "),
    ("policy=split,squeeze=seven", "squeeze is a number, not 'seven'"),
    ("policy=split,squeeze=-1", "squeeze is a number, not '-1'"),
    ("policy=split,squeeze=8", "squeeze = 8 is not possible: an integer in 0..7"),
    ("policy=rounded,squeeze=2,window=9", "window = 9 is not possible: an integer in 1..8"),
]
BAD = [
    ((*TARGET, "--candidate", text), f"--candidate {text}: {words}") for text, words in CANDIDATES
]
BAD += [
    ((), "max_drop = None is not possible: a target is needed"),
    (("--max-drop", "nan"), "max_drop = nan is not possible: a number in -100..100"),
    (("--min-agreement", "100.1"), "min_agreement = 100.1 is not possible: a number in 0..100"),
    (("--max-divergence", "-1"), "max_divergence = -1.0 is not possible: a number in 0..1e+06"),
    (("--max-divergence", "much"), "'much' is not a valid float"),
    ((*TARGET, "--policy", "split"), "--policy is searched: see --candidate"),
    ((*TARGET, "--squeeze", "3"), "--squeeze is searched: see --candidate"),
    ((*TARGET, "--window", "8"), "--window is searched: see --candidate"),
    ((*TARGET, "--trials", "0"), "0 is not in the range x>=1"),
    ((*TARGET, "--validation-images", "0"), "0 is not in the range x>=1"),
    ((*TARGET, "--images", "0"), "0 is not in the range x>=1"),
    (
        (*TARGET, "--images", "3"),
        "--images 3: none is left beside those for calibration and 8 for valid",
    ),
    ((*TARGET, "--calibration-images", "3"), "to 3 calibration images, at least 4 are needed"),
    ((*TARGET, "--calibration-images", "0"), "to 0 calibration images, at least 4 are needed"),
    ((*TARGET, "--calibration-images", "16"), "16 of 16 images are for calibration, none is left"),
    ((*TARGET, "--calibration-images", "6"), "hidden.weight: 6 input vectors"),
    ((*TARGET, "--codec", "po2"), "codec = 'po2' is not possible"),
    ((*TARGET, "--damping", "0"), "damping = 0.0 is not possible"),
    ((*TARGET, "--rows", "3"), "rows = 3 is not possible: an integer in 4..512"),
    ((*TARGET, "--adc-bits", "4,4,4"), "adc_bits = (4, 4, 4) is not possible: one number, or "),
    (
        (*TARGET, "--adc-bits", "4,4", *SPLIT),
        "--candidate policy=split,squeeze=7: adc_bits = (4, 4) is not possible: one number, or 1 ",
    ),
    ((*TARGET, "--weight-bits", "5", *SPLIT), "squeeze = 7 is not possible: 0..4 in steps of"),
    ((*TARGET, "--cell-bits", "2", *SPLIT), "squeeze = 7 is not possible: 0..6 in steps of"),
    ((*TARGET, "--preset", "none"), "preset = 'none' is not possible"),
    ((*TARGET, "--ratio", "3"), "No such option"),
    (("--max-drop", "1", "--data", "bare.npz"), "max_drop = 1.0 needs labels, bare.npz has none"),
    ((*TARGET, "-o", "plain.npz"), "plain.npz"),
    ((*TARGET, "-o", "plain.npz/deep"), "plain.npz/deep cannot be written"),
    ((*TARGET, "--json", "plain.npz/r.json"), "plain.npz/r.json cannot be written"),
    ((*TARGET, "--json", "."), "is a directory"),
]
QUANTISED = ("search", "quantised.onnx", "--data", "residual.npz", "--normalise", "unit", *TARGET)


def test_bad_input(work, capsys):
    """Exit code 2, one clear line, nothing written, nothing tried."""
    before = sorted(work.rglob("*"))
    cases = [((*SEARCH, *more), words) for more, words in BAD]
    fitted = "only float weights can be fitted to calibration images"
    cases.append(((*QUANTISED, "--calibration-images", "8"), fitted))
    cases.append((("search", "none.onnx", *TARGET), "'none.onnx' does not exist"))
    cases.append((("search", "plain.npz", *TARGET, *DATA), "plain.npz"))
    cases.append((("search", "plain.onnx", *TARGET), "--data is needed"))
    for arguments, words in cases:
        code = main([*arguments])
        out, err = capsys.readouterr()
        assert code == 2, arguments
        assert words in " ".join(err.split()), (arguments, err)
        assert "Traceback" not in err
        assert err.startswith(("error: ", "Usage: "))
        assert not err.startswith("error:") or err.count("\n") == 1
        assert out == ""
    assert sorted(work.rglob("*")) == before
