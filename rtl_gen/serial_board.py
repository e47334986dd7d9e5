"""A board with a serial line in simulation: its own top, pins and all, behind a pseudo-terminal."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

from .boards.board import Board
from .boards.build import plan_build
from .boards.plan import NAME, board_platform
from .boards.unit import board_design
from .emit import to_verilog
from .tb.run import SimulatorError
from .tb.volume import build_main
from .testbench import MODELS

__all__ = ["PinState", "SerialBoard", "build_serial_board"]

TOP = "serial_bench"
"""Module around the top of the board, with ports of the same names for every board."""

_TB = Path(__file__).parent / "tb"


@dataclass(frozen=True)
class PinState:
    """What the pins of a board did since it got power.

    Parameters
    ----------
    clocks : int
        That passed.
    shortest_bit : int
        Fewest clocks that its line to the host kept a level between two changes; 0 before any.
    levels : tuple of (int, tuple of int)
        Clocks at which pins of the board's file changed, from 0 on, and their levels since then.
    """

    clocks: int
    shortest_bit: int
    levels: tuple[tuple[int, tuple[int, ...]], ...]


def build_serial_board(
    board: Board, hardware: HardwareParams, directory: Path, units: int = 1
) -> Path:
    """Build a board for Verilator from the files that its own tools get; return the executable.

    Its cells have models, the clock comes to its pin at the unit's frequency.

    Parameters
    ----------
    board : Board
        With a serial line.
    hardware : HardwareParams
    directory : Path
        Where to.
    units : int
        Compute units.

    Raises
    ------
    InputError
        amaranth-boards is missing or knows another such board, or the board has no serial line.
    SimulatorError
        Verilator is missing or cannot build the design.
    """
    if board.link != "uart":
        raise InputError(f"board {board.name}: kind = {board.link!r} is no serial line")
    plan = plan_build(board, board_design(board, hardware, units))
    # What Yosys reads in its own format is the same netlist.
    texts = {f"{TOP}.v": _bench(board)} | {
        f"{Path(name).stem}.v": to_verilog(text) if name.endswith(".il") else text
        for name, text in plan.files.items()
        if name.endswith((".v", ".il"))
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    models = (f"cells_{board.family.name}.v", "cells_loop.v", *MODELS[board.family.target])
    sources = [directory / name for name in texts]
    sources += [_TB / name for name in (*models, "serial.cpp")]
    return build_main(sources, TOP, directory / "sim_build_serial" / "serial")


def _bench(board: Board) -> str:
    """Return Verilog that gives the pins of a board names that all boards have."""
    platform = board_platform(board)
    pins = {
        f"{board.clock}_0__io": "clk",
        "uart_0__rx__io": "rx_pad",
        "uart_0__tx__io": "tx",
    }
    # Nets of their own: the ports may be of either direction, which no input may be led to.
    pads = "    wire rx_pad = rx;\n"
    if platform.default_rst:
        low = platform.lookup(platform.default_rst).ios[0].invert
        pins[f"{platform.default_rst}_0__io"] = "button_pad"
        pads += f"    wire button_pad = {'~' * low}pressed;\n"
    for number, pin in enumerate(board.pins):
        pins[f"{pin.resource}_{pin.number}__io"] = f"pins[{number}]"
    connections = ",\n        ".join(f".{port}({name})" for port, name in pins.items())
    return (
        f"module {TOP}(input clk, rx, pressed, output tx, output [31:0] pins);\n{pads}"
        f"    {NAME} board (\n        {connections}\n    );\nendmodule\n"
    )


class SerialBoard:
    """A running simulation; to be used in a with statement.

    Parameters
    ----------
    board : Board
    executable : Path
        From :func:`build_serial_board`.

    Raises
    ------
    SimulatorError
        The simulation ended by itself.
    """

    def __init__(self, board: Board, executable: Path):
        self._pins = len(board.pins)
        self._process = subprocess.Popen(
            [executable, str(board.clock_hz / board.baud)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._answer()

    def __enter__(self) -> "SerialBoard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Without an input it ends by itself.
        self._process.communicate()

    def reset(self) -> None:
        """Take the power away for a moment."""
        self._tell("reset")

    def press(self, pressed: bool) -> None:
        """Press the reset button, or let it go; nothing without one.

        Parameters
        ----------
        pressed : bool
        """
        self._tell("press" if pressed else "release")

    def pins(self) -> PinState:
        """Return what the pins did."""
        self._tell("pins")
        clocks, shortest_bit, *changes = map(int, self._answer().split())
        return PinState(clocks, shortest_bit, tuple(self._levels(changes)))

    def _levels(self, changes: Sequence[int]) -> list[tuple[int, tuple[int, ...]]]:
        return [
            (clock, tuple(word >> pin & 1 for pin in range(self._pins)))
            for clock, word in zip(changes[::2], changes[1::2], strict=True)
        ]

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            raise SimulatorError("the simulation of the board ended")
        return line.strip()
