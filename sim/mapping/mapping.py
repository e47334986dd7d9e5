"""From weights to a mapping: encode, slice, squeeze, and count the crossbars."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sme_hw.errors import InputError
from sme_hw.tile_image import EMPTY

from .codecs import CODECS
from .codecs.base import Codec, Grid, window_codes
from .column_scales import least_error_factors
from .grouping import GROUPINGS
from .layers import Placement, placements, unroll
from .model import Counts, Errors, LayerMapping, MatrixMapping, signed_levels
from .params import AUTO, Parameters, load_parameters
from .row_tiles import ROW_TILES
from .scales import SCALES, Scale, scale_factors
from .slicing import cell_levels, occupied_planes, ored_codes, tile_starts
from .squeeze import POLICIES, squeeze

__all__ = ["map_layer", "map_matrix"]

_BLOCK = 1 << 16
"""Weights handled at a time, so that intermediate arrays stay in the cache."""

_LARGEST_WEIGHT = 2.0**400
"""Beyond it, sums of squares would overflow."""


@dataclass(frozen=True)
class _Encoding:
    """How the weights of some rows become codes: those of a layer's groups, or of a block."""

    codec: Codec
    scale: Scale
    grid: Grid
    degree: int


@dataclass(frozen=True, eq=False)
class _Block:
    """A mapped part of a matrix.

    ``ored`` has the codes of every row of a tile ored, shape (3, rows, column tiles): magnitudes
    before squeeze-out, then positive and negative ones after it.
    """

    codes: np.ndarray
    shifts: np.ndarray
    ored: np.ndarray
    counts: Counts
    errors: Errors


def _choose_encoding(parameters: Parameters, dtype: np.dtype[Any], rows: int) -> _Encoding:
    """Return the encoding of a layer with so many rows in each group."""
    mapping = parameters.mapping
    if POLICIES[mapping.policy].shifts is None:
        # The control: uniform codes that fit the remaining planes, whatever codec is asked for. It
        # has the best scales of all if these are asked for.
        scale = SCALES[mapping.scale]
        scale = scale if scale.least_error else SCALES["column"]
        bits = parameters.code_bits - mapping.squeeze
        grid = Grid(bits, bits, np.zeros((rows, 1), np.int16))
        return _Encoding(CODECS["int8"], scale, grid, degree=0)
    integers = np.issubdtype(dtype, np.integer)
    name = mapping.codec if mapping.codec != AUTO else "codes" if integers else "sme"
    if name == "codes" and not integers:
        raise InputError(f"codec codes needs integer weights, these are {dtype}")
    return _Encoding(
        CODECS[name],
        SCALES[mapping.scale],
        Grid(mapping.weight_bits, mapping.window, mapping.empty_bits(rows)),
        mapping.squeeze,
    )


def _peaks(matrix: np.ndarray, rows: int) -> np.ndarray:
    """Return the largest magnitude of each column as float64; refuses what is no number."""
    peaks = np.zeros(matrix.shape[1])
    for start in range(0, len(matrix), rows):
        block = matrix[start : start + rows]
        for extreme in (block.max(axis=0), block.min(axis=0)):
            np.maximum(peaks, np.abs(extreme.astype(np.float64)), out=peaks)
    if not (peaks < _LARGEST_WEIGHT).all():
        bad = int(np.flatnonzero(~(peaks < _LARGEST_WEIGHT))[0])
        row = int(np.flatnonzero(~(np.abs(matrix[:, bad].astype(np.float64)) < _LARGEST_WEIGHT))[0])
        value = matrix[row, bad]
        raise InputError(f"weight [{row}, {bad}] (input, output) is {value}: no usable number")
    return peaks


def _map_block(
    weights: np.ndarray, factors: np.ndarray, encoding: _Encoding, parameters: Parameters
) -> _Block:
    """Map some columns of some rows, in full tiles as far as columns go."""
    hardware, mapping = parameters.hardware, parameters.mapping
    codec, grid = encoding.codec, encoding.grid
    weights = np.ascontiguousarray(weights)  # layers come transposed: (out, in)
    magnitudes = np.abs(weights.astype(np.float64))
    positions = codec.project(magnitudes, factors, grid)
    codes = codec.quantise(positions, grid)
    policy = POLICIES[mapping.policy]
    squeezed, shifts = squeeze(
        positions,
        codes,
        policy=policy,
        tile_columns=hardware.cols,
        code_bits=parameters.code_bits,
        degree=encoding.degree,
        window=mapping.window,
        empty_bits=grid.empty_bits,
    )
    starts = tile_starts(weights.shape[1], hardware.cols)
    negative = weights < 0
    signed = np.where(negative, -squeezed, squeezed)
    by_sign = np.where(negative, 0, squeezed), np.where(negative, squeezed, 0)
    ored = np.stack([ored_codes(part, hardware.cols) for part in (codes, *by_sign)])
    counts = Counts(
        rcmr_bits=shifts.size * hardware.rcmr_bits, shifted_rows=int(np.count_nonzero(shifts))
    )
    steps = codec.code_step(factors, grid)
    effective = squeezed
    if shifts.any():
        widths = np.diff([*starts, weights.shape[1]])
        effective = squeezed << np.repeat(shifts.astype(np.int16), widths, axis=1)
        if codec.windowed:
            outside = window_codes(squeezed.astype(np.float64), 8, mapping.window) != squeezed
            rows_outside = np.logical_or.reduceat(outside, starts, axis=1)
            counts.rows_outside_window = int(np.count_nonzero(rows_outside))

    def squares(values: np.ndarray) -> float:
        # Not a BLAS dot product: its threads cost more than so short a sum.
        return float(np.einsum("rc,rc->", values, values))

    quantised = codes * steps
    mapped = effective * steps if effective is not codes else quantised
    errors = Errors(
        signal=squares(magnitudes),
        quantisation=squares(magnitudes - quantised),
        squeeze=squares(mapped - quantised) if mapped is not quantised else 0.0,
        total=squares(magnitudes - mapped),
    )
    return _Block(signed.astype(np.int16), shifts, ored, counts, errors)


