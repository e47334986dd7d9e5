"""Rules for single layers: which options they change, and what is said about wrong ones."""

import json

import numpy as np
import pytest

from sim.mapping import (
    describe,
    layer_parameters,
    load_mapping,
    load_parameters,
    map_layer,
    read_layer_rules,
    save_mapping,
)
from sme_cli.main import main
from sme_hw.errors import InputError
from tests.random_cases import seeded

NAMES = ["stem", "block.1.dw", "block.1.pw", "block.2.dw", "block.2.pw", "Fc"]


@pytest.fixture
def rules(tmp_path):
    """Return a function that writes a file of rules and reads it."""

    def read(text):
        (tmp_path / "rules.toml").write_text(text)
        return read_layer_rules(tmp_path / "rules.toml")

    return read


def test_last_match_counts_key_by_key(rules):
    """A layer's options are the base, changed by every rule that matches it, in order."""
    found = layer_parameters(
        load_parameters("small", squeeze=3, window=4),
        rules("""
            [[layer]]
            match = "*.dw"
            squeeze = 2
            policy = "rounded"
            adc_bits = [5, 4, 3, 3, 2, 2]
            [[layer]]
            match = "block.2.*"
            squeeze = 1
            adc_bits = 6
            rows = 16
        """),
        NAMES,
    )
    assert list(found) == NAMES
    seen = {
        name: (
            *(p.mapping.squeeze, p.mapping.policy, p.mapping.window),
            *(p.hardware.adc_bits, p.hardware.rows, p.hardware.planes),
        )
        for name, p in found.items()
    }
    assert seen == {
        "stem": (3, "paper", 4, 6, 32, 5),
        "block.1.dw": (2, "rounded", 4, (5, 4, 3, 3, 2, 2), 32, 6),
        "block.1.pw": (3, "paper", 4, 6, 32, 5),
        "block.2.dw": (1, "rounded", 4, 6, 16, 7),
        "block.2.pw": (1, "paper", 4, 6, 16, 7),
        "Fc": (3, "paper", 4, 6, 32, 5),
    }


def test_patterns_are_case_sensitive(rules):
    """``f?`` is not ``Fc``; character sets work."""
    base = load_parameters("tiny")
    with pytest.raises(InputError, match=r"f\?"):
        layer_parameters(base, rules('[[layer]]\nmatch = "f?"'), NAMES)
    found = layer_parameters(base, rules('[[layer]]\nmatch = "[Ff]c"\nsqueeze = 4'), NAMES)
    assert [p.mapping.squeeze for p in found.values()] == [1, 1, 1, 1, 1, 4]


def test_equal_parameters_are_one_object(rules):
    """Also those that a rule sets to what they were."""
    base = load_parameters("tiny")
    text = '[[layer]]\nmatch = "*.dw"\nsqueeze = 2\n[[layer]]\nmatch = "Fc"\nsqueeze = 1'
    found = layer_parameters(base, rules(text), NAMES)
    assert found["stem"] is found["Fc"] is base
    assert found["block.1.dw"] is found["block.2.dw"]
    assert layer_parameters(base, (), NAMES) == dict.fromkeys(NAMES, base)


BAD = [
    ("[[layer]", ["no valid TOML"]),
    ("", ["rules.toml", "[[layer]] is needed"]),
    ("layer = 3", ["[[layer]] is needed"]),
    ("layer = [3]", ["[[layer]] is needed"]),
    ('[layer]\nmatch = "*"', ["[[layer]] is needed"]),
    ('[[layers]]\nmatch = "*"', ["layers is unknown"]),
    ('[[layer]]\nmatch = "*"\n[hardware]', ["hardware is unknown"]),
    ("[[layer]]\nsqueeze = 2", ["[[layer]] 1", "match"]),
    ('[[layer]]\nmatch = ["*"]', ["[[layer]] 1", "match"]),
    ('[[layer]]\nmatch = "*"\nsqeeze = 2', ['match = "*"', "sqeeze", "squeeze"]),
    ('[[layer]]\nmatch = "*"\nplanes = 2', ["planes is unknown"]),
    (
        '[[layer]]\nmatch = "*"\n[[layer]]\nmatch = "conv*"',
        ['2 (match = "conv*") matches no layer', "stem, block.1.dw", "block.2.pw and 1 more"],
    ),
    ('[[layer]]\nmatch = "Fc"\nsqueeze = 9', ['match = "Fc"', "layer Fc", "squeeze = 9", "0..7"]),
    ('[[layer]]\nmatch = "*"\nsqueeze = true', ["layer stem", "squeeze = True"]),
    ('[[layer]]\nmatch = "*"\npolicy = "best"', ["policy = 'best'", "minimal"]),
    ('[[layer]]\nmatch = "*"\nrows = "all"', ["rows = 'all'", "4..512"]),
    ('[[layer]]\nmatch = "*"\ncodec = [1]', ["codec = (1,)"]),
    ('[[layer]]\nmatch = "*"\nadc_bits = [[1]]', ["adc_bits = ([1],)"]),
    # The rule that set the value is named, not the last one.
    (
        '[[layer]]\nmatch = "F*"\ncell_bits = 3\n[[layer]]\nmatch = "*"\nwindow = 2',
        ['1 (match = "F*"), layer Fc', "cell_bits = 3"],
    ),
    # A value of the base that a rule makes impossible.
    ('[[layer]]\nmatch = "Fc"\nweight_bits = 2', ['match = "Fc"', "window = 3", "1..2"]),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=range(len(BAD)))
