"""Which forms the rows of a layer may take: what comes before rounding."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from sim.mapping import Parameters
from sim.mapping.codecs.base import window_codebook
from sme_hw.errors import ParameterError

from .forms import Forms, split_forms, unsplit_forms

__all__ = ["LayerPlan", "planned", "row_forms", "uniform_plan"]


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """The forms that a layer is rounded to.

    Parameters
    ----------
    forms : Forms
    low, high : numpy.ndarray of int64, shape (groups, rows, column tiles)
        For each row of each tile, the first form and the one behind the last.
    order : numpy.ndarray of int64, shape (rows,), or None
        Order in which rows are cut into row tiles, where no groups share a tile. None: the grouping
        policy of the parameters chooses.
    """

    forms: Forms
    low: np.ndarray
    high: np.ndarray
    order: np.ndarray | None = None


def row_forms(parameters: Parameters) -> Forms:
    """Return the forms that the mapper's parameters leave to rows.

    The size of a form is planes of cells, or pieces where rows are split.

    Raises
    ------
    ParameterError
        The codec has a grid of its own.
    """
    mapping, hardware = parameters.mapping, parameters.hardware
    if mapping.codec not in ("auto", "sme", "int8"):
        why = "compensated rounding has its own codes: only auto, sme and int8 are possible"
        raise ParameterError("codec", mapping.codec, why)
    degree, policy = mapping.squeeze, mapping.policy
    if policy == "split":
        return split_forms(hardware.planes * hardware.cell_bits, degree)
    free = policy == "plain" or mapping.codec == "int8"
    window = mapping.weight_bits if free else mapping.window

    def codebook(bits: int, shift: int) -> Sequence[int]:
        # Rows that are moved and rounded leave the window.
        whole = policy == "rounded" and shift
        return range(2**bits) if whole else window_codebook(bits, min(window, bits))

    widths = hardware.cell_bits * np.arange(1, hardware.planes + 1)
    books = [partial(codebook, bits) for bits in widths.tolist()]
    return unsplit_forms(books, _shifts(policy, degree), hardware.cell_bits)


def _shifts(policy: str, degree: int) -> Sequence[int]:
    """Return the row shifts of a policy."""
    if policy == "plain" or not degree:
        return [0]
    return [0, degree] if policy == "paper" else range(degree + 1)


def uniform_plan(forms: Forms, size: int, shape: tuple[int, int, int]) -> LayerPlan:
    """Return the plan in which all rows have forms of one size, and the first window of it.

    Parameters
    ----------
    forms : Forms
    size : int
    shape : tuple of int
        Groups, rows, column tiles.
    """
    return planned(forms, np.full(shape, np.searchsorted(forms.sizes, size)))


def planned(forms: Forms, windows: np.ndarray, order: np.ndarray | None = None) -> LayerPlan:
    """Return the plan in which each row of each tile has a given window.

    Parameters
    ----------
    forms : Forms
    windows : numpy.ndarray of int64, shape (groups, rows, column tiles)
    order : numpy.ndarray of int64, shape (rows,), optional
        As in the plan.
    """
    return LayerPlan(forms, forms.first[windows], forms.first[windows + 1], order)
