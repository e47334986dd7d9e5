"""A picture of divergence and lost accuracy over the ratio of crossbars."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.report.figure import DPI, new_figure, tidy_axis

from .ladder import METHODS
from .results import Measured

__all__ = ["draw_pareto"]

_STYLES = {
    "conventional": ("#000000", "*"),
    "paper": ("#bdbdbd", "o"),
    "minimal": ("#9ecae1", "o"),
    "rounded": ("#6baed6", "o"),
    "magnitude": ("#6baed6", "s"),
    "mse": ("#4292c6", "o"),
    "bias": ("#2171b5", "o"),
    "compensated": ("#08519c", "o"),
    "window": ("#54278f", "P"),
    "additions": ("#08306b", "s"),
    "tiles": ("#fdae6b", "D"),
    "split": ("#e6550d", "D"),
    "plain": ("#d9d9d9", "v"),
    "plain mse": ("#bdbdbd", "v"),
    "plain bias": ("#969696", "v"),
    "plain compensated": ("#636363", "v"),
    "plain additions": ("#252525", "v"),
    "plain tiles": ("#252525", "x"),
}
"""Colour and mark of every method; controls are grey and dashed. The colours can be told apart by
people who cannot tell red from green."""

_LEAST = 1e-6
"""Divergence that is drawn for less."""

_MOST_DROP = 12.0
"""Points where the lower panels end."""


def draw_pareto(results: Mapping[str, Sequence[Measured]], path: Path) -> None:
    """Draw all results, a column of panels for each network.

    Parameters
    ----------
    results : mapping of str to sequence of (Rung, result)
        By the networks' names.
    path : path
        Image file to write; its suffix chooses the format.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    width = 1.5 + 3.6 * len(results)
    figure = new_figure(width, 7.6)
    panels = figure.subplots(2, len(results), sharex="col", squeeze=False)
    seen: dict[str, Any] = {}
    for (name, measured), upper, lower in zip(results.items(), *panels, strict=True):
        for method in METHODS:
            points = [result for rung, result in measured if rung.method == method]
            if points:
                points.sort(key=lambda result: result["ratio"])
                seen[method] = _draw_method(method, points, upper, lower)
        upper.set_yscale("log")
        upper.set_title(name, fontsize=10)
        lower.set_ylim(-2, _MOST_DROP)
        lower.set_xlabel("times fewer crossbars", fontsize=9)
        lower.set_xscale("log")
        most = max(result["ratio"] for _, result in measured)
        lower.set_xlim(0.95, max(1.05 * most, 2))
        ticks = [tick for tick in (1, 2, 3, 4, 5, 8, 12) if tick <= most + 1]
        lower.set_xticks(ticks, [str(tick) for tick in ticks])
        lower.minorticks_off()
        for axis in (upper, lower):
            tidy_axis(axis)
    panels[0, 0].set_ylabel("KL divergence from the float network", fontsize=9)
    panels[1, 0].set_ylabel("top-1 lost, points", fontsize=9)
    ordered = [method for method in METHODS if method in seen]
    figure.legend(
        [seen[method] for method in ordered],
        ordered,
        loc="outside upper center",
        ncols=int(width / 1.6),
        fontsize=8,
        frameon=False,
    )
    figure.savefig(path, dpi=DPI)


def _draw_method(method: str, points: list[dict[str, Any]], upper: Any, lower: Any) -> Any:
    """Draw the results of a method, and return what stands in the legend."""
    colour, mark = _STYLES[method]
    line = "--" if method.startswith("plain") else "-"
    if method == "window":  # another S is no other degree
        line = "none"
    style = {"color": colour, "marker": mark, "linestyle": line, "markersize": 4, "linewidth": 1}
    ratios = [point["ratio"] for point in points]
    (drawn,) = upper.plot(ratios, [max(point["kl"], _LEAST) for point in points], **style)
    labelled = [point for point in points if point["drop"] is not None]
    lower.errorbar(
        [point["ratio"] for point in labelled],
        [point["drop"] for point in labelled],
        yerr=[point["drop_standard_error"] or 0.0 for point in labelled],
        elinewidth=0.6,
        **style,
    )
    return drawn