def test_bad_rules(rules, text, words):
    """One line that names the rule, the value and what is allowed."""
    with pytest.raises(InputError) as caught:
        layer_parameters(load_parameters("tiny"), rules(text), NAMES)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_unreadable_rules(tmp_path):
    """Binary or absent files."""
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name in ("binary.toml", "absent.toml"):
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            read_layer_rules(tmp_path / name)


def mapped(chosen, weights):
    """Map three depthwise or dense layers, each with its parameters."""
    return [
        map_layer(name, weights[name], chosen[name], groups=groups)
        for name, groups in (("a.fc", 1), ("b.dw", 6), ("c.fc", 1))
    ]


@pytest.fixture
def weights():
    """Return weights of three layers by name."""
    rng = seeded(31)
    shapes = {"a.fc": (12, 20), "b.dw": (6, 1, 3, 3), "c.fc": (9, 17)}
    return {name: rng.laplace(size=shape) for name, shape in shapes.items()}


def test_only_matched_layers_change(rules, weights):
    """The other layers' arrays and counts stay as they are without rules."""
    base = load_parameters("tiny", grouping="balanced")
    changed = rules("""
        [[layer]]
        match = "*.dw"
        squeeze = 3
        policy = "rounded"
        cell_bits = 1
        rows = 16
    """)
    before = mapped(dict.fromkeys(weights, base), weights)
    after = mapped(layer_parameters(base, changed, list(weights)), weights)
    for left, right in zip(before, after, strict=True):
        same = left.name != "b.dw"
        assert (left.counts == right.counts) == same
        assert (left.parameters is right.parameters) == same
        if same:
            for one, other in zip(left.matrices, right.matrices, strict=True):
                np.testing.assert_array_equal(one.codes, other.codes)
                np.testing.assert_array_equal(one.row_order, other.row_order)
    expected = load_parameters("tiny", grouping="balanced", squeeze=3, policy="rounded", rows=16)
    assert after[1].counts == map_layer("b.dw", weights["b.dw"], expected, groups=6).counts


def test_saved_layers_keep_their_own_parameters(rules, weights, tmp_path):
    """What layers share stands once, what differs stands with each of them."""
    base = load_parameters("tiny")
    changed = rules('[[layer]]\nmatch = "b*"\nadc_bits = [3, 2, 2, 2, 2]\nsqueeze = 3')
    layers = mapped(layer_parameters(base, changed, list(weights)), weights)
    report = describe(layers)
    assert report["parameters"].keys() == base.as_dict().keys() - {"adc_bits", "squeeze"}
    own = {"adc_bits": base.hardware.adc_bits, "squeeze": 1}
    assert [entry["parameters"] for entry in report["layers"]] == [
        own,
        {"adc_bits": [3, 2, 2, 2, 2], "squeeze": 3},
        own,
    ]
    save_mapping(layers, tmp_path / "m")
    again = load_mapping(tmp_path / "m")
    assert [layer.parameters for layer in again] == [layer.parameters for layer in layers]
    assert [layer.counts for layer in again] == [layer.counts for layer in layers]
    assert describe(again) == report
    alike = describe(layers[::2])
    assert alike["parameters"] == base.as_dict()
    assert [entry["parameters"] for entry in alike["layers"]] == [{}, {}]


def test_command_line(tmp_path, monkeypatch, capsys, weights):
    """The file overrides the options; tables follow each layer's own planes and input range."""
    monkeypatch.chdir(tmp_path)
    np.savez("model.npz", **{f"{name}.weight": array for name, array in weights.items()})
    (tmp_path / "rules.toml").write_text(
        '[[layer]]\nmatch = "*.dw.*"\nsqueeze = 4\ninput_bits = 2\nadc_bits = 2\n'
    )
    np.savez("x.npz", **{"a.fc.weight": np.full((2, 20), 15), "b.dw.weight": np.full((2, 54), 3)})
    options = ["--preset", "tiny", "--input-bits", "4", "--squeeze", "2", "--adc-bits", "1"]
    command = [
        "map",
        "model.npz",
        *options,
        "--layer-parameters",
        "rules.toml",
        "--inputs",
        "x.npz",
    ]
    assert main([*command, "--json", "m.json", "-o", "m"]) == 0
    out = capsys.readouterr().out
    assert "Parameters that differ" in out
    assert "plane 3: 1 bits" in out
    assert "plane 5: 2 bits" in out
    report = json.loads((tmp_path / "m.json").read_text())
    base = {"input_bits": 4, "adc_bits": 1, "squeeze": 2}
    differing = [entry["parameters"] for entry in report["layers"]]
    assert differing == [base, {"input_bits": 2, "adc_bits": 2, "squeeze": 4}, base]
    assert [entry["planes"]["built"] for entry in report["layers"]] == [6, 4, 6]
    assert [len(entry["clips"]["clipped"]) for entry in report["layers"][:2]] == [6, 4]
    assert [layer.parameters.mapping.squeeze for layer in load_mapping("m")] == [2, 4, 2]

    np.savez("x.npz", **{"b.dw.weight": np.full((2, 54), 4)})
    assert main(command) == 2
    assert "b.dw.weight: input [0, 0] is 4" in capsys.readouterr().err
    (tmp_path / "rules.toml").write_text('[[layer]]\nmatch = "d*"\n')
    assert main([*command, "-o", "other"]) == 2
    assert "matches no layer" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
