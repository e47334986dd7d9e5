"""What the commands print: tables on standard output, progress on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from rtl_gen.files import staged_file, write_json

__all__ = ["bar", "output", "table", "write_report"]

# A file or pipe has no width of its own: leave tables room there.
_WIDTH = None if sys.stdout.isatty() else 160
# Names of layers may hold brackets, which are no markup.
output = Console(highlight=False, markup=False, soft_wrap=True, width=_WIDTH)
_errors = Console(stderr=True, highlight=False)


@contextmanager
def bar(total: float | None = None) -> Iterator[tuple[Progress, TaskID]]:
    """Show a progress bar on a terminal; gives the progress and its only task."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_errors, transient=True, disable=not _errors.is_terminal) as p:
        yield p, p.add_task("", total=total)


def table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table; all columns but the first are numbers."""
    drawn = Table(title=title, title_justify="left", title_style="bold")
    for i, name in enumerate(columns):
        drawn.add_column(name, justify="right" if i else "left")
    for row in rows:
        drawn.add_row(*["-" if cell is None else str(cell) for cell in row])
    output.print(drawn)


def write_report(json_file: str | None, content: Any) -> None:
    """Write a report for machines, if one is wanted."""
    if json_file is not None:
        with staged_file(json_file) as temporary:
            write_json(temporary, content)
