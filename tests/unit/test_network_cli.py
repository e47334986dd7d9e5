"""`sme eval` and `sme cosim` of networks: reports for machines, and one line for what is wrong."""

import json

import numpy as np
import onnx
import pytest

from sim.network.sensitivity import STEPS
from tests.command_line import assert_refused, run
from tests.network_cases import FOLDER, fixture_images, fixture_network, on_crossbars
from tests.network_reference import network_outputs


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Work in a folder with networks and images, good and bad."""
    monkeypatch.chdir(tmp_path)
    for name in ("plain", "residual"):
        with np.load(FOLDER / f"{name}.npz") as archive:
            np.savez(f"{name}.npz", images=archive["images"], labels=archive["labels"])
    with np.load("plain.npz") as archive:
        images, labels = archive["images"], archive["labels"]
    np.savez("wide.npz", images=images.repeat(2, axis=3))
    np.savez("labels.npz", images=images, labels=labels + 1)
    np.savez("unlabelled.npz", images=images)
    model = (FOLDER / "plain_dynamo.onnx").read_bytes()
    (tmp_path / "plain.onnx").write_bytes(model)
    (tmp_path / "cut.onnx").write_bytes(model[:700])
    residual = onnx.load(FOLDER / "residual_dynamo.onnx")
    dims = residual.graph.input[0].type.tensor_type.shape.dim
    dims[0].dim_value = 1
    dims[2].dim_param, dims[3].dim_param = "H", "W"
    del residual.graph.value_info[:]
    onnx.save(residual, "free.onnx")
    dims[0].dim_value, dims[2].dim_value, dims[3].dim_value = 8, 16, 16
    onnx.save(residual, "eight.onnx")
    (tmp_path / "rules.toml").write_text('[[layer]]\nmatch = "hidden*"\nadc_bits = 1\n')
    (tmp_path / "misses.toml").write_text('[[layer]]\nmatch = "nothing"\nadc_bits = 1\n')
    np.save("w.npy", np.ones((4, 4)))
    np.save("x.npy", np.ones((2, 4), int))
    return tmp_path


EVAL = ("eval", "plain.onnx", "--data", "plain.npz", "--normalise", "unit")
FEW = ("--calibration-images", "6", "--preset", "tiny")


def test_eval_reports(data, capsys):
    """Accuracy, clips and losses are those of the network run by itself, on the other images."""
    options = (*FEW, "--adc-bits", "2", "--squeeze", "2", "--layer-parameters", "rules.toml")
    code, out, _ = run(capsys, *EVAL, *options, "--json", "e.json")
    assert code == 0
    report = json.loads((data / "e.json").read_text())
    assert (report["model"], report["data"]) == ("plain.onnx", "plain.npz")
    assert report["accuracy"]["images"] == report["sensitivity"]["images"] == 10

    images, labels = fixture_images("plain_dynamo")
    network = fixture_network("plain_dynamo")
    order = np.random.default_rng(2026).permutation(16)
    mapped = on_crossbars(
        network, images[order[:6]], "tiny", adc_bits=2, squeeze=2, second={"adc_bits": 2}
    )
    hidden = on_crossbars(network, images[order[:6]], "tiny", adc_bits=1, squeeze=2).layers[2]
    mapped = type(mapped)(network, (*mapped.layers[:2], hidden, mapped.layers[3]))
    outputs, done = network_outputs(mapped, images[order[6:]])
    right = 100 * np.mean(outputs.argmax(axis=1) == labels[order[6:]])
    assert report["accuracy"]["top1"] == round(right, 2)
    assert report["accuracy"]["top1_float"] == 100
    for entry, layer, reference in zip(report["layers"], mapped.layers, done, strict=True):
        assert entry["name"] == layer.layer.name
        assert entry["clips"] == reference.clips.tolist()
        assert entry["conversions"] == reference.conversions
        assert entry["vectors"] == reference.vectors
        assert entry["input"]["zero_point"] == layer.quantisation.zero_point
    assert report["layers"][2]["parameters"]["adc_bits"] == 1
    assert list(report["sensitivity"]["steps"]) == list(STEPS)
    assert report["sensitivity"]["steps"]["ADCs"]["top1"] == report["accuracy"]["top1"]
    shares = [layer["shares"] for layer in report["sensitivity"]["layers"]]
    assert max(share["squeezed out"] for share in shares) > 0
    assert max(share["ADCs"] for share in shares) > 0
    assert {"conventional", "sliced", "squeezed", "physical"} == set(report["crossbars"])
    for text in ("top-1 lost", "the worst layer is", "hidden.weight", "10 images", "clipped"):
        assert text in out


def test_eval_without_labels_and_sensitivity(data, capsys):
    """Then there is agreement with the float network alone."""
    arguments = ("eval", "plain.onnx", "--data", "unlabelled.npz", "--normalise", "unit", *FEW)
    code, out, _ = run(
        capsys, *arguments, "--images", "3", "--sensitivity", "0", "--json", "e.json"
    )
    assert code == 0
    report = json.loads((data / "e.json").read_text())
    assert "sensitivity" not in report
    assert report["accuracy"]["images"] == 3
    assert report["accuracy"]["top1"] is None
    assert 0 <= report["accuracy"]["agreement"] <= 100
    assert "top-1 lost" not in out
    assert "the worst layer" not in out


def test_eval_on_other_images_for_calibration(data, capsys):
    """All images are evaluated then; the model is taken one by one, its shape is given."""
    arguments = ("eval", "free.onnx", "--data", "residual.npz", "--calibration", "residual.npz")
    shape = ("--input-shape", "3,16,16", "--normalise", "unit", "--range", "full")
    options = ("--preset", "small", "--adc-bits", "lossless", "--sensitivity", "2")
    code, _, err = run(capsys, *arguments, *shape, *options, "--json", "e.json")
    assert code == 0, err
    report = json.loads((data / "e.json").read_text())
    assert report["accuracy"]["images"] == 16
    assert report["accuracy"]["agreement"] > 80
    assert report["sensitivity"]["images"] == 2
    images, _ = fixture_images("residual_dynamo")
    assert report["layers"][0]["input"]["scale"] == pytest.approx(float(images.max()) / 255)


def test_eval_of_channels_last(data, capsys):
    """The order of axes is seen from their sizes, and nothing else changes."""
    model = onnx.load("plain.onnx")
    first = model.graph.input[0]
    model.graph.node.insert(
        0, onnx.helper.make_node("Transpose", ["last"], [first.name], perm=[0, 3, 1, 2])
    )
    first.name = "last"
    for axis, size in enumerate((12, 12, 1), 1):
        first.type.tensor_type.shape.dim[axis].dim_value = size
    onnx.save(model, "last.onnx")
    reports = []
    for name in ("plain.onnx", "last.onnx"):
        arguments = ("eval", name, *EVAL[2:], *FEW, "--sensitivity", "0", "--json", "e.json")
        assert run(capsys, *arguments)[0] == 0
        reports.append(json.loads((data / "e.json").read_text()) | {"model": ""})
    assert reports[0] == reports[1]


FREE = ("eval", "free.onnx", "--data", "residual.npz", "--normalise", "unit")
COSIM = ("cosim", "plain.onnx", "--data", "plain.npz", "--normalise", "unit", *FEW)
BAD = [
    (("eval", "plain.onnx"), "--data is needed"),
    (("cosim", "plain.onnx"), "--data is needed"),
    (("eval", "plain.onnx", "--data", "plain.npz"), "a normalisation is needed"),
    (("eval", "plain.onnx", "--data", "absent.npz"), "absent.npz"),
    (("eval", "absent.onnx", "--data", "plain.npz"), "absent.onnx"),
    (("eval", "cut.onnx", "--data", "plain.npz"), "cut.onnx cannot be read as ONNX"),
    (("eval", "plain.npz", "--data", "plain.npz"), "plain.npz cannot be read as ONNX"),
    (("cosim", "cut.onnx", "--data", "plain.npz"), "cut.onnx cannot be read as ONNX"),
    (("eval", "plain.onnx", "--data", "wide.npz", "--normalise", "unit"), "wide.npz: images"),
    (("eval", "plain.onnx", "--data", "labels.npz", "--normalise", "unit"), "0 to 5 are possible"),
    ((*EVAL, "--label-offset", "9"), "label of image 0"),
    ((*EVAL, "--normalise", "mean"), "'mean'"),
    ((*EVAL, "--normalise", "0,0/1,1"), "2 channels, the network's input 1"),
    ((*EVAL, "--calibration-images", "16"), "16 of 16 images are for calibration"),
    ((*EVAL, "--calibration-images", "0"), "--calibration-images 0: images to calibrate on"),
    ((*EVAL, "--calibration-images", "-1"), "'--calibration-images': -1"),
    ((*EVAL, "--images", "0"), "'--images': 0"),
    ((*EVAL, "--sensitivity", "-1"), "'--sensitivity': -1"),
    ((*EVAL, "--range", "best"), "best"),
    ((*EVAL, "--layout", "CHWN"), "CHWN"),
    ((*EVAL, *FEW, "--layout", "NHWC"), "plain.npz"),
    ((*EVAL, *FEW, "--layer-parameters", "misses.toml"), "misses.toml"),
    ((*EVAL, *FEW, "--adc-bits", "1,2"), "adc_bits = (1, 2)"),
    ((*EVAL, *FEW, "--input-bits", "1", "--signed-inputs", "--no-zero-point"), "first.weight: "),
    (
        (*EVAL, *FEW, "--input-shape", "1,12,13"),
        "1,12,13: the model's input is 1,12,12",
    ),
    ((*EVAL, *FEW, "--json", "w.npy/e.json"), "w.npy"),
    (FREE, "free.onnx leaves the shape of its input open: give --input-shape"),
    ((*FREE, "--input-shape", "3,16"), "--input-shape 3,16: the model's input is 3,?,?"),
    ((*FREE, "--input-shape", "3,16,x"), "--input-shape 3,16,x"),
    ((*FREE, "--input-shape", "3,0,16"), "--input-shape 3,0,16"),
    ((*FREE, "--input-shape", "1,16,16"), "--input-shape 1,16,16"),
    ((*FREE, "--input-shape", "3,8,8"), "residual.npz"),
    (("eval", "eight.onnx", "--data", "residual.npz"), "takes exactly 8 images at a time"),
    (
        (*COSIM, "--layers", "s*", "--layers", "fc*"),
        "--layers fc* matches no layer, there are f",
    ),
    ((*COSIM, "--weights", "w.npy"), "--weights is for a single matrix, not for a network"),
    ((*COSIM, "--inputs", "x.npy"), "--inputs is for a single matrix"),
    ((*COSIM, "--out", "y.npy"), "--out is for a single matrix"),
    ((*COSIM, "--simulator", "icarus"), "--simulator is for a single matrix"),
    ((*COSIM, "--waves"), "--waves is for a single matrix"),
    ((*COSIM, "--vectors", "0"), "'--vectors': 0"),
    ((*COSIM, "--processes", "0"), "'--processes': 0"),
    ((*COSIM, "--keep", "w.npy/below"), "w.npy"),
    (("cosim",), "either MODEL is needed, or --weights and --inputs"),
    (("cosim", "--weights", "w.npy"), "either MODEL is needed"),
]
MATRIX = ("cosim", "--weights", "w.npy", "--inputs", "x.npy")
BAD += [
    ((*MATRIX, *option), f"{option[0]} is for a network, not for a single matrix")
    for option in (
        ("--layers", "all"),
        ("--vectors", "1"),
        ("--processes", "1"),
        ("--data", "plain.npz"),
        ("--layer-parameters", "rules.toml"),
        ("--normalise", "unit"),
        ("--input-shape", "1,2,3"),
        ("--calibration-images", "3"),
        ("--zero-point",),
        ("--range", "full"),
    )
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input(data, capsys, arguments, words):
    """One clear line, nothing half-written."""
    assert_refused(capsys, data, arguments, words)


def golden_and_rtl(data, capsys, *options):
    """Co-simulate two layers; returns exit code, report and output."""
    arguments = ("--layers", "sec*", "--layers", "class*", "--vectors", "2", "--processes", "1")
    code, out, err = run(capsys, *COSIM, *arguments, *options, "--json", "c.json")
    assert err == ""
    return code, json.loads((data / "c.json").read_text()), out


@pytest.mark.rtl
def test_cosim(data, capsys):
    """Real vectors of chosen layers go through the RTL; a difference gives exit code 1."""
    options = ("--adc-bits", "2", "--keep", "kept")
    code, report, out = golden_and_rtl(data, capsys, *options)
    assert code == 0
    assert report["equal"]
    assert [layer["name"] for layer in report["layers"]] == ["second.weight", "classifier.weight"]
    assert [layer["vectors"] for layer in report["layers"]] == [2, 2]
    assert report["tiles"] == sum(layer["tiles"] for layer in report["layers"])
    for layer in report["layers"]:
        assert layer["clips"] == layer["golden_clips"]
        assert layer["clocks"] == layer["predicted_clocks"] > 0
    assert sum(map(sum, (layer["clips"] for layer in report["layers"])))
    assert "EQUAL" in out
    assert "kept" in [path.name for path in data.iterdir()]

    # A simulation that gets a bit of the first result of each run wrong.
    (executable,) = (data / "kept").glob("design-*/tb/sim_build_volume/volume")
    real = executable.rename(executable.with_name("right"))
    executable.write_text(f"#!/bin/sh\n{real} && sed -i '1{{s/0$/1/;t;s/.$/0/}}' results.hex\n")
    executable.chmod(0o755)
    code, report, out = golden_and_rtl(data, capsys, *options)
    assert code == 1
    assert not report["equal"]
    assert report["mismatches"] == len(report["failures"]) >= 1
    assert "DIFFERENT" in out
    assert "1 results differ" in out
