"""From a unit to the bitstream of a board."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rtl_gen.axi import AXI_TOP
from rtl_gen.emit import emit_verilog
from rtl_gen.files import staged_directory, write_json
from rtl_gen.registers import register_files
from sme_hw.bus.registers import as_json, fingerprint, register_map
from sme_hw.errors import InputError

from .board import Board
from .estimate import Design, least
from .families import LARGE
from .plan import NAME, REPORT, STATISTICS, Plan, part, uart_plan
from .report import packed_short_of, placed_report, short_of, synthesised
from .tools import Progress, ToolError, find_tool, run_tool
from .zynq import zynq_files

__all__ = ["PRESET", "SUMMARY", "build", "plan_build"]

SUMMARY = "build.json"
"""File with what a build came to."""

PRESET = "preset.toml"
"""File with the parameters that were built."""

_UNITS = {"uart": "sme_uart_unit", "axi": AXI_TOP}
"""Names of the units' modules, by the board's link."""

_LOGS = {"yosys": f"{NAME}.rpt", "nextpnr": f"{NAME}.tim"}


def build(
    board: Board,
    design: Design,
    preset: str,
    directory: str | Path,
    seeds: int,
    progress: Progress,
    largest: Callable[[], str],
) -> dict[str, Any]:
    """Build a unit for a board; for Vivado, write its project only.

    Parameters
    ----------
    board : Board
    design : Design
        Of :func:`rtl_gen.boards.unit.board_design`.
    preset : str
        Its parameters, as the text of :data:`PRESET`, for the host.
    directory : path
        Where to; it is made if need be. On any error nothing is written.
    seeds : int
        How often to place and route, from seed 1 on, until the design is fast enough; the fastest
        is kept.
    progress : Progress
    largest : callable
        Says what would fit, for the message about a unit that does not.

    Returns
    -------
    dict
        What :data:`SUMMARY` has: ``board``, ``title``, ``units``, ``fingerprint`` (that of
        the registers), ``preset``, ``baud`` of a serial line or the ``registers`` on a bus,
        ``files`` and, but for Vivado, ``bitstream``, ``seed`` of place and route, and what
        :func:`rtl_gen.boards.report.placed_report` returns.

    Raises
    ------
    InputError
        A tool is missing, the unit does not fit, or the folder cannot be written to.
    """
    with staged_directory(directory) as stage:
        progress("Verilog", None)
        plan = plan_build(board, design)
        for command in plan.commands:
            find_tool(command[0])
        if not plan.commands:
            _check_estimate(board, design, largest)
        for name, text in {PRESET: preset, **plan.files}.items():
            (stage / name).write_text(text, encoding="utf-8")
        summary: dict[str, Any] = {
            "board": board.name,
            "title": board.title,
            "units": design.units,
            "fingerprint": f"{fingerprint(design.hardware, design.units):016x}",
            "preset": PRESET,
            "files": sorted([PRESET, *plan.files]),
        }
        if board.link == "axi":
            summary["registers"] = as_json(register_map(design.hardware, design.units))
        else:
            summary["baud"] = board.baud
        if plan.commands:
            summary |= _run(board, plan, stage, seeds, progress, largest)
        write_json(stage / SUMMARY, summary)
    return summary


def plan_build(board: Board, design: Design) -> Plan:
    """Return the files with the unit, and what to run on them.

    Parameters
    ----------
    board : Board
    design : Design
        Of :func:`rtl_gen.boards.unit.board_design`.

    Raises
    ------
    InputError
        amaranth-boards is missing, the board's file does not fit what it knows of the board, or
        streams do not suit the DMA.
    """
    unit = _UNITS[board.link]
    verilog = emit_verilog(design.component, unit, board.family.target)
    if board.link == "uart":
        return uart_plan(board, unit, verilog)
    files = {
        f"{unit}.v": verilog,
        **zynq_files(board, part(board), design, unit),
        **register_files(register_map(design.hardware, design.units), unit),
    }
    return Plan(files, [])


def _check_estimate(board: Board, design: Design, largest: Callable[[], str]) -> None:
    """Refuse what the estimate, lowered by its margin, says does not fit: no synthesis does."""
    short = short_of(least(design, board.family.name), board.capacity)
    if short:
        raise _does_not_fit(board, short, largest)


def _run(
    board: Board,
    plan: Plan,
    folder: Path,
    seeds: int,
    progress: Progress,
    largest: Callable[[], str],
) -> dict[str, Any]:
    """Synthesise, place, route and pack."""
    synthesis, _, pack = plan.commands
    run_tool(synthesis, folder, folder / _LOGS["yosys"], progress)
    used = synthesised(board.family, json.loads((folder / STATISTICS).read_text("utf-8")))
    short = short_of(used, board.capacity)
    if short:
        raise _does_not_fit(board, short, largest)
    unit = _UNITS[board.link]
    large = used["LUT"] + used["FF"] > LARGE
    best: dict[str, Any] = {"fmax_MHz": 0}
    kept: dict[str, bytes] = {}
    for seed in range(1, seeds + 1):

        def told(stage: str, share: float | None, seed: int = seed) -> None:
            progress(f"seed {seed}: {stage}" if seeds > 1 else stage, share)

        seeded = uart_plan(board, unit, plan.files[f"{unit}.v"], seed, large=large)
        for name, text in seeded.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        _place(board, seeded.commands[1], folder, told, largest)
        report = json.loads((folder / REPORT).read_text("utf-8"))
        summary = placed_report(board, used, report)
        if summary["fmax_MHz"] > best["fmax_MHz"]:
            best = {"seed": seed, **summary}
            names = (*seeded.files, REPORT, _LOGS["nextpnr"], NAME + board.family.routed)
            kept = {name: (folder / name).read_bytes() for name in names}
        if summary["timing_met"]:
            break
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    progress("bitstream", None)
    run_tool(pack, folder, None, progress)
    return {"bitstream": NAME + board.family.bitstream, **best}


def _place(
    board: Board,
    command: list[str],
    folder: Path,
    progress: Progress,
    largest: Callable[[], str],
) -> None:
    """Place and route."""
    log = folder / _LOGS["nextpnr"]
    try:
        run_tool(command, folder, log, progress)
    except ToolError:
        short = packed_short_of(board.family, log.read_text("utf-8"))
        if short:
            raise _does_not_fit(board, short, largest) from None
        raise


def _does_not_fit(board: Board, short: dict[str, str], largest: Callable[[], str]) -> InputError:
    missing = ", ".join(f"{figure} {count}" for figure, count in short.items())
    return InputError(f"it does not fit on {board.name}: {missing}; {largest()}")
