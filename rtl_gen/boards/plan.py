"""The files that a board's tools work on, as amaranth-boards writes them."""

import json
import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from amaranth.build import ResourceError

from sme_hw.errors import InputError, ParameterError

from .board import Board
from .top import BoardTop

__all__ = ["NAME", "REPORT", "STATISTICS", "Plan", "board_platform", "part", "uart_plan"]

NAME = "sme_board"
"""Name of the top module and of the files."""

REPORT, STATISTICS = f"{NAME}.report.json", f"{NAME}.stat.json"
"""What nextpnr and Yosys write for :mod:`rtl_gen.boards.report`."""


@dataclass(frozen=True)
class Plan:
    """What to write, and what to run on it.

    Parameters
    ----------
    files : dict
        Text by file name.
    commands : list of list of str
        Commands, each the name of a tool and its arguments; none for vendors' tools.
    """

    files: dict[str, str]
    commands: list[list[str]]


def board_platform(board: Board) -> Any:
    """Return a board as amaranth-boards describes it.

    Parameters
    ----------
    board : Board

    Raises
    ------
    InputError
        amaranth-boards is missing, or has no such board.
    """
    module, name = board.platform.split(":")
    try:
        return getattr(import_module(f"amaranth_boards.{module}"), name)()
    except (ImportError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "amaranth_boards":
            raise InputError("boards need amaranth-boards: pip install 'sme[fpga]'") from None
        raise ParameterError(
            "platform", board.platform, "a module:Class of amaranth_boards is needed"
        ) from None


def part(board: Board) -> str:
    """Return what Vivado calls the device of a board.

    Raises
    ------
    InputError
        amaranth-boards is missing, or has no such board.
    """
    platform = board_platform(board)
    return f"{platform.device}{platform.package}-{platform.speed}"


def uart_plan(board: Board, unit: str, verilog: str, seed: int = 1, *, large: bool = False) -> Plan:
    """Return the plan for a unit with a serial line.

    Parameters
    ----------
    board : Board
    unit : str
        Name of the unit's module.
    verilog : str
        The unit.
    seed : int
        Of place and route.
    large : bool
        It has more than :data:`rtl_gen.boards.families.LARGE` cells.

    Raises
    ------
    InputError
        The board's file does not fit what amaranth-boards knows of it.
    """
    platform = board_platform(board)
    known = platform.default_clk_frequency
    if platform.default_clk != board.clock or known != board.input_hz:
        raise InputError(
            f"board {board.name}: [clock] resource = {board.clock!r} of "
            f"{board.input_hz / 1e6:g} MHz is not possible: amaranth-boards has "
            f"{platform.default_clk!r} of {known / 1e6:g} MHz"
        )
    platform.add_file(f"{unit}.v", verilog)
    place = board.family.large_options if large else board.family.place_options
    try:
        with warnings.catch_warnings():
            # Of amaranth-boards, which still describes some pins in an older way.
            warnings.simplefilter("ignore", DeprecationWarning)
            options = _options(board, platform, f"--seed {seed} {place}")
            built = platform.build(BoardTop(board, unit), name=NAME, do_build=False, **options)
    except ResourceError as error:
        raise InputError(f"board {board.name}: {error}") from None
    files = {
        name: content if isinstance(content, str) else content.decode()
        for name, content in built.files.items()
        if not name.endswith(".debug.v")
    }
    commands = json.loads(files[f"build_{NAME}.json"])["commands"]
    return Plan(files, [] if board.family.vivado else commands)


def _options(board: Board, platform: Any, place: str) -> dict[str, Any]:
    """Return what goes into the scripts for the family's tools."""
    lines = "\n".join(board.timing)
    if board.family.vivado:
        platform.add_file("timing.xdc", lines + "\n")
        return {"debug_verilog": False}
    options: dict[str, Any] = {
        "debug_verilog": False,
        "script_after_synth": f"tee -q -o {STATISTICS} stat -json",
        # A design that is too slow is reported, not refused.
        "nextpnr_opts": f"--report {REPORT} --timing-allow-fail {place}",
    }
    if board.family.name == "ice40":
        options["add_constraints"] = lines
    else:
        options["synth_opts"] = "-nowidelut"
        options["add_preferences"] = lines
    return options
