"""Matrices as lists of rows: cut into tiles, or put together from the groups of a convolution."""

__all__ = ["cut", "diagonal", "packs", "spans_of", "tiles_of"]


def cut(matrix, rows, columns):
    """Cut a rectangle out of a list of rows."""
    return [row[columns[0] : columns[1]] for row in matrix[rows[0] : rows[1]]]


def spans_of(length, size):
    """Return where spans of ``size``, the last one perhaps shorter, begin and end."""
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def tiles_of(codes, options):
    """List the tiles of a matrix: number of the column tile, rows and columns."""
    return [
        (number, rows, columns)
        for rows in spans_of(len(codes), options.rows)
        for number, columns in enumerate(spans_of(len(codes[0]), options.cols))
    ]


def packs(n_rows, n_columns, groups, options):
    """Return the first group of every crossbar group, and the one after its last.

    ``n_rows`` and ``n_columns`` are those of one group of a grouped convolution.
    """
    fit = max(1, min(options.rows // n_rows, options.cols // n_columns))
    return spans_of(groups, fit)


def diagonal(matrix, members, width):
    """Put some groups, each of them ``width`` columns, along the diagonal of a matrix."""
    first, end = members
    return [
        [0] * (g - first) * width + row[g * width : (g + 1) * width] + [0] * (end - 1 - g) * width
        for g in range(first, end)
        for row in matrix
    ]
