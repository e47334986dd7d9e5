"""Which forms the rows of a layer may take: what comes before rounding."""

from dataclasses import dataclass

import numpy as np

from sim.mapping import Parameters
from sim.mapping.codecs.base import window_codebook
from sme_hw.errors import ParameterError

from .forms import Form, Forms, split_forms, unsplit_forms

__all__ = ["LayerPlan", "row_forms", "uniform_plan"]


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """The forms that a layer is rounded to.

    Parameters
    ----------
    forms : Forms
    low, high : numpy.ndarray of int64, shape (groups, rows, column tiles)
        For each row of each tile, the first form and the one behind the last.
    order : numpy.ndarray of int64, shape (rows,), or None
        Order in which the rows of a dense layer are cut into row tiles; None: as they come.
    runs : tuple of range, or None
        Groups that share a crossbar; None: as many as fit in any case.
    """

    forms: Forms
    low: np.ndarray
    high: np.ndarray
    order: np.ndarray | None = None
    runs: tuple[range, ...] | None = None


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
    widths = [planes * hardware.cell_bits for planes in range(hardware.planes + 1)]
    window = mapping.weight_bits if policy == "plain" or mapping.codec == "int8" else mapping.window
    in_window = [window_codebook(bits, min(window, bits)) if bits else (0,) for bits in widths]
    if policy == "plain" or not degree:
        return unsplit_forms(in_window, [0])
    if policy == "paper":
        return unsplit_forms(in_window, [0, degree])
    found = unsplit_forms(in_window, range(degree + 1))
    if policy != "rounded":
        return found
    # Rows that are moved leave the window.
    free = [tuple(range(2**bits)) for bits in widths]
    return Forms(
        tuple(
            Form(form.size, form.shifts, free[form.size]) if max(form.shifts, default=0) else form
            for form in found.forms
        ),
        found.piece_bits,
    )


def uniform_plan(forms: Forms, size: int, shape: tuple[int, int, int]) -> LayerPlan:
    """Return the plan in which all rows have forms of one size.

    Parameters
    ----------
    forms : Forms
    size : int
    shape : tuple of int
        Groups, rows, column tiles.
    """
    low, high = forms.first[size], forms.first[size + 1]
    return LayerPlan(forms, np.full(shape, low), np.full(shape, high))
