"""`sme boards`: the boards, and what fits on them."""

from contextlib import suppress
from typing import Any

import click

from rtl_gen.boards.board import Board, boards, load_board
from rtl_gen.boards.estimate import fits
from rtl_gen.boards.families import FIGURES
from rtl_gen.boards.unit import board_design
from sim.mapping import Parameters
from sme_hw.errors import ParameterError

from .build import board_parameters, largest_on, units_option
from .console import bar, table, write_report
from .options import json_option, parameter_options

__all__ = ["boards_command"]


SQUEEZES = range(8)


def most_planes(board: Board, parameters: Parameters, units: int) -> int | None:
    """Return the built planes that fit on a board with as little squeeze-out as possible."""
    options = parameters.as_dict()
    for squeeze in SQUEEZES:
        # One that the cells or a list of ADC bits do not go with, for example.
        with suppress(ParameterError):
            hardware = Parameters.build(options | {"squeeze": squeeze}).hardware
            if fits(board, board_design(board, hardware, units)):
                return hardware.planes
    return None


@click.command("boards")
@units_option
@parameter_options(None)
@json_option
def boards_command(units: int, json_file: str | None, **options: Any) -> None:
    """Show the boards, and what fits on each.

    The unit is the board's own, or one of other options: its crossbar as large as possible, then
    its planes as many as possible. Nothing is synthesised: block RAMs are counted, LUTs and
    flip-flops estimated.

    Example: sme boards --preset paper --adc-bits lossless
    """
    report = {}
    names = boards()
    with bar(len(names)) as (progress, task):
        for name in names:
            progress.update(task, description=name)
            board = load_board(name)
            parameters = board_parameters(board, dict(options))
            report[name] = {
                "title": board.title,
                "link": board.link,
                "clock_MHz": board.clock_hz / 1e6,
                **{figure: board.capacity[figure] for figure in FIGURES},
                "adc_bits": parameters.as_dict()["adc_bits"],
                "rows": parameters.hardware.rows,
                "columns": parameters.hardware.cols,
                "planes": parameters.hardware.planes,
                "largest_square": largest_on(board, parameters, units),
                "most_planes": most_planes(board, parameters, units),
            }
            progress.advance(task)
    write_report(json_file, report)
    columns = ["board", "device", "link", "MHz", *FIGURES, "ADC bits", "rows", "columns", "planes"]
    columns += ["largest square of these planes", "most planes of this size"]
    table("Boards", columns, [[name, *row.values()] for name, row in report.items()])
