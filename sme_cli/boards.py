"""`sme boards`: the boards, and what fits on them."""

from typing import Any

import click

from rtl_gen.boards.board import boards, load_board
from rtl_gen.boards.families import FIGURES

from .build import board_parameters, largest_on, units_option
from .console import bar, table, write_report
from .options import json_option, parameter_options

__all__ = ["boards_command"]


@click.command("boards")
@units_option
@parameter_options(None)
@json_option
def boards_command(units: int, json_file: str | None, **options: Any) -> None:
    """Show the boards, and the largest square crossbar that fits on each.

    The unit is the board's own, or one of other options. Nothing is synthesised: block RAMs are
    counted, LUTs and flip-flops estimated.

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
                "planes": parameters.hardware.planes,
                "adc_bits": parameters.as_dict()["adc_bits"],
                "largest_square": largest_on(board, parameters, units),
            }
            progress.advance(task)
    write_report(json_file, report)
    columns = ["board", "device", "link", "MHz", *FIGURES, "planes", "ADC bits", "largest square"]
    table("Boards", columns, [[name, *row.values()] for name, row in report.items()])
