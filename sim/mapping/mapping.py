"""From weights to a mapping: encode, squeeze, lay out."""

from collections.abc import Callable

import numpy as np

from sme_hw.errors import InputError

from .column_scales import least_error_factors
from .counts import Errors
from .encoding import choose_encoding, encode_matrix, layer_factors
from .layers import placements, unroll
from .layout import PlacedCodes, lay_out
from .model import LayerMapping
from .params import Parameters, load_parameters
from .pieces import cut_rows, place_pieces
from .squeeze import POLICIES

__all__ = ["map_layer", "map_matrix"]


def _map_groups(
    name: str,
    shape: tuple[int, ...],
    unrolled: np.ndarray,
    parameters: Parameters,
    progress: Callable[[int], None] | None,
) -> LayerMapping:
    """Map a layer given as one matrix per group, shape (groups, rows, columns)."""
    if unrolled.dtype.kind not in "iuf":
        raise InputError(f"{name}: weights must be real numbers, not {unrolled.dtype}")
    hardware = parameters.hardware
    groups, rows, columns = unrolled.shape
    encoding = choose_encoding(parameters, unrolled.dtype, rows)
    try:
        factors = layer_factors(unrolled, encoding, hardware.rows)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if encoding.scale.least_error and encoding.codec.scaled:
        factors = least_error_factors(
            unrolled, factors, encoding.codec, encoding.grid, encoding.degree, parameters
        )
    steps = encoding.codec.code_step(factors, encoding.grid)
    parts, before = [], []
    errors, rows_outside_window = Errors(), 0
    for placement in placements(groups, rows, columns, hardware.rows, hardware.cols):
        place = placement.output_slice
        matrix = placement.matrix(unrolled)
        encoded = encode_matrix(placement, matrix, factors[place], encoding, parameters)
        sources = np.arange(len(matrix), dtype=np.int32)
        parts.append(
            PlacedCodes(placement, encoded.codes, encoded.row_shifts, sources, steps[place])
        )
        before.append(encoded.ored)
        rows_outside_window += encoded.rows_outside_window
        errors.add(encoded.errors)
        if progress is not None:
            progress(len(placement.groups) * rows * columns)
    if parameters.mapping.squeeze and POLICIES[parameters.mapping.policy].splits:
        codes = np.concatenate([part.placement.unrolled(part.codes) for part in parts])
        parts = _split(codes, steps, parameters)
    return lay_out(
        name,
        shape,
        groups,
        parameters,
        encoding.codec.name,
        parts,
        before,
        errors=errors,
        rows_outside_window=rows_outside_window,
    )


def _split(codes: np.ndarray, steps: np.ndarray, parameters: Parameters) -> list[PlacedCodes]:
    """Split the rows of a layer's codes, shape (groups, rows, columns), and place the pieces."""
    hardware = parameters.hardware
    rows = codes.reshape(-1, codes.shape[2])
    bits = hardware.planes * hardware.cell_bits
    pieces = [
        cut_rows(rows[:, first : first + hardware.cols], bits)
        for first in range(0, rows.shape[1], hardware.cols)
    ]
    return place_pieces(pieces, codes.shape, steps, hardware)


def map_layer(
    name: str,
    weights: np.ndarray,
    parameters: Parameters,
    *,
    groups: int = 1,
    progress: Callable[[int], None] | None = None,
) -> LayerMapping:
    """Map a layer's weight array.

    Parameters
    ----------
    name : str
        Name of the layer, for messages and reports.
    weights : numpy.ndarray, shape (out, in) or (out, in / groups, kh, kw)
        Floats or integers.
    parameters : Parameters
    groups : int
        Groups of a convolution; as many as output channels for a depthwise one.
    progress : callable, optional
        Told the number of weights that were mapped, now and then.

    Raises
    ------
    InputError
        A weight is no number, or an integer code does not fit.
    """
    try:
        unrolled = unroll(weights, groups)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    return _map_groups(name, weights.shape, unrolled, parameters, progress)


def map_matrix(
    weights: np.ndarray, parameters: Parameters | None = None, *, name: str = "matrix"
) -> LayerMapping:
    """Map a matrix: rows are inputs, columns are outputs.

    Parameters
    ----------
    weights : numpy.ndarray, shape (rows, columns)
        Floats, or integers, which the codec ``auto`` takes as codes.
    parameters : Parameters, optional
        The preset ``paper`` by default.
    name : str
        Name for messages and reports.

    Returns
    -------
    LayerMapping

    Raises
    ------
    InputError
        It is no matrix, a weight is no number, or an integer code does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sim.mapping import load_parameters, map_matrix
    >>> weights = np.random.default_rng(1).normal(size=(100, 37))
    >>> map_matrix(weights, load_parameters("paper", squeeze=2)).counts.conventional
    8
    """
    weights = np.asarray(weights)
    if weights.ndim != 2 or 0 in weights.shape:
        raise InputError(f"{name}: a matrix (rows x columns) is needed, not shape {weights.shape}")
    chosen = load_parameters() if parameters is None else parameters
    return map_layer(name, weights.T, chosen)
