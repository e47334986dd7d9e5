"""The files for a board's tools: pins, clocks, and the reset before the unit."""

import re
import subprocess
from dataclasses import replace

import pytest

from rtl_gen.boards.board import Board, Pin, boards, load_board
from rtl_gen.boards.plan import NAME, uart_plan
from rtl_gen.boards.start_reset import StartReset
from rtl_gen.boards.tools import find_tool
from rtl_gen.emit import emit_verilog
from sme_hw.errors import InputError
from tests.echo_unit import EchoUnit
from tests.support import simulate

UART_BOARDS = [name for name in boards() if load_board(name).link == "uart"]
UNIT = "sme_uart_unit"
LOOPS = {"ice40": "SB_PLL40_PAD", "ecp5": "EHXPLLL", "xilinx7": "PLLE2_BASE"}
CELLS = {
    "ice40": "+/ice40/cells_sim.v",
    "ecp5": "+/ecp5/cells_sim.v +/ecp5/cells_bb.v",
    "xilinx7": "+/xilinx/cells_sim.v +/xilinx/cells_xtra.v",
}


def plan(board: Board):
    """Return the plan for a board with a small unit."""
    return uart_plan(board, UNIT, emit_verilog(EchoUnit(), UNIT, board.family.target))


@pytest.mark.parametrize(
    ("name", "large", "options"),
    [
        ("icebreaker", False, "--seed 3 --router router2"),
        ("ulx3s_85f", False, "--seed 3"),
        ("ulx3s_85f", True, "--seed 3 --placer static --router router2"),
    ],
)
def test_place_and_route(name, large, options):
    """Seed and size of the design come to nextpnr, in the script as in what is run."""
    board = load_board(name)
    verilog = emit_verilog(EchoUnit(), UNIT, board.family.target)
    found = uart_plan(board, UNIT, verilog, 3, large=large)
    assert f"--timing-allow-fail {options}" in " ".join(found.commands[1])
    assert f"--timing-allow-fail {options}" in found.files[f"build_{NAME}.sh"]
    assert ("static" in " ".join(found.commands[1])) == large


def top_ports(files):
    """Return the ports of the top module."""
    if f"{NAME}.v" in files:
        text = re.search(rf"module {NAME}\((.*?)\)", files[f"{NAME}.v"], re.DOTALL)
        return set(re.findall(r"\w+", text[1]))
    top = re.search(rf"^module \\{NAME}$.*?^end$", files[f"{NAME}.il"], re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^  wire .*(?:input|output|inout) \d+ .*\\(\w+)$", top[0], re.MULTILINE))


def constrained(files):
    """Return the ports that are given a pin."""
    patterns = {
        ".pcf": r"^set_io (\w+) \w+$",
        ".lpf": r'^LOCATE COMP "(\w+)" SITE "\w+";$',
        ".xdc": r'^set_property LOC \w+ \[get_ports "(\w+)"\]$',
    }
    (found,) = [
        re.findall(pattern, files[NAME + suffix], re.MULTILINE)
        for suffix, pattern in patterns.items()
        if NAME + suffix in files
    ]
    assert len(set(found)) == len(found)
    return set(found)


@pytest.mark.parametrize("name", UART_BOARDS)
def test_every_port_has_a_pin(name):
    """No port of the top is left without a pin, and every constraint is of a port."""
    board = load_board(name)
    files = plan(board).files
    ports = top_ports(files)
    assert {"uart_0__rx__io", "uart_0__tx__io", f"{board.clock}_0__io"} <= ports
    assert constrained(files) == ports
    for lines in (files.get("timing.xdc", ""), files.get(f"{NAME}.xdc", "")):
        assert set(re.findall(r"get_(?:ports|nets) \"?(\w+)", lines)) <= ports


@pytest.mark.parametrize("name", UART_BOARDS)
@pytest.mark.parametrize("loop", [False, True])
def test_top_is_complete(name, loop, tmp_path):
    """The tools' own Yosys finds all modules and ports, with and without a loop for the clock."""
    board = load_board(name)
    target = board.input_hz if not loop else max(board.input_hz // 2 * 3, 25_000_000)
    board = replace(board, target_hz=target)
    files = plan(board).files
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    assert (LOOPS[board.family.name] in "".join(files.values())) == loop
    top = f"read_verilog {NAME}.v" if board.family.vivado else f"read_rtlil {NAME}.il"
    script = (
        f"read_verilog -lib -specify {CELLS[board.family.name]}; read_verilog {UNIT}.v; {top}; "
        f"hierarchy -check -top {NAME}; proc; check -assert"
    )
    done = subprocess.run(
        [find_tool("yosys"), "-q", "-p", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-800:]


def test_clock_and_options_reach_the_tools():
    """Frequencies are those of the board; the scripts leave what the report is made from."""
    files = plan(load_board("icebreaker")).files
    assert "set_frequency clk12_0__io 12.0" in files[f"{NAME}.pcf"]
    assert "set_frequency clock 24.0" in files[f"{NAME}.pcf"]
    files = plan(load_board("ulx3s_85f")).files
    assert 'FREQUENCY NET "clock" 100000000.0 HZ;' in files[f"{NAME}.lpf"]
    assert "tee -q -o sme_board.stat.json stat -json" in files[f"{NAME}.ys"]
    # The ESP32 stays away.
    assert 'LOCATE COMP "wifi_gpio0_0__io" SITE "L2";' in files[f"{NAME}.lpf"]
    board = replace(load_board("ulx3s_85f"), timing=("# mine",))
    assert "# mine" in plan(board).files[f"{NAME}.lpf"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clock": "clk16"}, r"resource = 'clk16' of 12 MHz is not possible: amaranth-boards has "),
        ({"input_hz": 16_000_000}, "of 16 MHz is not possible: amaranth-boards has 'clk12' of 12"),
        ({"platform": "icebreaker:Other"}, "platform = 'icebreaker:Other' is not possible"),
        ({"platform": "nothing:Other"}, "platform = 'nothing:Other' is not possible"),
        ({"pins": (Pin("beeper", 0, "low", "", {}),)}, "beeper#0 does not exist"),
        ({"pins": (Pin("mine", 0, "low", "9", {}),)}, "uses physical pin 9"),
    ],
)
def test_board_that_contradicts_amaranth_boards(change, words):
    """What the package knows otherwise is refused in one line."""
    with pytest.raises(InputError, match=words) as refused:
        plan(replace(load_board("icebreaker"), **change))
    assert "\n" not in str(refused.value)


def test_reset_waits_and_comes_back():
    """The unit starts so many clocks after the clock is there, and is reset when it was gone."""
    clocks = 9
    dut = StartReset(clocks=clocks)

    async def watch(ctx):
        async def until_ready():
            for passed in range(50):
                if ctx.get(dut.ready):
                    return passed
                await ctx.tick()
            raise TimeoutError

        assert clocks <= await until_ready() <= clocks + 4
        ctx.set(dut.hold, 1)
        await ctx.tick().repeat(4)
        assert not ctx.get(dut.ready)
        await ctx.tick().repeat(30)
        assert not ctx.get(dut.ready)
        ctx.set(dut.hold, 0)
        assert clocks <= await until_ready() <= clocks + 4

    simulate(dut, watch)