def _crossbars(ored: np.ndarray, row_tiles: np.ndarray, parameters: Parameters) -> Counts:
    """Count crossbars and rows of a matrix from the ored codes of its rows, as in a block."""
    cell_bits = parameters.hardware.cell_bits
    planes = parameters.code_bits // cell_bits

    def used(rows: np.ndarray) -> int:
        return int(np.count_nonzero(occupied_planes(rows, row_tiles, cell_bits, planes)))

    def nonzero(rows: np.ndarray) -> tuple[int, ...]:
        levels = cell_levels(rows, cell_bits, planes)
        return tuple(np.count_nonzero(levels, axis=(1, 2)).tolist())

    before, positive, negative = ored
    after = positive | negative
    tiles = len(row_tiles) * ored.shape[2]
    return Counts(
        tiles=tiles,
        conventional=tiles * planes,
        sliced=used(before),
        squeezed=used(after),
        physical=used(positive) + used(negative),
        rows=before.size,
        nonzero_rows_before=nonzero(before),
        nonzero_rows_after=nonzero(after),
    )


def _row_order(
    codes: np.ndarray, row_shifts: np.ndarray, row_tiles: np.ndarray, parameters: Parameters
) -> np.ndarray:
    """Return the row order of every tile."""
    hardware = parameters.hardware
    grouping = GROUPINGS[parameters.mapping.grouping]
    order = np.full((len(row_tiles), row_shifts.shape[1], hardware.rows), EMPTY, np.int16)
    for i, members in enumerate(row_tiles):
        rows = members[members != EMPTY]
        if not hardware.input_index:
            order[i, :, : len(rows)] = np.arange(len(rows))
            continue
        for t in range(row_shifts.shape[1]):
            tile = codes[rows, t * hardware.cols : (t + 1) * hardware.cols]
            levels = signed_levels(tile, hardware)
            chosen = grouping(levels, row_shifts[rows, t], hardware.group_rows, hardware.rows)
            order[i, t, : len(chosen)] = chosen
    return order


def _map_placed(
    placement: Placement,
    matrix: np.ndarray,
    factors: np.ndarray,
    encoding: _Encoding,
    parameters: Parameters,
) -> tuple[MatrixMapping, Counts, Errors]:
    hardware = parameters.hardware
    rows, columns = matrix.shape
    column_tiles = len(tile_starts(columns, hardware.cols))
    codes = np.empty((rows, columns), np.int16)
    row_shifts = np.empty((rows, column_tiles), np.uint8)
    ored = np.empty((3, rows, column_tiles), np.int16)
    counts, errors = Counts(), Errors()
    empty_bits = np.tile(encoding.grid.empty_bits, (len(placement.groups), 1))
    tiles_at_once = max(1, _BLOCK // (hardware.rows * hardware.cols))
    for r in range(0, rows, hardware.rows):
        block_rows = slice(r, r + hardware.rows)
        grid = replace(encoding.grid, empty_bits=empty_bits[block_rows])
        block_encoding = replace(encoding, grid=grid)
        for t in range(0, column_tiles, tiles_at_once):
            tiles = slice(t, t + tiles_at_once)
            part = block_rows, slice(t * hardware.cols, tiles.stop * hardware.cols)
            block = _map_block(matrix[part], factors[part[1]], block_encoding, parameters)
            codes[part] = block.codes
            row_shifts[block_rows, tiles] = block.shifts
            ored[:, block_rows, tiles] = block.ored
            counts.add(block.counts)
            errors.add(block.errors)
    choose = ROW_TILES[parameters.mapping.grouping]
    row_tiles = choose(ored[1] | ored[2], row_shifts, hardware)
    counts.add(_crossbars(ored, row_tiles, parameters))
    order = _row_order(codes, row_shifts, row_tiles, parameters)
    steps = encoding.codec.code_step(factors, encoding.grid)
    return MatrixMapping(placement, codes, row_shifts, row_tiles, order, steps), counts, errors


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
    encoding = _choose_encoding(parameters, unrolled.dtype, rows)
    try:
        peaks = np.concatenate([_peaks(matrix, hardware.rows) for matrix in unrolled])
        factors = scale_factors(
            peaks,
            encoding.scale,
            lambda peaks, scale: encoding.codec.factor(peaks, scale, encoding.grid),
        )
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if encoding.scale.least_error and encoding.codec.scaled:
        factors = least_error_factors(
            unrolled, factors, encoding.codec, encoding.grid, encoding.degree, parameters
        )
    mapped = []
    counts, errors = Counts(), Errors()
    for placement in placements(groups, rows, columns, hardware.rows, hardware.cols):
        matrix, part_counts, part_errors = _map_placed(
            placement,
            placement.matrix(unrolled),
            factors[placement.output_slice],
            encoding,
            parameters,
        )
        mapped.append(matrix)
        counts.add(part_counts)
        errors.add(part_errors)
        if progress is not None:
            progress(len(placement.groups) * rows * columns)
    return LayerMapping(
        name, shape, groups, parameters, encoding.codec.name, tuple(mapped), counts, errors
    )


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
