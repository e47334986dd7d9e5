"""The rungs: ways to map a network, each with its degrees of squeeze-out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sim.compensation.params import FitParams
from sim.mapping import Parameters, load_parameters

__all__ = [
    "BIAS",
    "COMPENSATED",
    "METHODS",
    "NEAREST",
    "TILES",
    "UNIFORM",
    "Rung",
    "chosen",
    "ladder",
]

UNIFORM, TILES = "uniform", "tiles"
"""Kinds of control: as many planes in every tile, and planes by what tiles need."""

METHODS: Mapping[str, str] = {
    "conventional": "8 planes, all of them kept, column scales",
    "paper": "rows move by x or not at all; S = 3, one power-of-two scale a layer",
    "minimal": "rows move as far as they must; column scales",
    "rounded": "the same, moved rows are rounded anew",
    "magnitude": "rounded, rows dealt to tiles by magnitude: planes empty by themselves",
    "mse": "rounded, with column scales of least squared error",
    "bias": "mse, and biases make up for mean errors",
    "compensated": "rounded, rows make up for the errors of others, bias correction",
    "window": "compensated, no row leaves the window of S bits",
    "additions": "compensated, ends of residual blocks make up for the whole sum",
    "tiles": "additions, planes tile by tile up to 6 (x = 2)",
    "split": "additions, rows split into pieces of 1 bit, shared out row by row",
    "plain": "control: uniform codes of fewer planes, no row is moved",
    "plain mse": "control with column scales of least squared error",
    "plain bias": "the same with bias correction",
    "plain compensated": "control with compensated rounding and bias correction",
    "plain additions": "the same, ends of residual blocks make up for the whole sum",
    "plain tiles": "the same, planes tile by tile up to 6: bit-slicing alone, no row is moved",
}
"""What the methods are, in the order of tables."""


@dataclass(frozen=True)
class Rung:
    """A way to map a network.

    Parameters
    ----------
    method : str
        One of :data:`METHODS`.
    degree : str
        What else is in its name: the squeeze degree, the planes, or the ratio.
    options : mapping
        Of the mapper, what differs from :data:`_BASE`.
    fit : FitParams
    control : str or None
        :data:`UNIFORM` or :data:`TILES`; None: with squeeze-out.
    inputs : str or None
        Which range of inputs the integers cover, if not that of the network's plan.
    """

    method: str
    degree: str
    options: Mapping[str, Any]
    fit: FitParams
    control: str | None = None
    inputs: str | None = None

    @property
    def name(self) -> str:
        """What it is called, without blanks."""
        return f"{self.method} {self.degree}".strip().replace(" ", "-")

    @property
    def parameters(self) -> Parameters:
        """The mapper's parameters: ADCs are lossless, all rows are active."""
        return load_parameters("lossless", **{**_BASE, **self.options})

    @property
    def keeps_empty_planes(self) -> bool:
        """Planes count whether they hold a 1 or not."""
        return self.method == "conventional"


_BASE = {"window": 8, "scale": "column", "policy": "rounded"}
NEAREST = FitParams()
BIAS = FitParams(bias_correction=True)
COMPENSATED = FitParams(rounding="compensated", bias_correction=True)
ADDITIONS = FitParams(rounding="compensated", bias_correction=True, additions=True)
_TILES_DEGREE = 2
"""x where planes are given tile by tile: none has more than 6."""


def _at_ratio(ratio: float) -> FitParams:
    return FitParams(rounding="compensated", bias_correction=True, additions=True, ratio=ratio)


def _squeezed(
    method: str, degrees: range, fit: FitParams = NEAREST, **options: str | int
) -> Iterator[Rung]:
    for degree in degrees:
        yield Rung(method, f"x={degree}", options | {"squeeze": degree}, fit)


def _plain(
    method: str, planes: range, fit: FitParams = NEAREST, scale: str = "column"
) -> Iterator[Rung]:
    for kept in planes:
        options = {"policy": "plain", "squeeze": 8 - kept, "scale": scale}
        yield Rung(method, str(kept), options, fit, UNIFORM)


def ladder(
    ratios: tuple[float, ...],
    tile_ratios: tuple[float, ...],
    *,
    additions: bool,
    fewest_planes: int,
) -> list[Rung]:
    """Return all rungs.

    Parameters
    ----------
    ratios, tile_ratios : tuple of float
        How many times fewer crossbars than conventional, where rows are split, and where planes are
        given tile by tile.
    additions : bool
        The network has residual blocks; without them, some rungs are the same as others.
    fewest_planes : int
        Of the control.
    """
    planes = range(fewest_planes, 7)
    rungs = [
        Rung("conventional", "", {"squeeze": 0}, NEAREST),
        *_squeezed("paper", range(1, 4), policy="paper", window=3, scale="layer-pow2"),
        *_squeezed("minimal", range(1, 4), policy="minimal"),
        *_squeezed("rounded", range(1, 4)),
        *_squeezed("magnitude", range(0, 3, 2), grouping="magnitude"),
        *_squeezed("mse", range(2, 5), scale="column-mse"),
        *_squeezed("bias", range(2, 5), BIAS, scale="column-mse"),
        *_squeezed("compensated", range(2, 6), COMPENSATED),
    ]
    for window in (1, 3):
        options = {"policy": "rounded-window", "window": window, "squeeze": 3}
        rungs.append(Rung("window", f"S={window} x=3", options, COMPENSATED))
    if additions:
        rungs += _squeezed("additions", range(2, 6), ADDITIONS)
    rungs += [
        Rung("tiles", f"{ratio:g}", {"squeeze": _TILES_DEGREE}, _at_ratio(ratio))
        for ratio in tile_ratios
    ]
    split = {"policy": "split", "squeeze": 7}
    rungs += [Rung("split", f"{ratio:g}", split, _at_ratio(ratio)) for ratio in ratios]
    rungs += _plain("plain", planes)
    rungs += _plain("plain mse", planes, scale="column-mse")
    rungs += _plain("plain bias", planes, BIAS, scale="column-mse")
    rungs += _plain("plain compensated", planes, COMPENSATED)
    if additions:
        rungs += _plain("plain additions", planes, ADDITIONS)
    tiles = {"policy": "plain", "squeeze": _TILES_DEGREE}
    rungs += [
        Rung("plain tiles", f"{ratio:g}", tiles, _at_ratio(ratio), TILES)
        for ratio in sorted({*ratios, *tile_ratios})
    ]
    return rungs


def chosen(rungs: Iterable[Rung], patterns: Sequence[str] | None) -> list[Rung]:
    """Return the rungs whose names match one of some shell patterns; all without patterns."""
    return [
        rung
        for rung in rungs
        if not patterns or any(fnmatchcase(rung.name, pattern) for pattern in patterns)
    ]
