# amaranth: UnusedElaboratable=no
# Some are only asked what they are.
"""`sme boards`, and `sme build` for a board whose tools are Vivado's."""

import json

import pytest

from rtl_gen.boards.board import boards, load_board
from rtl_gen.boards.estimate import Design
from sim.mapping import load_parameters
from sme_cli.boards import most_planes
from tests.command_line import assert_refused, report, run
from tests.echo_unit import EchoUnit


def echo(_, hardware, units):
    """Stands for the design of a board: as good as nothing."""
    return Design(EchoUnit(), hardware)


@pytest.mark.parametrize(
    ("limit", "options", "found"),
    [
        (6, {}, 6),
        (1, {}, 1),
        (0, {}, None),
        (5, {"cell_bits": 2, "squeeze": 2}, 4),
        # A list of ADC bits goes with one number of planes only.
        (6, {"adc_bits": (3, 3, 3, 4, 4), "squeeze": 3}, 5),
        (4, {"adc_bits": (3, 3, 3, 4, 4), "squeeze": 3}, None),
    ],
)
def test_most_planes(monkeypatch, limit, options, found):
    """The least squeeze-out that fits, among those that are possible."""
    monkeypatch.setattr("sme_cli.boards.board_design", echo)
    monkeypatch.setattr("sme_cli.boards.fits", lambda _, design: design.hardware.planes <= limit)
    board = load_board("icebreaker")
    assert most_planes(board, load_parameters("tiny", **options), 1) == found


def test_table_of_boards(tmp_path, monkeypatch, capsys):
    """Each board has a line, with what fits on it."""
    monkeypatch.chdir(tmp_path)
    # Large crossbars take long to describe.
    monkeypatch.setattr("rtl_gen.boards.estimate._SIZE_MAX", 16)
    for module in ("build", "boards"):
        monkeypatch.setattr(f"sme_cli.{module}.board_design", echo)
    rows = report("boards", "--preset", "tiny", "--squeeze", "3")
    assert list(rows) == boards()
    for name, row in rows.items():
        board = load_board(name)
        assert row["title"] == board.title
        assert (row["rows"], row["columns"], row["planes"], row["largest_square"]) == (8, 8, 5, 16)
        assert row["most_planes"] == 8
        assert row["block_RAM"] == board.capacity["block_RAM"]
    assert "icebreaker" in capsys.readouterr().out


def test_vivado_project(tmp_path, monkeypatch, capsys):
    """All files of the project are there, and how to build it is said."""
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "build", "arty_z7_20", "--preset", "tiny", "-o", "z")
    assert code == 0
    assert "cd z && vivado -mode batch -source build.tcl" in out
    summary = json.loads((tmp_path / "z" / "build.json").read_text())
    assert "bitstream" not in summary
    assert {path.name for path in (tmp_path / "z").iterdir()} == {*summary["files"], "build.json"}
    assert {"sme_registers.h", "sme_registers.py", "preset.toml"} <= set(summary["files"])
    assert summary["registers"][0]["name"] == "id"
    assert "-part xc7z020clg400-1" in (tmp_path / "z" / "build.tcl").read_text()


def test_vivado_project_that_cannot_fit(tmp_path, monkeypatch, capsys):
    """Without a synthesis, what certainly does not fit is refused all the same."""
    monkeypatch.chdir(tmp_path)
    board = (load_board("arty_z7_20"), tmp_path / "small.toml")
    text = "[capacity]\nLUT = 20\nFF = 106400\nblock_RAM = 1\n"
    source = (
        f'title = "{board[0].title}"\nplatform = "{board[0].platform}"\nfamily = "xilinx7"\n'
        '[clock]\ntarget_MHz = 100\n[link]\nkind = "axi"\n[unit]\npreset = "tiny"\n'
    )
    board[1].write_text(source + text)
    words = "does not fit on small: LUT "
    assert_refused(capsys, tmp_path, ["build", str(board[1]), "-o", "z"], words)
