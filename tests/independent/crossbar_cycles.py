"""Crossbars times the bit-cycles that they are busy for a vector."""

from .computation import row_groups
from .counts import signs_of_planes
from .rectangles import cut, packs, spans_of, tiles_of

__all__ = ["conventional_crossbar_cycles", "crossbar_cycles"]


def crossbar_cycles(layer, options):
    """Count the bit-cycles of all crossbars with a 1, rows being as they come; signs are one."""
    total = 0
    for matrix in layer.matrices:
        for number, rows, columns in tiles_of(matrix.codes, options):
            planes = signs_of_planes(cut(matrix.codes, rows, columns), options, options.kept_bits)
            used = sum(1 for signs in planes if signs)
            for first, end in row_groups(rows[1] - rows[0], options):
                shifts = [row[number] for row in matrix.shifts[rows[0] + first : rows[0] + end]]
                total += used * (options.input_bits + max(shifts) - min(shifts))
    return total


def conventional_crossbar_cycles(n_rows, n_columns, groups, options):
    """Count those of a layer that is mapped conventionally: all planes, nothing moved.

    Rows and columns are those of one group.
    """
    total = 0
    for first, end in packs(n_rows, n_columns, groups, options):
        members = end - first
        across = len(spans_of(members * n_columns, options.cols))
        for begin, stop in spans_of(members * n_rows, options.rows):
            steps = len(row_groups(stop - begin, options)) * options.input_bits
            total += across * steps * (options.code_bits // options.cell_bits)
    return total
