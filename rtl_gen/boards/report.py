"""What a build came to: resources, speed, and whether it fits."""

import re
from collections.abc import Mapping
from typing import Any

from .board import Board
from .families import Family, resources

__all__ = ["packed_short_of", "placed_report", "short_of", "synthesised"]

_UTILISATION = re.compile(r"(\w+):\s*(\d+)/\s*(\d+)\s+\d+%")


def synthesised(family: Family, statistics: Mapping[str, Any]) -> dict[str, int]:
    """Return what a design takes after synthesis, from what ``stat -json`` of Yosys writes."""
    return resources(family.cells, statistics["design"]["num_cells_by_type"])


def short_of(used: Mapping[str, int], there: Mapping[str, int]) -> dict[str, str]:
    """Return what does not fit, each as ``"used of there"``."""
    return {
        figure: f"{count:,} of {there[figure]:,}"
        for figure, count in used.items()
        if count > there[figure]
    }


def packed_short_of(family: Family, log: str) -> dict[str, str]:
    """Return what does not fit as nextpnr packed it, from its log.

    It counts what synthesis cannot know: logic cells that a LUT and a flip-flop do not share.
    """
    kinds = {kind: (int(used), int(there)) for kind, used, there in _UTILISATION.findall(log)}
    figures = {figure: kinds[kind] for figure, kind in family.placed.items() if kind in kinds}
    return short_of(
        {figure: used for figure, (used, _) in figures.items()},
        {figure: there for figure, (_, there) in figures.items()},
    )


def placed_report(
    board: Board, used: Mapping[str, int], report: Mapping[str, Any]
) -> dict[str, Any]:
    """Return resources and speed of a routed design.

    Parameters
    ----------
    board : Board
    used : dict
        What it takes after synthesis, for what nextpnr does not count.
    report : dict
        What nextpnr writes with ``--report``.

    Returns
    -------
    dict
        ``resources`` (used and available), ``target_MHz``, ``fmax_MHz``, ``slack_ns`` and
        ``timing_met``.
    """
    rows = {
        figure: {"used": count, "available": board.capacity[figure]}
        for figure, count in used.items()
    }
    for figure, kind in board.family.placed.items():
        rows[figure] = {key: report["utilization"][kind][key] for key in ("used", "available")}
    # There is one clock only.
    fmax = min(clock["achieved"] for clock in report["fmax"].values())
    target = board.clock_hz / 1e6
    return {
        "resources": rows,
        "target_MHz": target,
        "fmax_MHz": round(fmax, 2),
        "slack_ns": round(1e3 / target - 1e3 / fmax, 3),
        "timing_met": fmax >= target,
    }
