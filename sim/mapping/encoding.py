"""From weights to codes and row shifts: encode and squeeze, block by block."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sme_hw.errors import InputError

from .codecs import CODECS
from .codecs.base import Codec, Grid, window_codes
from .counts import Errors
from .layers import Placement
from .params import AUTO, Parameters
from .scales import SCALES, Scale, scale_factors
from .slicing import ored_codes, tile_starts
from .squeeze import POLICIES, squeeze

__all__ = ["EncodedMatrix", "Encoding", "choose_encoding", "encode_matrix", "layer_factors"]

_BLOCK = 1 << 16
"""Weights handled at a time, so that intermediate arrays stay in the cache."""

_LARGEST_WEIGHT = 2.0**400
"""Beyond it, sums of squares would overflow."""


@dataclass(frozen=True)
class Encoding:
    """How the weights of some rows become codes: those of a layer's groups, or of a block.

    Parameters
    ----------
    codec : Codec
    scale : Scale
    grid : Grid
    degree : int
        Bits by which rows are moved, at most.
    """

    codec: Codec
    scale: Scale
    grid: Grid
    degree: int


@dataclass(frozen=True, eq=False)
class EncodedMatrix:
    """Codes of a matrix, or of a block of one.

    Parameters
    ----------
    codes : numpy.ndarray of int16, shape (rows, columns)
        Signed codes after squeeze-out.
    row_shifts : numpy.ndarray of uint8, shape (rows, column tiles)
    ored : numpy.ndarray of int16, shape (rows, column tiles)
        Magnitudes before squeeze-out, those of a row of a tile ored.
    rows_outside_window : int
        Rows with codes that left the window S when they were rounded.
    errors : Errors
    """

    codes: np.ndarray
    row_shifts: np.ndarray
    ored: np.ndarray
    rows_outside_window: int
    errors: Errors


def choose_encoding(parameters: Parameters, dtype: np.dtype[Any], rows: int) -> Encoding:
    """Return the encoding of a layer with so many rows in each group.

    Raises
    ------
    InputError
        The codec takes no weights of this type.
    """
    mapping = parameters.mapping
    policy = POLICIES[mapping.policy]
    if policy.is_control:
        # Uniform codes that fit the remaining planes, whatever codec is asked for; with the best
        # scales of all if these are asked for.
        scale = SCALES[mapping.scale]
        scale = scale if scale.least_error else SCALES["column"]
        bits = parameters.code_bits - mapping.squeeze
        grid = Grid(bits, bits, np.zeros((rows, 1), np.int16))
        return Encoding(CODECS["int8"], scale, grid, degree=0)
    integers = np.issubdtype(dtype, np.integer)
    name = mapping.codec if mapping.codec != AUTO else "codes" if integers else "sme"
    if name == "codes" and not integers:
        raise InputError(f"codec codes needs integer weights, these are {dtype}")
    return Encoding(
        CODECS[name],
        SCALES[mapping.scale],
        Grid(mapping.weight_bits, mapping.window, mapping.empty_bits(rows)),
        0 if policy.shifts is None else mapping.squeeze,
    )


def layer_factors(unrolled: np.ndarray, encoding: Encoding, tile_rows: int) -> np.ndarray:
    """Return the scale factors of a layer's outputs, shape (outputs,).

    Parameters
    ----------
    unrolled : numpy.ndarray, shape (groups, rows, columns)
    encoding : Encoding
    tile_rows : int
        Rows that are looked at together.

    Raises
    ------
    InputError
        A weight is no number, or does not fit.
    """
    peaks = np.concatenate([_peaks(matrix, tile_rows) for matrix in unrolled])
    return scale_factors(
        peaks,
        encoding.scale,
        lambda peaks, scale: encoding.codec.factor(peaks, scale, encoding.grid),
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


def encode_matrix(
    placement: Placement,
    matrix: np.ndarray,
    factors: np.ndarray,
    encoding: Encoding,
    parameters: Parameters,
) -> EncodedMatrix:
    """Encode and squeeze a matrix.

    Parameters
    ----------
    placement : Placement
    matrix : numpy.ndarray, shape (rows, columns)
        Its weights.
    factors : numpy.ndarray of float64, shape (columns,)
        Scale factors.
    encoding : Encoding
    parameters : Parameters
    """
    hardware = parameters.hardware
    rows, columns = matrix.shape
    column_tiles = len(tile_starts(columns, hardware.cols))
    codes = np.empty((rows, columns), np.int16)
    row_shifts = np.empty((rows, column_tiles), np.uint8)
    ored = np.empty((rows, column_tiles), np.int16)
    errors, rows_outside_window = Errors(), 0
    empty_bits = np.tile(encoding.grid.empty_bits, (len(placement.groups), 1))
    tiles_at_once = max(1, _BLOCK // (hardware.rows * hardware.cols))
    for r in range(0, rows, hardware.rows):
        block_rows = slice(r, r + hardware.rows)
        grid = replace(encoding.grid, empty_bits=empty_bits[block_rows])
        block_encoding = replace(encoding, grid=grid)
        for t in range(0, column_tiles, tiles_at_once):
            tiles = slice(t, t + tiles_at_once)
            part = block_rows, slice(t * hardware.cols, tiles.stop * hardware.cols)
            block = _encode_block(matrix[part], factors[part[1]], block_encoding, parameters)
            codes[part] = block.codes
            row_shifts[block_rows, tiles] = block.row_shifts
            ored[block_rows, tiles] = block.ored
            rows_outside_window += block.rows_outside_window
            errors.add(block.errors)
    return EncodedMatrix(codes, row_shifts, ored, rows_outside_window, errors)


def _encode_block(
    weights: np.ndarray, factors: np.ndarray, encoding: Encoding, parameters: Parameters
) -> EncodedMatrix:
    """Encode some columns of some rows, in full tiles as far as columns go."""
    hardware, mapping = parameters.hardware, parameters.mapping
    codec, grid = encoding.codec, encoding.grid
    weights = np.ascontiguousarray(weights)  # layers come transposed: (out, in)
    magnitudes = np.abs(weights.astype(np.float64))
    positions = codec.project(magnitudes, factors, grid)
    codes = codec.quantise(positions, grid)
    squeezed, shifts = squeeze(
        positions,
        codes,
        policy=POLICIES[mapping.policy],
        tile_columns=hardware.cols,
        code_bits=parameters.code_bits,
        degree=encoding.degree,
        window=mapping.window,
        empty_bits=grid.empty_bits,
    )
    steps = codec.code_step(factors, grid)
    effective, rows_outside_window = squeezed, 0
    if shifts.any():
        starts = tile_starts(weights.shape[1], hardware.cols)
        widths = np.diff([*starts, weights.shape[1]])
        effective = squeezed << np.repeat(shifts.astype(np.int16), widths, axis=1)
        if codec.windowed:
            outside = window_codes(squeezed.astype(np.float64), 8, mapping.window) != squeezed
            rows_outside = np.logical_or.reduceat(outside, starts, axis=1)
            rows_outside_window = int(np.count_nonzero(rows_outside))

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
    signed = np.where(weights < 0, -squeezed, squeezed).astype(np.int16)
    ored = ored_codes(codes, hardware.cols)
    return EncodedMatrix(signed, shifts, ored, rows_outside_window, errors)
