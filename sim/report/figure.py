"""Figures without a display, from matplotlib if it is there."""

from typing import TYPE_CHECKING, Literal

from sme_hw.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DPI", "check_matplotlib", "new_figure", "short_name", "tidy_axis"]

DPI = 120

_NAME_LENGTH = 36


def check_matplotlib() -> None:
    """Find out before long work whether pictures can be drawn.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    new_figure(1, 1)


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure.

    Parameters
    ----------
    width, height : float
        Inches.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("pictures need matplotlib: pip install sme[network]") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def short_name(name: str) -> str:
    """Return a layer's name, or the end of a long one, which tells layers apart."""
    return name if len(name) <= _NAME_LENGTH else f"...{name[3 - _NAME_LENGTH :]}"


def tidy_axis(axis: "Axes", which: Literal["both", "x"] = "both") -> None:
    """Give an axis small labels, a pale grid behind what is drawn, and no frame above and right.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    which : str
        What gets labels and grid lines of this kind: ``"both"`` directions, or ``"x"``.
    """
    axis.tick_params(axis=which, labelsize=8)
    axis.grid(axis=which, color="#e0e0e0", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
