"""A picture of how many crossbars each layer takes."""

from pathlib import Path
from typing import Any

from .figure import DPI, new_figure, short_name, tidy_axis

__all__ = ["draw_crossbars"]

_BARS = {
    "conventional": ("#c6dbef", 0.86),
    "sliced": ("#6baed6", 0.58),
    "squeezed": ("#08306b", 0.3),
}
"""Colour and thickness: a bar stands in front of thicker ones, and may be longer."""

_LOG_FROM = 30
"""Ratio of the largest to the smallest layer from which on the scale is logarithmic."""


def draw_crossbars(report: dict[str, Any], path: Path) -> None:
    """Draw the crossbars of every layer: conventional, sliced and squeezed.

    Parameters
    ----------
    report : dict
        From :func:`sim.mapping.describe`.
    path : path
        Image file to write; its suffix chooses the format.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    entries = report["layers"]
    figure = new_figure(9, 0.24 * len(entries) + 1.5)
    axis = figure.subplots()
    places = range(len(entries))
    for kind, (colour, thickness) in _BARS.items():
        counts = [entry["crossbars"][kind] for entry in entries]
        label = f"{kind}: {report['crossbars'][kind]}"
        axis.barh(places, counts, height=thickness, color=colour, label=label)
    conventional = [entry["crossbars"]["conventional"] for entry in entries]
    most = [max(entry["crossbars"][kind] for kind in _BARS) for entry in entries]
    for place, entry, end in zip(places, entries, most, strict=True):
        text = " / ".join(str(entry["crossbars"][kind]) for kind in _BARS)
        axis.annotate(
            text,
            (end, place),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=7,
            va="center",
        )
    if max(conventional) > _LOG_FROM * min(conventional):
        axis.set_xscale("log")
        axis.set_xlim(0.7, 3 * max(most))
    else:
        axis.set_xlim(0, 1.25 * max(most))
    names = [short_name(entry["name"]) for entry in entries]
    axis.set_yticks(places, names, fontsize=8, parse_math=False)
    axis.set_ylim(len(entries) - 0.4, -0.6)
    axis.set_xlabel("crossbars (planes counted once, not per sign)", fontsize=9)
    tidy_axis(axis, "x")
    figure.legend(loc="outside upper center", ncols=len(_BARS), fontsize=9, frameon=False)
    figure.savefig(path, dpi=DPI)
