"""From a unit to the bitstream of a board."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from rtl_gen.emit import emit_verilog
from rtl_gen.files import staged_directory, write_json
from sme_hw.errors import InputError

from .board import Board
from .plan import NAME, REPORT, STATISTICS, uart_plan
from .report import packed_short_of, placed_report, short_of, synthesised
from .tools import Progress, ToolError, find_tool, run_tool

__all__ = ["SUMMARY", "UNIT", "build_uart"]

UNIT = "sme_uart_unit"
"""Name of the unit's module."""

SUMMARY = "build.json"
"""File with what a build came to."""

_LOGS = {"yosys": f"{NAME}.rpt", "nextpnr": f"{NAME}.tim"}


def build_uart(
    board: Board,
    unit: wiring.Component,
    directory: str | Path,
    progress: Progress,
    largest: Callable[[], str],
) -> dict[str, Any]:
    """Build a unit with a serial line for a board; for Vivado, write its project only.

    Parameters
    ----------
    board : Board
    unit : wiring.Component
        With the ports ``rx`` and ``tx``.
    directory : path
        Where to; it is made if need be. On any error nothing is written.
    progress : Progress
    largest : callable
        Says what would fit, for the message about a unit that does not.

    Returns
    -------
    dict
        What :data:`SUMMARY` has: for Vivado, only ``board`` and ``files``; else also ``bitstream``
        and what :func:`rtl_gen.boards.report.placed_report` returns.

    Raises
    ------
    InputError
        A tool is missing, the unit does not fit, or the folder cannot be written to.
    """
    with staged_directory(directory) as stage:
        progress("Verilog", None)
        plan = uart_plan(board, UNIT, emit_verilog(unit, UNIT, board.family.target))
        for command in plan.commands:
            find_tool(command[0])
        for name, text in plan.files.items():
            (stage / name).write_text(text, encoding="utf-8")
        summary: dict[str, Any] = {"board": board.name, "files": sorted(plan.files)}
        if plan.commands:
            summary |= _run(board, plan.commands, stage, progress, largest)
        write_json(stage / SUMMARY, summary)
    return summary


def _run(
    board: Board,
    commands: list[list[str]],
    folder: Path,
    progress: Progress,
    largest: Callable[[], str],
) -> dict[str, Any]:
    """Synthesise, place, route and pack."""
    synthesis, place, pack = commands
    run_tool(synthesis, folder, folder / _LOGS["yosys"], progress)
    used = synthesised(board.family, json.loads((folder / STATISTICS).read_text("utf-8")))
    short = short_of(used, board.capacity)
    if short:
        raise _does_not_fit(board, short, largest)
    try:
        run_tool(place, folder, folder / _LOGS["nextpnr"], progress)
    except ToolError:
        short = packed_short_of(board.family, (folder / _LOGS["nextpnr"]).read_text("utf-8"))
        if short:
            raise _does_not_fit(board, short, largest) from None
        raise
    report = json.loads((folder / REPORT).read_text("utf-8"))
    progress("bitstream", None)
    run_tool(pack, folder, None, progress)
    return {"bitstream": NAME + board.family.bitstream, **placed_report(board, used, report)}


def _does_not_fit(board: Board, short: dict[str, str], largest: Callable[[], str]) -> InputError:
    missing = ", ".join(f"{figure} {count}" for figure, count in short.items())
    return InputError(f"it does not fit on {board.name}: {missing}; {largest()}")
