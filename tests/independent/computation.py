"""Computation of mapped layers: every conversion of every analogue-to-digital converter in turn."""

import numpy as np

from .rectangles import spans_of
from .squeeze import cell_level

__all__ = [
    "clips_of_units",
    "compute",
    "compute_layer",
    "exact_outputs",
    "row_groups",
    "unit_compute",
]


def input_bit(value, shift, last_shift, t, options):
    """Return the bit that a word line carries in bit-cycle ``t``."""
    if t < shift:
        return 0
    if t - shift < options.input_bits:
        return value >> (t - shift) & 1  # Python's integers are two's complement
    assert t < last_shift + options.input_bits
    return int(options.signed_inputs and value < 0)


def row_groups(n_rows, options):
    """Return the groups of rows of a tile."""
    return spans_of(n_rows, options.active_rows)


def cells(codes, plane, sign, options):
    """Return what the crossbar of one plane and sign stores."""
    bits = options.kept_bits
    return np.array(
        [[cell_level(c, plane, options, bits) * (sign * c > 0) for c in row] for row in codes]
    )


def convert(total, plane, options):
    """Convert the sum of a column: return the converter's code and whether it clipped."""
    largest = 2 ** options.plane_adc_bits()[plane] - 1
    seen = total >> options.adc_lsb
    return min(seen, largest), int(seen > largest)


def unit_compute(codes, shifts, inputs, options):
    """Compute one tile for one input vector, bit-cycle by bit-cycle.

    Returns
    -------
    results : list of int
        One result per column.
    clips : list of int
        Clipped conversions of each plane, the most significant first.
    """
    results = [0] * len(codes[0])
    clips = [0] * options.planes
    crossbars = [
        (plane, sign, cells(codes, plane, sign, options))
        for plane in range(options.planes)
        for sign in (1, -1)
    ]
    for first, end in row_groups(len(codes), options):
        group = range(first, end)
        last_shift = max(shifts[r] for r in group)
        last_cycle = last_shift + options.input_bits - 1
        for t in range(min(shifts[r] for r in group), last_cycle + 1):
            bits = [input_bit(inputs[r], shifts[r], last_shift, t, options) for r in group]
            weight = -(2**t) if options.signed_inputs and t == last_cycle else 2**t
            for plane, sign, crossbar in crossbars:
                plane_weight = 2 ** ((options.planes - 1 - plane) * options.cell_bits)
                sums = np.array(bits) @ crossbar[first:end]
                for column, total in enumerate(sums.tolist()):
                    code, clipped = convert(total, plane, options)
                    clips[plane] += clipped
                    results[column] += sign * weight * plane_weight * code * 2**options.adc_lsb
    return results, clips


def compute(matrix, inputs, options):
    """Compute a whole matrix for several input vectors of its layer.

    Returns
    -------
    outputs : list of list of int
        One row per vector, one entry per column of the matrix.
    clips : list of list of int
        One entry per tile (row tile by row tile), each a list with an entry per plane: all vectors
        together.
    """
    outputs = [[0] * len(matrix.codes[0]) for _ in inputs]
    clips = []
    for codes, shifts, rows, columns in matrix.tiles(options):
        clips.append([0] * options.planes)
        for vector, output in zip(inputs, outputs, strict=True):
            taken = [vector[source] for source in matrix.sources[rows[0] : rows[1]]]
            part, clipped = unit_compute(codes, shifts, taken, options)
            for c, value in enumerate(part, start=columns[0]):
                output[c] += value
            clips[-1] = [a + b for a, b in zip(clips[-1], clipped, strict=True)]
    return outputs, clips


def compute_layer(layer, inputs, options):
    """Compute all matrices of a layer as :func:`compute`: all outputs, and the clips of all tiles.

    The outputs of its matrices follow one another.
    """
    outputs, clips = [[] for _ in inputs], []
    for matrix in layer.matrices:
        part, clipped = compute(matrix, inputs, options)
        for output, values in zip(outputs, part, strict=True):
            assert matrix.outputs[0] == len(output)
            output += values
        clips += clipped
    return outputs, clips


def exact_outputs(matrix, inputs, options):
    """Compute what converters without loss give: the sum of I' * W'."""
    rows = list(zip(matrix.sources, matrix.shifts, matrix.codes, strict=True))
    return [
        [
            sum(
                (vector[source] << shifts[column // options.cols]) * codes[column]
                for source, shifts, codes in rows
            )
            for column in range(len(matrix.codes[0]))
        ]
        for vector in inputs
    ]


def clips_of_units(clips, options):
    """Add up the clips of tiles that are in one unit: as many in a row as there are weight sets."""
    units = [clips[first:end] for first, end in spans_of(len(clips), options.weight_sets)]
    return [[sum(planes) for planes in zip(*unit, strict=True)] for unit in units]
