"""Results of the ladder of squeeze-out: they are kept, compared, and shown."""

import doctest
import json
import sys
from dataclasses import replace

import pytest

from benchmarks.squeeze_accuracy import __main__ as command
from benchmarks.squeeze_accuracy import against_plain, tables
from benchmarks.squeeze_accuracy.conditions import (
    CONDITION_COLUMNS,
    CONDITIONS,
    condition_rows,
)
from benchmarks.squeeze_accuracy.ladder import ladder
from benchmarks.squeeze_accuracy.measure import measure
from benchmarks.squeeze_accuracy.picture import draw_pareto
from benchmarks.squeeze_accuracy.subjects import SUBJECTS
from tests.squeeze_cases import PLAN, add_subject


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return a folder with the test network and its images."""
    add_subject(tmp_path, monkeypatch)
    return tmp_path


def run(monkeypatch, capsys, *arguments):
    """Run the command; returns exit code, output and errors."""
    monkeypatch.setattr(sys, "argv", ["squeeze_accuracy", *map(str, arguments)])
    code = command.main()
    captured = capsys.readouterr()
    return code, captured.out, captured.err


RUNGS = ["conventional", "rounded-x=1", "split-3", "plain-[56]", "plain-tiles-*"]


def test_command(data, monkeypatch, capsys):
    """Tables and picture; nothing is measured twice, and what is missing is measured."""
    output = data / "out"
    arguments = ["--data", data, "--networks", "fixture", "-o", output, "--rungs"]
    code, out, err = run(monkeypatch, capsys, *arguments, *RUNGS)
    assert code == 0
    assert err.count("times fewer crossbars") == 7
    assert (output / "pareto.png").read_bytes().startswith(b"\x89PNG")
    entries = json.loads((output / "fixture.json").read_text())
    assert len(entries) == 7
    markdown = (output / "results.md").read_text()
    for name in ("conventional", "split-3", "plain-5", "plain-6", "plain-tiles-2"):
        assert f"| {name} |" in markdown
        assert name in out
    assert sorted(path.name for path in output.iterdir()) == [
        "fixture.json",
        "layers.png",
        "pareto.png",
        "results.md",
    ]

    measured = []

    def count(subject, rung, show):
        measured.append(rung.name)
        return measure(subject, rung, show)

    monkeypatch.setattr(command, "measure", count)
    code, _, err = run(monkeypatch, capsys, *arguments, *RUNGS)
    assert (code, err, measured) == (0, "", [])
    assert (output / "results.md").read_text() == markdown
    assert run(monkeypatch, capsys, *arguments, *RUNGS, "paper-x=1")[0] == 0
    assert measured == ["paper-x=1"]
    # Other images are other results.
    monkeypatch.setitem(SUBJECTS, "fixture", replace(PLAN, evaluate=6))
    assert run(monkeypatch, capsys, *arguments, "conventional")[0] == 0
    assert measured == ["paper-x=1", "conventional"]


def test_command_refuses(data, monkeypatch, capsys):
    """One line that says what is missing, and exit code 2, before anything is measured."""
    monkeypatch.delenv("SME_DATA", raising=False)
    monkeypatch.setattr(command, "measure", None)
    output = data / "out"
    given = ["--data", data, "-o", output, "--networks"]
    broken = data / "broken"
    broken.mkdir()
    (broken / "fixture.json").write_text('[{"key": 1}]')
    for arguments, told in (
        (["--networks", "fixture"], "give the folder with --data, or by the variable SME_DATA"),
        (["--data", data / "none"], "there is no folder"),
        ([*given, "resnet8"], "resnet8_cifar10_fp32.npz"),
        ([*given, "fixtures"], "--networks fixtures: one of squeezenet1.1, "),
        ([*given, "fixture", "--rungs", "spilt-*"], "--rungs spilt-* matches none"),
        (["--data", data, "-o", broken, "--networks", "fixture"], "holds no results"),
    ):
        code, out, err = run(monkeypatch, capsys, *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("error: ")
        assert told in err
        assert not output.exists()


def test_condition_table():
    """A row for every condition of which both rungs are there."""
    pairs = [(own.squeezed, own.plain) for own in CONDITIONS[:2]]
    common = {"work": 0.5, "adc_bits": 6, "drop": 1.5, "drop_standard_error": 0.25}
    results = [
        (pairs[0][0], common | {"kl": 0.1}),
        (pairs[0][1], common | {"kl": 0.3, "adc_bits": 7}),
        (pairs[1][0], common | {"kl": 0.2}),
    ]
    (row,) = condition_rows(results)
    assert dict(zip(CONDITION_COLUMNS, row, strict=True)) == {
        "condition": CONDITIONS[0].text,
        "KL squeezed": "0.1",
        "KL plain": "0.3",
        "plain / squeezed": "3.00",
        "drop squeezed": "1.50 ± 0.25",
        "drop plain": "1.50 ± 0.25",
        "XB cycles squeezed": "0.500",
        "XB cycles plain": "0.500",
        "ADC squeezed": "6",
        "ADC plain": "7",
    }


def test_against_plain():
    """Logarithms are interpolated on the best of the control; beyond it nothing is said."""
    result = doctest.testmod(against_plain)
    assert result.attempted
    assert not result.failed
    curve = against_plain.frontier([(50, 0.2), (25, 0.4), (100, 0.0), (100, 0.025), (60, 0.3)])
    assert curve == [(25, 0.4), (50, 0.2), (100, 0.025)]
    assert against_plain.crossbars_at(0.2, curve) == 50
    assert against_plain.crossbars_at(0.2 / 8**0.5, curve) == pytest.approx(50 * 2**0.5)
    assert against_plain.crossbars_at(0.4, curve) == 25
    assert against_plain.crossbars_at(0.41, curve) is None
    assert against_plain.crossbars_at(0.024, curve) is None
    assert against_plain.crossbars_at(0.2, []) is None


def fake_results(**kl):
    """Return results of rungs by their names, without blanks, with 8 crossbars for each."""
    rungs = {rung.name: rung for rung in ladder((2,), (2,), additions=False, fewest_planes=2)}
    common = {"ratio": 2.0, "work": 0.5, "work_grouped": 0.25, "adc_bits": 3, "rcmr_bits": 600}
    common |= {"index_bits": 500, "top1": 91.5, "drop": 1.25, "drop_standard_error": 0.5}
    common |= {"agreement": 97.0, "kl_weights": None}
    return [
        (rungs[name], common | {"crossbars": crossbars, "kl": value})
        for name, (crossbars, value) in kl.items()
    ]


def test_table():
    """Every squeezed rung is compared with both kinds of control, controls are not."""
    results = fake_results(
        **{
            "split-2": (20, 0.1),
            "rounded-x=1": (20, 9.0),
            "plain-3": (10, 0.4),
            "plain-bias-4": (40, 0.025),
            "plain-tiles-2": (15, 0.1),
        }
    )
    found = [dict(zip(tables.COLUMNS, row, strict=True)) for row in tables.rows(results)]
    assert [row["/ plain"] for row in found] == ["1.00", "-", "-", "-", "-"]
    assert [row["/ plain tiles"] for row in found] == ["0.75", "-", "-", "-", "-"]
    assert found[0] == {
        "rung": "split-2",
        "XBs": "20",
        "ratio": "2.00",
        "XB cycles": "0.500",
        "16 rows": "0.250",
        "ADC": "3",
        "Kbit": "1.1",
        "top-1": "91.50",
        "drop": "1.25 ± 0.50",
        "agree": "97.0",
        "KL": "0.1",
        "KL weights": "-",
        "/ plain": "1.00",
        "/ plain tiles": "0.75",
    }
    markdown = tables.as_markdown("net", results)
    assert markdown.count("| split-2 | 20 | 2.00 |") == 1
    assert "- `plain-bias`: " in markdown
    assert "`plain-mse`" not in markdown


def test_picture(tmp_path):
    """A column of panels for each network, all methods in the legend; also without labels."""
    results = fake_results(**{"split-2": (20, 0.0), "plain-3": (10, 0.4)})
    bare = [(rung, result | {"drop": None}) for rung, result in results]
    for number, networks in enumerate(({"one": results}, {"one": results, "two": bare})):
        path = tmp_path / f"{number}.png"
        draw_pareto(networks, path)
        assert path.read_bytes().startswith(b"\x89PNG")
