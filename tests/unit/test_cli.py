"""The command line: reports for machines, and one clear line for whatever is wrong."""

import json

import numpy as np
import pytest

from sim.mapping import load_mapping
from tests.command_line import assert_refused, run

RNG = np.random.default_rng(2026)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Work in a folder with some files, good and bad."""
    monkeypatch.chdir(tmp_path)
    weights = RNG.normal(size=(20, 12))
    np.save("w.npy", weights)
    np.save("x.npy", RNG.integers(0, 256, size=(3, 20)))
    np.save("wide.npy", np.full((3, 20), 256))
    np.save("negative.npy", np.full((3, 20), -1))
    np.save("float.npy", np.zeros((3, 20)))
    np.save("short.npy", np.zeros((3, 19), int))
    np.save("none.npy", np.zeros((0, 20), int))
    np.save("codes.npy", RNG.integers(-300, 300, size=(20, 12)))
    np.save("vector.npy", np.zeros(5))
    np.save("empty.npy", np.zeros((0, 5)))
    np.save("complex.npy", np.zeros((4, 4), complex))
    for name, value in (("nan", np.nan), ("inf", -np.inf)):
        bad = weights.copy()
        bad[7, 3] = value
        np.save(f"{name}.npy", bad)
    np.savez("model.npz", **{"a.weight": weights, "dw.weight": np.ones((4, 1, 3, 3))}, bias=weights)
    np.savez("nothing.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "model.npz").read_bytes()[:900])
    return tmp_path


def test_map_reports_and_saves(data, capsys):
    """The JSON has the crossbars in total and per layer, the folder can be read back."""
    code, out, _ = run(
        capsys, "map", "model.npz", "--preset", "tiny", "-o", "m", "--json", "m.json"
    )
    assert code == 0
    report = json.loads((data / "m.json").read_text())
    assert set(report["crossbars"]) == {"conventional", "sliced", "squeezed", "physical"}
    assert [layer["name"] for layer in report["layers"]] == ["a.weight", "dw.weight"]
    for kind, total in report["crossbars"].items():
        assert total == sum(layer["crossbars"][kind] for layer in report["layers"])
    assert report["layers"][1]["groups"] == 4
    assert report["ignored"] == ["bias"]
    assert "bias" in out
    assert [layer.name for layer in load_mapping("m")] == ["a.weight", "dw.weight"]


@pytest.mark.parametrize("codec", ["po2", "apot", "mixed"])
def test_map_codecs(data, capsys, codec):
    """Every codec is counted, and saved with its options."""
    options = ["--row-bits", "5,8"] if codec == "mixed" else []
    code, _, _ = run(
        capsys, "map", "model.npz", "--codec", codec, *options, "-o", "m", "--json", "m.json"
    )
    assert code == 0
    report = json.loads((data / "m.json").read_text())
    assert report["parameters"]["row_bits"] == ([5, 8] if codec == "mixed" else "all")
    for layer in report["layers"]:
        assert layer["codec"] == codec
        assert 0 < layer["crossbars"]["squeezed"] < layer["crossbars"]["conventional"]
    assert [layer.codec for layer in load_mapping("m")] == [codec] * 2


def test_map_groups_option(data, capsys):
    """--groups overrides the depthwise rule."""
    run(capsys, "map", "model.npz", "--groups", "dw.weight=1", "--json", "m.json")
    assert json.loads((data / "m.json").read_text())["layers"][1]["groups"] == 1


def test_map_units(data, capsys):
    """--units adds a table; without it every tile has a unit of its own."""
    code, out, _ = run(capsys, "map", "model.npz", "--preset", "tiny", "--json", "m.json")
    assert code == 0
    alone = [layer["schedule"] for layer in json.loads((data / "m.json").read_text())["layers"]]
    assert "compute units" not in out
    code, out, _ = run(
        capsys, "map", "model.npz", "--preset", "tiny", "--units", "4", "--json", "m.json"
    )
    assert code == 0
    assert "on 4 compute units" in out
    layers = json.loads((data / "m.json").read_text())["layers"]
    for layer, before in zip(layers, alone, strict=True):
        plan = layer["schedule"]
        assert (plan["units"], before["units"]) == (4, layer["tiles"])
        assert plan["makespan_clocks"] >= plan["bound_clocks"] >= before["makespan_clocks"]
        assert before["makespan_clocks"] == before["bound_clocks"]


def test_map_clips(data, capsys):
    """Random vectors come from the printed seed; files of inputs give the same counts."""
    common = ("--preset", "tiny", "--adc-bits", "2", "--json", "m.json")

    def clips(*arguments):
        code, out, _ = run(capsys, "map", *arguments, *common)
        assert code == 0
        report = json.loads((data / "m.json").read_text())
        return out, report.get("clips_measured_on"), [r.get("clips") for r in report["layers"]]

    out, origin, random = clips("model.npz", "--random-inputs", "9", "--seed", "5")
    assert "seed 5" in out
    assert origin == {"random_vectors": 9, "seed": 5}
    assert [any(layer["clipped"]) for layer in random] == [True, True]
    vectors = {
        name: np.random.default_rng(5).integers(256, size=(9, rows))
        for name, rows in (("a.weight", 12), ("dw.weight", 36))
    }
    np.savez("both.npz", **vectors)
    np.savez("one.npz", **{"dw.weight": vectors["dw.weight"]})
    out, origin, given = clips("model.npz", "--inputs", "both.npz")
    assert given == random
    assert origin == {"file": "both.npz"}
    assert clips("model.npz", "--inputs", "one.npz")[2] == [None, random[1]]
    assert "seed 2026" in clips("w.npy", "--random-inputs", "1")[0]
    out, origin, single = clips("w.npy", "--inputs", "x.npy")
    assert single[0]["vectors"] == 3
    assert clips("w.npy")[1:] == (None, [None])


def test_presets_json(data, capsys):
    """All presets with all values."""
    code, out, _ = run(capsys, "presets", "--json", "p.json")
    assert code == 0
    assert json.loads((data / "p.json").read_text())["tiny"]["rows"] == 8
    assert "lossless" in out


COSIM = ("cosim", "--preset", "tiny", "--out", "y.npy")
BAD = [
    (("map", "nan.npy"), r"weight [7, 3] (input, output) is nan"),
    (("map", "inf.npy"), r"weight [7, 3] (input, output) is -inf"),
    (("map", "vector.npy"), "vector.npy"),
    (("map", "empty.npy"), "empty"),
    (("map", "complex.npy"), "complex"),
    (("map", "cut.npz"), "cut.npz cannot be read"),
    (("map", "absent.npz"), "absent.npz"),
    (("map", "codes.npy"), "weight_bits"),
    (("map", "w.npy", "--codec", "codes"), "codec codes needs integer weights"),
    (("map", "w.npy", "--row-bits", "5"), "row_bits = 5 is not possible: only codec mixed"),
    (("map", "w.npy", "--codec", "mixed", "--row-bits", "5,9"), "row_bits = (5, 9)"),
    (("map", "w.npy", "--codec", "mixed", "--row-bits", "5,x"), "5,x"),
    (("map", "w.npy", "--preset", "papre"), "papre"),
    (("map", "w.npy", "--rows", "3"), "rows = 3"),
    (("map", "w.npy", "--adc-bits", "6,x"), "6,x"),
    (("map", "w.npy", "--adc-bits", "6,6"), "adc_bits = (6, 6)"),
    (("map", "w.npy", "--rows-active", "1,2"), "rows-active"),
    (("map", "w.npy", "--policy", "none"), "none"),
    (("map", "w.npy", "--weight-sets", "5"), "weight_sets = 5"),
    (("generate", "-o", "g", "--weight-sets", "two"), "'two'"),
    (("map", "w.npy", "--groups", "a=0"), "a=0"),
    (("map", "model.npz", "--groups", "b=2"), "groups b"),
    (("map", "model.npz", "--groups", "a.weight=7"), "cannot form 7 groups"),
    (("map", "w.npy", "--random-inputs", "0"), "'--random-inputs': 0"),
    (("map", "w.npy", "--random-inputs", "1", "--seed", "-1"), "'--seed': -1"),
    (("map", "w.npy", "--random-inputs", "1", "--inputs", "x.npy"), "exclude each other"),
    (("map", "w.npy", "--seed", "3"), "--seed 3 needs --random-inputs"),
    (("map", "w.npy", "--inputs", "wide.npy"), "wide.npy: w: input [0, 0] is 256"),
    (("map", "w.npy", "--inputs", "negative.npy"), "input [0, 0] is -1"),
    (("map", "w.npy", "--inputs", "float.npy"), "integers"),
    (("map", "w.npy", "--inputs", "short.npy"), "19 elements"),
    (("map", "w.npy", "--inputs", "none.npy"), "(0, 20)"),
    (("map", "w.npy", "--inputs", "cut.npz"), "cut.npz cannot be read"),
    (("map", "w.npy", "--inputs", "model.npz"), "a.weight: there is no such layer, only w"),
    (("map", "w.npy", "--inputs", "nothing.npz"), "nothing.npz holds no array"),
    (("map", "model.npz", "--inputs", "x.npy"), "for 2 layers, a .npz"),
    (("map", "w.npy", "--units", "0"), "'--units': 0"),
    (("map", "w.npy", "--units", "1000001"), "'--units': 1000001"),
    (("map", "w.npy", "--units", "two"), "'two'"),
    (("map", "w.npy", "-o", "w.npy/below"), "w.npy"),
    (("map", "w.npy", "--json", "w.npy/m.json"), "w.npy"),
    (("generate",), "--output"),
    (("generate", "-o", "g", "--inputs", "x.npy"), "--weights"),
    (("generate", "-o", "g", "--weights", "w.npy", "--inputs", "short.npy"), "19"),
    (("generate", "-o", "w.npy", "--preset", "tiny"), "w.npy"),
    ((*COSIM, "--weights", "w.npy", "--inputs", "wide.npy"), "input [0, 0] is 256"),
    ((*COSIM, "--weights", "w.npy", "--inputs", "negative.npy"), "input [0, 0] is -1"),
    ((*COSIM, "--weights", "w.npy", "--inputs", "float.npy"), "integers"),
    ((*COSIM, "--weights", "w.npy", "--inputs", "short.npy"), "19 elements"),
    ((*COSIM, "--weights", "w.npy", "--inputs", "none.npy"), "(0, 20)"),
    ((*COSIM, "--weights", "nan.npy", "--inputs", "x.npy"), "nan"),
    ((*COSIM, "--weights", "w.npy", "--inputs", "x.npy", "--simulator", "vcs"), "vcs"),
    ((*COSIM, "--weights", "w.npy"), "--inputs"),
    (("demo", "--input-bits", "1", "--signed-inputs"), "input_bits = 1"),
    (("cosim", "--weights", "w.npy", "--inputs", "x.npy", "--out", "w.npy/y.npy"), "no folder"),
    (("map", "w.npy", "-o", "/proc/mapping"), "/proc/mapping"),
    (("presets", "--json", "w.npy/p.json"), "w.npy"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input(data, capsys, arguments, words):
    """One clear line, nothing half-written."""
    assert_refused(capsys, data, arguments, words)


def test_help_has_examples(capsys):
    """Every subcommand explains itself with an example."""
    for command in ("demo", "map", "eval", "generate", "cosim", "presets"):
        code, out, _ = run(capsys, command, "--help")
        assert code == 0
        assert f"sme {command}" in out.split("Example", 1)[1]
