"""A picture of where a network on crossbars loses accuracy."""

from pathlib import Path
from typing import Any

from .figure import DPI, new_figure, short_name, tidy_axis

__all__ = ["draw_losses"]

_COLOURS = ("#bdbdbd", "#08306b", "#6baed6", "#e6550d")
"""Of the steps, in their order; told apart by people who cannot tell red from green."""

_LEAST = 1e-7
"""Divergence that the axis begins with; less is as good as none."""


def draw_losses(report: dict[str, Any], path: Path) -> None:
    """Draw what each step costs the whole network, and each layer on its own.

    Parameters
    ----------
    report : dict
        From :meth:`sim.network.sensitivity.Sensitivity.as_dict`.
    path : path
        Image file to write; its suffix chooses the format.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    layers, steps = report["layers"], report["steps"]
    figure = new_figure(10, 0.24 * (len(layers) + len(steps)) + 2.2)
    heights = {"height_ratios": [len(steps) + 1, len(layers) + 1]}
    top, bottom = figure.subplots(2, 2, gridspec_kw=heights | {"width_ratios": [3, 2]})
    top[1].set_axis_off()
    most = max(entry["kl"] for entry in (*layers, *steps.values()))

    def bars(axis: Any, names: list[str], values: list[float], colours: Any) -> None:
        axis.barh(range(len(names)), [max(v, _LEAST) for v in values], color=colours, height=0.7)
        axis.set_xscale("log")
        axis.set_xlim(_LEAST, 10 * max(most, _LEAST))
        axis.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
        axis.set_ylim(len(names) - 0.4, -0.6)

    bars(top[0], list(steps), [step["kl"] for step in steps.values()], _COLOURS)
    top[0].set_title("all layers, with all steps so far", fontsize=9)
    for place, step in enumerate(steps.values()):
        text = f"{step['agreement']:.1f} % agree"
        end = max(step["kl"], _LEAST)
        offset = {"xytext": (4, 0), "textcoords": "offset points"}
        top[0].annotate(text, (end, place), fontsize=7, va="center", **offset)
    names = [short_name(layer["name"]) for layer in layers]
    bars(bottom[0], names, [layer["kl"] for layer in layers], "#4a4a4a")
    bottom[0].set_title("only this layer on crossbars", fontsize=9)
    bottom[0].set_xlabel("KL divergence of the classes from the float network's", fontsize=9)
    left = [0.0] * len(layers)
    for name, colour in zip(steps, _COLOURS, strict=True):
        shares = [100 * layer["shares"][name] for layer in layers]
        bottom[1].barh(range(len(layers)), shares, left=left, color=colour, height=0.7, label=name)
        left = [a + b for a, b in zip(left, shares, strict=True)]
    bottom[1].set_yticks([])
    bottom[1].set_ylim(len(layers) - 0.4, -0.6)
    bottom[1].set_xlim(0, 100)
    bottom[1].set_title("what the layer's error consists of", fontsize=9)
    bottom[1].set_xlabel("% of the squared error", fontsize=9)
    for axis in (top[0], *bottom):
        tidy_axis(axis, "x")
    handles, labels = bottom[1].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(steps), fontsize=9, frameon=False
    )
    figure.savefig(path, dpi=DPI)
