"""A picture of how many rows have a 1 in each plane, before and after squeeze-out."""

from pathlib import Path
from typing import Any

import numpy as np

from .figure import DPI, new_figure, short_name

__all__ = ["draw_nonzero_rows"]

_GREY = 3.5
"""Where 1 is a light grey on matplotlib's scale of greys."""


def _shares(entries: list[dict[str, Any]], when: str) -> np.ndarray:
    """Return shares of rows, shape (layers, planes); nan where a layer has no such plane."""
    planes = max(len(entry["nonzero_rows"][when]) for entry in entries)
    shares = np.full((len(entries), planes), np.nan)
    for row, entry in zip(shares, entries, strict=True):
        values = entry["nonzero_rows"][f"share_{when}"]
        row[: len(values)] = values
    return shares


def _released(entries: list[dict[str, Any]], planes: int) -> np.ndarray:
    """Mark the planes that squeeze-out released, shape (layers, planes)."""
    counts = [len(e["nonzero_rows"]["after"]) - e["planes"]["built"] for e in entries]
    return np.arange(planes) < np.array(counts)[:, None]


def draw_nonzero_rows(report: dict[str, Any], path: Path) -> None:
    """Draw a map of layers and planes: the share of rows with a 1.

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
    before, after = (_shares(entries, when) for when in ("before", "after"))
    layers, planes = before.shape
    after[_released(entries, planes)] = np.nan
    figure = new_figure(0.9 * planes + 3.6, 0.22 * layers + 1.5)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, shares, title in zip(panels, (before, after), ("before", "after"), strict=True):
        # Small shares are what matters: the square root sets them apart.
        image = panel.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (layer, plane), share in np.ndenumerate(shares):
            if not np.isnan(share):
                colour = "white" if share > 0.35 else "black"
                text = _percent(share)
                panel.text(plane, layer, text, color=colour, fontsize=7, ha="center", va="center")
        panel.set_title(f"{title} squeeze-out", fontsize=10)
        panel.set_xticks(range(planes), [str(plane + 1) for plane in range(planes)], fontsize=8)
        panel.set_xlabel("plane (1: most significant)", fontsize=9)
    mask = np.where(_released(entries, planes), 1.0, np.nan)
    panels[1].imshow(mask, cmap="Greys", vmin=0, vmax=_GREY, aspect="auto")
    names = [short_name(entry["name"]) for entry in entries]
    panels[0].set_yticks(range(layers), names, fontsize=8, parse_math=False)
    figure.suptitle("Rows of tiles with a 1 in each plane, % (grey: released)", fontsize=11)
    ticks = [0, 0.01, 0.05, 0.2, 0.5, 1]
    bar = figure.colorbar(image, ax=panels, ticks=np.sqrt(ticks), fraction=0.05)
    bar.ax.set_yticklabels([f"{100 * tick:g} %" for tick in ticks], fontsize=8)
    figure.savefig(path, dpi=DPI)


def _percent(share: float) -> str:
    """Return a share with as many digits as a cell holds; only 0 is 0, and only all is 100."""
    if 0 < share < 0.0005:
        return "<.1"
    if 0.995 <= share < 1:
        return ">99"
    return f"{100 * share:.1f}" if 0 < share < 0.0995 else f"{100 * share:.0f}"
