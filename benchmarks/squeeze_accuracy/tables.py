"""The results of a network as a table, for people and in Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any

from .against_plain import crossbars_at, frontier
from .ladder import METHODS, TILES, UNIFORM
from .results import Measured

__all__ = ["COLUMNS", "as_markdown", "columns_as_markdown", "drop_text", "markdown_table", "rows"]

COLUMNS = {
    "rung": "",
    "XBs": "crossbars that hold a 1; of a conventional mapping, all",
    "ratio": "how many times fewer they are than in a conventional mapping",
    "XB cycles": "crossbars times bit-cycles, as a part of the conventional; all rows active",
    "16 rows": "the same with 16 rows active together, sorted by shift",
    "ADC": "bits with which no column can clip, all rows active",
    "Kbit": "row conversion masks and row order, in 1,000 bits",
    "top-1": "per cent",
    "drop": "points of top-1 lost to the float network, with standard error",
    "agree": "per cent of images with the float network's class",
    "KL": "mean divergence of the classes' probabilities from the float network's, in nats",
    "KL weights": "the same with inputs that are not quantised",
    "/ plain": "how many times more crossbars the control needs for the same KL, with as many "
    "planes in every tile; the best of all its forms, logarithms interpolated",
    "/ plain tiles": "the same with planes tile by tile",
}
"""Names of columns, and what they hold."""


def _curve(measured: Iterable[Measured], control: str) -> list[tuple[float, float]]:
    return frontier(
        (result["crossbars"], result["kl"]) for rung, result in measured if rung.control == control
    )


def _against(result: dict[str, Any], curve: Sequence[tuple[float, float]]) -> str:
    needed = crossbars_at(result["kl"], curve)
    return "-" if needed is None else f"{needed / result['crossbars']:.2f}"


def _number(value: float | None, digits: str) -> str:
    return "-" if value is None else f"{value:{digits}}"


def drop_text(result: dict[str, Any]) -> str:
    """Return the points of top-1 that are lost, with their standard error."""
    drop, error = result["drop"], result["drop_standard_error"]
    return f"{_number(drop, '.2f')} ± {_number(error, '.2f')}"


def rows(measured: Sequence[Measured]) -> list[list[str]]:
    """Return a row for every rung, with :data:`COLUMNS`.

    The last two columns say how many times more crossbars the control needs for the same KL: all
    its forms with as many planes in every tile, and with planes tile by tile.
    """
    uniform, tiles = (_curve(measured, control) for control in (UNIFORM, TILES))
    table = []
    for rung, result in measured:
        compared = rung.control is None
        table.append(
            [
                rung.name,
                f"{result['crossbars']:,}",
                f"{result['ratio']:.2f}",
                f"{result['work']:.3f}",
                f"{result['work_grouped']:.3f}",
                str(result["adc_bits"]),
                f"{(result['rcmr_bits'] + result['index_bits']) / 1000:.1f}",
                _number(result["top1"], ".2f"),
                drop_text(result),
                f"{result['agreement']:.1f}",
                f"{result['kl']:.3g}",
                _number(result["kl_weights"], ".3g"),
                _against(result, uniform) if compared else "-",
                _against(result, tiles) if compared else "-",
            ]
        )
    return table


def _legend(measured: Sequence[Measured]) -> list[tuple[str, str]]:
    """Return the methods that occur, and what they are."""
    methods = {rung.method for rung, _ in measured}
    return [(name, text) for name, text in METHODS.items() if name in methods]


def columns_as_markdown() -> str:
    """Return a list of what the columns hold."""
    return "\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items() if text) + "\n"


def markdown_table(title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a section with a table."""
    columns = list(columns)
    lines = [
        f"## {title}",
        "",
        f"| {' | '.join(columns)} |",
        f"|---|{'---:|' * (len(columns) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
    return "\n".join(lines)


def as_markdown(title: str, measured: Sequence[Measured]) -> str:
    """Return a section with the table and what its methods are."""
    legend = (f"- `{name.replace(' ', '-')}`: {text}" for name, text in _legend(measured))
    return "\n".join([markdown_table(title, COLUMNS, rows(measured)), *legend, ""])
