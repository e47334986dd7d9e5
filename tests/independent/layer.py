"""A layer on crossbars: its matrices, squeezed or split, and the steps from weights to them."""

from dataclasses import dataclass

from .codecs import as_lists, encode_sizes, unroll
from .column_scales import stretches
from .counts import count_tiles
from .rectangles import cut, packs, spans_of, tiles_of
from .squeeze import split_row, squeeze_tile

__all__ = ["Layer", "Matrix", "map_convolution", "map_weights"]


@dataclass
class Matrix:
    """One matrix after mapping: rows of crossbars, which are pieces of the layer's rows.

    ``shifts`` holds a list per row, one entry per column tile; ``sources`` says which of the
    layer's inputs each row gets, ``outputs`` the first of the layer's outputs and the one after
    the last.
    """

    codes: list[list[int]]
    shifts: list[list[int]]
    steps: list[float]
    sources: list[int]
    outputs: tuple[int, int]

    def tiles(self, options):
        """List codes, row shifts, rows and columns of every tile."""
        return [
            (
                cut(self.codes, rows, columns),
                [shifts[number] for shifts in self.shifts[rows[0] : rows[1]]],
                rows,
                columns,
            )
            for number, rows, columns in tiles_of(self.codes, options)
        ]


@dataclass
class Layer:
    """A layer after mapping: its matrices and what they cost."""

    matrices: list[Matrix]
    counts: dict[str, int | tuple[int, ...]]


def map_weights(weights, options):
    """Map a matrix of weights, rows being inputs."""
    return map_rows(as_lists(weights), options, 1)


def map_convolution(weights, options, groups=1):
    """Map the weights (cout, cin / groups, kh, kw) of a convolution."""
    return map_rows(unroll(weights), options, groups)


def encode(weights, options, groups=1):
    """Turn a whole layer into codes: rows are inputs, columns are outputs, group after group."""
    sizes = [[abs(weight) for weight in row] for row in weights]
    encoded = encode_sizes(sizes, options, stretches(sizes, options, groups))
    for row, codes in zip(weights, encoded.codes, strict=True):
        for c, weight in enumerate(row):
            codes[c] = -codes[c] if weight < 0 else codes[c]
    return encoded


def map_rows(rows, options, groups):
    """Map a layer whose groups stand side by side."""
    encoded = encode(rows, options, groups)
    n_rows, width = len(encoded.codes), len(encoded.codes[0]) // groups
    packed = [
        (members, encoded.packed(members, width))
        for members in packs(n_rows, width, groups, options)
    ]
    before = [
        cut(pack.codes, rows, columns)
        for _, pack in packed
        for _, rows, columns in tiles_of(pack.codes, options)
    ]
    if options.splits:
        matrices = split_layer(encoded, options, groups)
    else:
        matrices = [squeeze_pack(pack, members, n_rows, options) for members, pack in packed]
    after = [tile for matrix in matrices for *tile, _, _ in matrix.tiles(options)]
    return Layer(matrices, count_tiles(before, after, options))


def squeeze_pack(pack, members, n_rows, options):
    """Squeeze every tile of some groups, with ``n_rows`` each, that lie along a diagonal."""
    n_columns = len(pack.codes[0])
    codes = [[0] * n_columns for _ in pack.codes]
    shifts = [[0] * len(spans_of(n_columns, options.cols)) for _ in pack.codes]
    for number, rows, columns in tiles_of(pack.codes, options):
        exact = cut(pack.exact, rows, columns)
        empty = [options.empty_bits(r % n_rows) for r in range(*rows)]
        after, moved = squeeze_tile(cut(pack.codes, rows, columns), exact, empty, options)
        for r, (row, shift) in enumerate(zip(after, moved, strict=True), start=rows[0]):
            codes[r][columns[0] : columns[1]] = row
            shifts[r][number] = shift
    first, end = members
    width = n_columns // (end - first)
    sources = list(range(first * n_rows, end * n_rows))
    return Matrix(codes, shifts, pack.steps, sources, (first * width, end * width))


def split_layer(encoded, options, groups):
    """Split the rows of an encoded layer; every column of tiles is a matrix of its own.

    Groups share a crossbar as long as their pieces and columns fit.
    """
    n_rows, per_group = len(encoded.codes), len(encoded.codes[0]) // groups
    found = []
    for group in range(groups):
        for left, right in spans_of(per_group, options.cols):
            outputs = group * per_group + left, group * per_group + right
            pieces = [
                (shift, group * n_rows + r, outputs[0], held)
                for r, row in enumerate(cut(encoded.codes, (0, n_rows), outputs))
                for shift, held in split_row(row, options)
            ]
            if found and has_room(found[-1], pieces, per_group, options):
                others, (first, _) = found.pop()
                pieces, outputs = others + pieces, (first, outputs[1])
            found.append((pieces, outputs))
    matrices = []
    for pieces, (first, end) in found:
        # Crossbars have at least one row.
        zeros = [(0, first // per_group * n_rows, first, [0] * (end - first))]
        matrices.append(matrix_of_pieces(pieces or zeros, (first, end), encoded.steps))
    return matrices


def has_room(matrix, pieces, per_group, options):
    """Tell whether a matrix, given as pieces and outputs, has room for those of another group."""
    others, (first, end) = matrix
    return end - first + per_group <= options.cols and len(others + pieces) <= options.rows


def matrix_of_pieces(pieces, outputs, steps):
    """Put pieces below one another, those of small shifts first, then in the order of inputs."""
    first, end = outputs
    matrix = Matrix([], [], steps[first:end], [], outputs)
    for shift, source, left, held in sorted(pieces):
        right = end - left - len(held)
        matrix.codes.append([0] * (left - first) + held + [0] * right)
        matrix.shifts.append([shift])
        matrix.sources.append(source)
    return matrix
