"""Which layers squeeze-out keeps nearer to their weights than uniform codes of as many planes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.mapping import LayerMapping, Parameters, load_parameters, map_layer
from sim.report.figure import DPI, new_figure, tidy_axis

from .subjects import Subject

__all__ = ["LayerGain", "draw_gains", "layer_gains"]

DEGREE = 3
"""x: five of eight planes are left."""

_MARKS = ("o", "s", "D", "^", "v")
_COLOURS = ("#08306b", "#e6550d", "#6baed6", "#252525", "#fdae6b")
"""Of the networks, in their order; told apart by people who cannot tell red from green."""


@dataclass(frozen=True)
class LayerGain:
    """What squeeze-out gains in a layer.

    Parameters
    ----------
    name : str
    share : float
        Part of the rows of tiles with a 1 in the most significant plane.
    gain : float
        Signal-to-noise ratio of the weights above that of the control, in dB.
    """

    name: str
    share: float
    gain: float


def layer_gains(subject: Subject) -> list[LayerGain]:
    """Map every layer both ways, to nearest codes with column scales of least squared error.

    Layers that one of the ways keeps without any error are left out.
    """
    found = []
    both = [_parameters("rounded"), _parameters("plain")]
    for layer in subject.network.sources(subject.quantisations):
        squeezed, plain = (
            map_layer(layer.name, layer.weights, own, groups=layer.groups) for own in both
        )
        ratios = _ratio(squeezed), _ratio(plain)
        if ratios[0] is not None and ratios[1] is not None:
            share = squeezed.counts.nonzero_rows_before[0] / squeezed.counts.rows
            found.append(LayerGain(layer.name, share, ratios[0] - ratios[1]))
    return found


def _parameters(policy: str) -> Parameters:
    return load_parameters("lossless", policy=policy, squeeze=DEGREE, window=8, scale="column-mse")


def _ratio(mapping: LayerMapping) -> float | None:
    return mapping.errors.sqnr_db(mapping.errors.total)


def draw_gains(results: Mapping[str, Sequence[LayerGain]], path: Path) -> None:
    """Draw the gain of every layer over its rows in the most significant plane.

    Parameters
    ----------
    results : mapping of str to sequence of LayerGain
        By the networks' names.
    path : path
        Image file to write; its suffix chooses the format.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    figure = new_figure(6.4, 4.4)
    axis = figure.subplots()
    for (name, gains), mark, colour in zip(results.items(), _MARKS, _COLOURS, strict=False):
        shares = [100 * own.share for own in gains]
        axis.scatter(
            shares,
            [own.gain for own in gains],
            s=22,
            marker=mark,
            color=colour,
            alpha=0.8,
            linewidths=0,
            label=name,
        )
    axis.axhline(0, color="#252525", linewidth=0.8)
    axis.set_xlabel("rows of tiles with a 1 in the most significant plane, %", fontsize=9)
    axis.set_ylabel("dB nearer to the weights than plain codes", fontsize=9)
    axis.set_title(f"{8 - DEGREE} planes, every layer", fontsize=10)
    tidy_axis(axis)
    axis.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=DPI)
