"""`sme build`: from parameters to the bitstream of a board."""

from typing import Any

import click

from rtl_gen.boards.board import Board, load_board, with_clock
from rtl_gen.boards.build import PRESET, SUMMARY, build
from rtl_gen.boards.estimate import largest_square
from rtl_gen.boards.unit import board_design
from rtl_gen.files import check_writable
from sim.mapping import Parameters, load_parameters

from .console import bar, output, table, write_report
from .options import json_option, parameter_options, take_parameters

__all__ = ["board_parameters", "build_command", "largest_on", "units_option"]

TOO_SLOW = 1

units_option = click.option(
    "--units",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Compute units behind the bus, whose results are added.",
)
"""``--units N``."""


def board_parameters(board: Board, options: dict[str, Any]) -> Parameters:
    """Return what is built for a board: its own defaults, or a preset, changed by options."""
    if options.get("preset"):
        return take_parameters(options)
    defaults = dict(board.options)
    given = {key: value for key, value in options.items() if value is not None and key != "preset"}
    return load_parameters(defaults.pop("preset"), **defaults | given)


def largest_on(board: Board, parameters: Parameters, units: int) -> int | None:
    """Return rows and columns of the largest square crossbar that fits on a board."""
    hardware = parameters.hardware
    return largest_square(board, hardware, lambda sized: board_design(board, sized, units))


def _largest_text(board: Board, parameters: Parameters, units: int) -> str:
    size = largest_on(board, parameters, units)
    if size is None:
        return "nothing with these options would"
    return f"the largest square crossbar with these options would have {size} x {size} cells"


@click.command("build")
@click.argument("board")
@click.option(
    "-o",
    "--output",
    "directory",
    required=True,
    type=click.Path(file_okay=False),
    help=f"Folder for the bitstream, {SUMMARY}, and all that it was made from.",
)
@units_option
@click.option(
    "--clock", type=float, metavar="MHZ", help="Clock of the units; the board's file has a default."
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Place and route with up to so many seeds, until the design is fast enough.",
)
@parameter_options(None)
@json_option
def build_command(
    board: str,
    directory: str,
    units: int,
    clock: float | None,
    seeds: int,
    json_file: str | None,
    **options: Any,
) -> int:
    """Build the bitstream of a BOARD: a name (see sme boards) or a .toml file.

    Places and routes with Yosys and nextpnr; for boards whose devices need Vivado, writes a project
    for it. Exits with 1 if the routed design is slower than the board's clock.

    Example: sme build icebreaker -o build/icebreaker
    """
    target = load_board(board)
    if clock is not None:
        target = with_clock(target, clock)
    parameters = board_parameters(target, options)
    for path in (directory, json_file):
        check_writable(path)
    design = board_design(target, parameters.hardware, units)
    with bar(1) as (progress, task):

        def show(stage: str, share: float | None) -> None:
            progress.update(task, description=stage, completed=share or 0)

        summary = build(
            target,
            design,
            parameters.as_preset(),
            directory,
            seeds,
            show,
            lambda: _largest_text(target, parameters, units),
        )
    write_report(json_file, summary)
    if "bitstream" not in summary:
        output.print(f"written to {directory}: a Vivado project for {target.title}")
        script = next(name for name in summary["files"] if name.endswith(".tcl"))
        output.print(f"build it: cd {directory} && vivado -mode batch -source {script}")
        _print_host(target, directory)
        return 0
    rows = [
        [figure, count["used"], count["available"]]
        for figure, count in summary["resources"].items()
    ]
    table(target.title, ["", "used", "available"], rows)
    output.print(
        f"{summary['fmax_MHz']:g} MHz after routing, {summary['target_MHz']:g} MHz are needed: "
        f"slack {summary['slack_ns']:g} ns"
    )
    output.print(f"bitstream: {directory}/{summary['bitstream']}")
    if not summary["timing_met"]:
        output.print(
            "TOO SLOW: do not use this bitstream; --seeds tries again, --clock sets a lower clock"
        )
        return TOO_SLOW
    _print_host(target, directory)
    return 0


def _print_host(board: Board, directory: str) -> None:
    """Say how to talk to the board."""
    if board.baud:
        output.print(f"talk to it: sme host PORT --baud {board.baud} --preset {directory}/{PRESET}")
