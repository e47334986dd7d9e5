"""Calibrated networks that were saved by `sme map` run as if they had just been mapped."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from sim.cosim import CosimError
from sim.mapping import load_mapping, load_seen
from sme_cli import cosim_network
from sme_cli.main import main
from tests.command_line import assert_refused, report
from tests.network_cases import FOLDER, copy_networks

DATA = ("--data", "plain.npz", "--normalise", "unit")
FEW = ("--calibration-images", "6")
OPTIONS = ("--preset", "tiny", "--squeeze", "2", "--adc-bits", "2", "--scale", "column")
RULES = ("--layer-parameters", "rules.toml")


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """Work in a folder with networks and images."""
    monkeypatch.chdir(tmp_path)
    copy_networks(tmp_path)
    (tmp_path / "rules.toml").write_text('[[layer]]\nmatch = "hidden*"\nadc_bits = 1\n')
    return tmp_path


@pytest.mark.parametrize("options", [("--range", "channels"), ("--range", "mse", *RULES)])
def test_saved_network_gives_the_same_numbers(options):
    """Accuracy, clips, losses and counts of `sme eval`, with no option but the folder."""
    expected = report("eval", "plain.onnx", *DATA, *FEW, *OPTIONS, *options)
    assert sum(map(sum, (layer["clips"] for layer in expected["layers"]))) > 0
    counts = report("map", "plain.onnx", *DATA, *FEW, *OPTIONS, *options, "-o", "m")
    assert report("eval", "plain.onnx", *DATA, "--mapping", "m") == expected
    assert counts["crossbars"] == expected["crossbars"]
    for mine, other in zip(counts["layers"], expected["layers"], strict=True):
        assert mine["input"] == other["input"] is not None
    factors = [layer.calibration.quantisation.factors for layer in load_mapping("m")]
    assert (max(map(len, factors)) > 1) == ("channels" in options)
    # Another calibration is another mapping: the comparison above can fail.
    report("map", "plain.onnx", *DATA, "--calibration-images", "7", *OPTIONS, *options, "-o", "m")
    assert report("eval", "plain.onnx", *DATA, "--mapping", "m") != expected


def test_images_of_calibration_are_left_out():
    """Those of the data set that the mapping has seen; of another one, none."""
    assert main(["map", "plain.onnx", *DATA, *FEW, *OPTIONS, "-o", "m"]) == 0
    (seen,) = load_seen("m")
    assert seen.of == 16
    assert len(set(seen.indices)) == 6
    (entry,) = json.loads(Path("m/mapping.json").read_text())["seen_images"]
    assert entry == {"of": 16, "indices": list(seen.indices)}

    images = np.load("plain.npz")
    left = [i for i in range(16) if i not in seen.indices]
    np.savez("left.npz", **{key: images[key][left] for key in images})
    options = ("--normalise", "unit", "--mapping", "m", "--sensitivity", "0")
    found, alone = (
        report("eval", "plain.onnx", "--data", data, *options)["accuracy"]
        for data in ("plain.npz", "left.npz")
    )
    assert found == alone
    assert found["images"] == 10

    content = json.loads(Path("m/mapping.json").read_text())
    content["seen_images"][0]["indices"] = list(range(16))
    Path("m/mapping.json").write_text(json.dumps(content))
    assert main(["eval", "plain.onnx", *DATA, "--mapping", "m"]) == 2


def test_cosim_gets_the_same_work(monkeypatch):
    """Mapping and vectors that go into the RTL are those of a co-simulation that maps."""
    taken = []

    def cosim_layers(work, **_):
        taken.append(work)
        raise CosimError("that is enough")

    monkeypatch.setattr(cosim_network, "cosim_layers", cosim_layers)
    options = (*OPTIONS, "--range", "channels")
    assert main(["map", "plain.onnx", *DATA, *FEW, *options, "-o", "m"]) == 0
    for own in ((*FEW, *options), ("--mapping", "m")):
        assert main(["cosim", "plain.onnx", *DATA, "--vectors", "3", *own]) == 1
    for (left, inputs), (right, others) in zip(*taken, strict=True):
        assert left.parameters == right.parameters
        assert inputs.tolist() == others.tolist()
        for one, other in zip(left.matrices, right.matrices, strict=True):
            assert one.codes.tolist() == other.codes.tolist()


@pytest.fixture
def saved(work):
    """Save a calibrated and an uncalibrated mapping; make networks that they are not of."""
    assert main(["map", "plain.onnx", *DATA, *FEW, *OPTIONS, "-o", "m"]) == 0
    assert main(["map", "plain.onnx", *OPTIONS, "-o", "bare"]) == 0
    model = onnx.load("plain.onnx")
    for tensor in model.graph.initializer:
        if tensor.name == "hidden.weight":
            values = onnx.numpy_helper.to_array(tensor)
            tensor.name = "other.weight"
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == "hidden.weight":
                node.input[place] = "other.weight"
    onnx.save(model, "renamed.onnx")
    shutil.copy(FOLDER / "residual_dynamo.onnx", "residual.onnx")
    shutil.copytree("m", "other")
    content = json.loads((work / "m" / "mapping.json").read_text())
    (entry,) = (e for e in content["layers"] if e["name"] == "hidden.weight")
    assert entry["shape"] == list(values.shape)
    entry["shape"] = [values.shape[0], values.shape[1] // 2, 2, 1]
    (work / "other" / "mapping.json").write_text(json.dumps(content))
    np.savez("w.npz", weight=np.ones((4, 4)))
    np.savez("x.npz", x=np.ones((2, 4), int))
    return work


EVAL = ("eval", "plain.onnx", *DATA)
MAP = ("map", "plain.onnx")
BAD = [
    (("eval", "renamed.onnx", *DATA, "--mapping", "m"), "of another network: it has hidden.weight"),
    (("eval", "renamed.onnx", *DATA, "--mapping", "m"), "renamed.onnx has other.weight"),
    (("eval", "residual.onnx", *DATA, "--mapping", "m"), "--mapping m: the mapping is of another"),
    ((*EVAL, "--mapping", "bare"), "first.weight: its mapping was not calibrated"),
    ((*EVAL, "--mapping", "other"), "hidden.weight: its mapping has weights (8, 12, 2, 1)"),
    ((*EVAL, "--mapping", "absent"), "absent"),
    ((*EVAL, "--mapping", "plain.npz"), "plain.npz"),
    ((*EVAL, "--mapping", "."), "the mapping in . cannot be read"),
    ((*EVAL, "--calibration-images", "0"), "--calibration-images 0"),
    ((*MAP, *DATA, "--calibration-images", "0"), "--calibration-images 0"),
    ((*MAP, "--data", "plain.npz"), "a normalisation is needed"),
    ((*MAP, "--data", "absent.npz"), "absent.npz"),
    ((*MAP, *DATA, "--range", "best"), "best"),
    (("map", "w.npz", "--data", "plain.npz"), "--data plain.npz: only networks"),
    (("map", "w.npz", "--range", "full"), "--range needs --data"),
    ((*MAP, "--normalise", "unit"), "--normalise needs --data"),
    ((*MAP, "--no-zero-point"), "--zero-point needs --data"),
    ((*MAP, "--calibration-images", "9"), "--calibration-images needs --data"),
]
BAD += [
    ((*start, "--mapping", "m", *option), f"{option[0]} contradicts --mapping m")
    for start in (EVAL, ("cosim", "plain.onnx", *DATA))
    for option in (
        ("--preset", "small"),
        ("--squeeze", "1"),
        ("--scale", "column"),
        ("--input-bits", "8"),
        ("--range", "full"),
        ("--zero-point",),
        ("--calibration", "plain.npz"),
        ("--calibration-images", "6"),
        ("--layer-parameters", "rules.toml"),
    )
]


def test_bad_input(saved, capsys):
    """One clear line, nothing written."""
    for arguments, words in BAD:
        assert_refused(capsys, saved, arguments, words)
