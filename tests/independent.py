"""A second opinion: mapping and computation in plain loops, for the tests alone.

Everything here is written from the project's specification (the SME paper, arXiv 2103.01705, and
the reconstructions that the documentation lists), without looking at :mod:`sim.mapping`,
:mod:`sim.golden` or :mod:`sme_hw`, and it imports none of them. It is meant to be obviously right,
not to be fast: weights are encoded one by one, rows are shifted one by one, and every conversion of
every analogue-to-digital converter is made in turn.

Matrices of weights and codes are lists of rows; a row is a list with one entry per output column.
"""

import itertools
import math
from dataclasses import asdict, dataclass, field

import numpy as np

__all__ = [
    "Encoded",
    "Layer",
    "Matrix",
    "Options",
    "additive_codebook",
    "clips_of_units",
    "codebook",
    "compute",
    "compute_layer",
    "conventional_crossbar_cycles",
    "crossbar_cycles",
    "cycles_per_round",
    "cycles_per_vector",
    "exact_outputs",
    "in_window",
    "map_convolution",
    "map_weights",
    "pow2_alpha",
    "quantise",
    "unit_compute",
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a mapping and of its hardware, named like the project's own.

    The defaults are those of the preset ``paper``.
    """

    rows: int = 128
    cols: int = 128
    cell_bits: int = 1
    input_bits: int = 8
    signed_inputs: bool = False
    adc_bits: int | list[int] | str = 6
    adc_lsb: int = 0
    adcs_per_crossbar: int = 1
    rows_active: int | str = "all"
    inputs_per_beat: int = 1
    results_per_beat: int = 1
    emulation_lanes: int = 1
    weight_sets: int = 1
    codec: str = "sme"
    weight_bits: int = 8
    window: int = 3
    scale: str = "layer-pow2"
    policy: str = "paper"
    squeeze: int = 1
    row_bits: int | list[int] | str = "all"

    def as_dict(self):
        """Return the options as keyword arguments."""
        return asdict(self)

    @property
    def code_bits(self):
        """Bits of a code, padded to whole cells: N."""
        return self.cell_bits * math.ceil(self.weight_bits / self.cell_bits)

    @property
    def kept_bits(self):
        """Bits of a code that are left after the squeeze-out: N - x."""
        return self.code_bits - self.squeeze

    @property
    def planes(self):
        """Crossbars of one sign that are built for a tile."""
        return self.kept_bits // self.cell_bits

    @property
    def active_rows(self):
        """Rows that are converted together: G."""
        return self.rows if self.rows_active == "all" else self.rows_active

    def empty_bits(self, row):
        """Return how many low bits the codes of row ``row`` of a layer leave empty."""
        if self.codec != "mixed" or self.policy == "plain" or self.row_bits == "all":
            return 0
        numbers = [self.row_bits] if isinstance(self.row_bits, int) else self.row_bits
        return self.weight_bits - numbers[row % len(numbers)]

    def plane_adc_bits(self):
        """Return the resolution of the converters of every plane, most significant first."""
        if self.adc_bits == "lossless":
            largest = self.active_rows * (2**self.cell_bits - 1)
            bits = 0
            while 2**bits < largest + 1:
                bits += 1
            return [bits] * self.planes
        if isinstance(self.adc_bits, int):
            return [self.adc_bits] * self.planes
        return list(self.adc_bits)


# Quantisation


def round_half_away(value):
    """Round a magnitude, halves upwards."""
    return math.floor(value + 0.5)


def pow2_alpha(largest, window):
    """Return the smallest power of two that brings ``largest`` down to ``1 - 2**-window``."""
    if largest == 0:
        return 1.0
    top = 1 - 2.0**-window
    exponent = 0
    while math.ldexp(largest, -exponent) > top:
        exponent += 1
    while math.ldexp(largest, -(exponent - 1)) <= top:
        exponent -= 1
    return math.ldexp(1.0, exponent)


def round_to_window(value, window, finest):
    """Round a positive number to ``window`` significant bits, none of them below ``finest``.

    ``finest`` is the exponent of the last bit there is.
    """
    if value == 0:
        return 0.0
    _, exponent = math.frexp(value)
    step = 2.0 ** max((exponent - 1) - window + 1, finest)
    return round_half_away(value / step) * step


def quantise(magnitude, alpha, bits, window):
    """Return the magnitude code of one weight in the codec ``sme``."""
    u = min(magnitude / alpha, 1 - 2.0**-window)
    return int(round_to_window(u, window, -bits) * 2**bits)


def codebook(bits, window):
    """List the codes whose ones lie within ``window`` consecutive bits."""
    return [code for code in range(2**bits) if in_window(code, window)]


def in_window(code, window):
    """Tell whether the ones of ``code`` lie within ``window`` consecutive bits."""
    ones = [i for i in range(code.bit_length()) if code >> i & 1]
    return not ones or ones[-1] - ones[0] < window


def additive_codebook(bits, terms):
    """List the sums of ``terms`` powers of two: 2^-i, 2^-(i+n), 2^-(i+2n) or nothing for term i.

    Powers without a plane are left out; sums are counted in codes.
    """
    levels = [[0, *(2.0**-p for p in range(i, bits + 1, terms))] for i in range(1, terms + 1)]
    return sorted(int(sum(chosen) * 2**bits) for chosen in itertools.product(*levels))


def terms_of(codec, bits):
    """Return how many terms the magnitudes of ``po2`` and ``apot`` have."""
    return 1 if codec == "po2" else math.ceil(bits / 3)


def nearest_code(value, book):
    """Search a codebook for the code nearest to ``value``, halves upwards."""
    nearest = book[0]
    for lower, upper in itertools.pairwise(book):
        if value + 0.5 >= (lower + upper) / 2 + 0.5:  # as in round_half_away
            nearest = upper
    return nearest


def additive_alpha(largest, book, bits):
    """Return the smallest power of two with which ``largest`` is not rounded beyond the codebook.

    The next larger code would be ``2**bits``.
    """
    if largest == 0:
        return 1.0

    def too_large(exponent):
        value = math.ldexp(largest, bits - exponent)
        return nearest_code(value, [*book, 2**bits]) == 2**bits

    exponent = 0
    while too_large(exponent):
        exponent += 1
    while not too_large(exponent - 1):
        exponent -= 1
    return math.ldexp(1.0, exponent)


@dataclass
class Encoded:
    """Codes of a matrix, with what they were before rounding.

    ``exact`` holds the magnitudes in units of one code step, clipped but not rounded.
    """

    codes: list[list[int]]
    exact: list[list[float]]
    steps: list[float]


def magnitudes(weights):
    """Return the absolute values of a matrix as Python numbers."""
    return [[abs(w) for w in row] for row in weights]


def column_maxima(sizes):
    """Return the largest magnitude of every column."""
    return [max(column) for column in zip(*sizes, strict=True)]


def encode(weights, options, groups=1):
    """Turn a whole layer into codes: rows are inputs, columns are outputs, group after group."""
    sizes = magnitudes(weights)
    encoded = encode_sizes(sizes, options, stretches(sizes, options, groups))
    for row, codes in zip(weights, encoded.codes, strict=True):
        for c, weight in enumerate(row):
            codes[c] = -codes[c] if weight < 0 else codes[c]
    return encoded


def encode_sizes(sizes, options, stretch):
    """Encode magnitudes, the scale of every column multiplied by its entry in ``stretch``.

    The policy ``plain`` stands for no SME at all: uniform codes of the remaining planes.
    """
    if options.policy == "plain":
        encoded = encode_uniform(sizes, column_maxima(sizes), options.kept_bits, stretch)
    elif options.codec == "sme":
        encoded = encode_sme(sizes, options, stretch)
    elif options.codec == "int8":
        maxima = uniform_maxima(sizes, options)
        encoded = encode_uniform(sizes, maxima, options.weight_bits, stretch)
    elif options.codec in ("po2", "apot"):
        encoded = encode_additive(sizes, options, stretch)
    elif options.codec == "mixed":
        encoded = encode_mixed(sizes, options, stretch)
    else:
        encoded = encode_codes(sizes, options)
    return encoded


def encode_sme(sizes, options, stretch):
    """Encode magnitudes in the codec of the paper."""
    top = 1 - 2.0**-options.window
    maxima = column_maxima(sizes)
    if options.scale == "layer-pow2":
        alphas = [pow2_alpha(max(maxima), options.window)] * len(maxima)
    elif options.scale == "column-pow2":
        alphas = [pow2_alpha(m, options.window) for m in maxima]
    else:
        alphas = [m / top if m else 1.0 for m in maxima]
    alphas = [alpha * factor for alpha, factor in zip(alphas, stretch, strict=True)]
    codes, exact = [], []
    for row in sizes:
        codes.append([])
        exact.append([])
        for size, alpha in zip(row, alphas, strict=True):
            codes[-1].append(quantise(size, alpha, options.weight_bits, options.window))
            exact[-1].append(min(size / alpha, top) * 2**options.weight_bits)
    return Encoded(codes, exact, [alpha / 2**options.weight_bits for alpha in alphas])


def encode_additive(sizes, options, stretch):
    """Encode magnitudes as sums of powers of two."""
    bits, terms = options.weight_bits, terms_of(options.codec, options.weight_bits)
    book = additive_codebook(bits, terms)
    maxima = column_maxima(sizes)
    if options.scale == "layer-pow2":
        alphas = [additive_alpha(max(maxima), book, bits)] * len(maxima)
    elif options.scale == "column-pow2":
        alphas = [additive_alpha(m, book, bits) for m in maxima]
    else:
        alphas = [m / (max(book) / 2**bits) if m else 1.0 for m in maxima]
    alphas = [alpha * factor for alpha, factor in zip(alphas, stretch, strict=True)]
    exact = [
        [size / alpha * 2**bits for size, alpha in zip(row, alphas, strict=True)] for row in sizes
    ]
    codes = [[nearest_code(value, book) for value in row] for row in exact]
    return Encoded(codes, exact, [alpha / 2**bits for alpha in alphas])


def uniform_maxima(sizes, options):
    """Return what the largest code of every column stands for."""
    maxima = column_maxima(sizes)
    return [max(maxima)] * len(maxima) if options.scale == "layer-pow2" else maxima


def encode_mixed(sizes, options, stretch):
    """Encode magnitudes in equal steps, larger ones in rows that keep fewer bits."""
    encoded = encode_uniform(sizes, uniform_maxima(sizes, options), options.weight_bits, stretch)
    for r, row in enumerate(encoded.exact):
        step = 2 ** options.empty_bits(r)
        largest = 2**options.weight_bits - step
        encoded.codes[r] = [min(round_half_away(value / step) * step, largest) for value in row]
    return encoded


def encode_uniform(sizes, maxima, bits, stretch):
    """Encode magnitudes in equal steps, the largest of each column as all ones."""
    largest = 2**bits - 1
    ranges = [(m if m else 1.0) * factor for m, factor in zip(maxima, stretch, strict=True)]
    exact = [
        [min(size * largest / m, largest) for size, m in zip(row, ranges, strict=True)]
        for row in sizes
    ]
    codes = [[round_half_away(value) for value in row] for row in exact]
    return Encoded(codes, exact, [m / largest for m in ranges])


def encode_codes(sizes, options):
    """Take integers as the codes they are."""
    for row in sizes:
        for size in row:
            if size >= 2**options.weight_bits:
                raise ValueError(f"{size} does not fit {options.weight_bits} bits")
    codes = [[int(size) for size in row] for row in sizes]
    exact = [[float(size) for size in row] for row in sizes]
    return Encoded(codes, exact, [1.0] * len(sizes[0]))


# Slicing and squeeze-out


def tile_starts(length, size):
    """Return where tiles begin and end along one side of a matrix."""
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def cell_level(code, plane, options, bits):
    """Return what plane ``plane`` (0 is the most significant) stores of a ``bits``-bit code."""
    above = bits - (plane + 1) * options.cell_bits
    return abs(code) >> above & (2**options.cell_bits - 1)


def minimal_shift(codes, bits):
    """Return by how much a row must move so that its codes fit ``bits`` bits."""
    shift = 0
    while max(abs(code) for code in codes) >> shift >= 2**bits:
        shift += 1
    return shift


def row_shift(codes, options):
    """Return the shift of one row of a tile."""
    if options.policy in ("plain", "split"):
        return 0
    shift = minimal_shift(codes, options.kept_bits)
    if options.policy == "paper":
        return options.squeeze if shift else 0
    return shift


def shifted_code(code, exact, shift, empty, options):
    """Return the code of a weight whose row was shifted by ``shift``.

    The row left ``empty`` low bits empty; those of them that are still there remain so.
    """
    if shift == 0:
        return code
    kept, step = options.kept_bits, 2 ** max(empty - shift, 0)
    if options.policy == "rounded":
        size = min(round_half_away(exact / 2**shift / step) * step, 2**kept - step)
    elif options.policy == "rounded-window":
        size = int(round_to_window(exact / 2**shift / step, options.window, 0)) * step
        while size >= 2**kept:
            size = max(c for c in codebook(kept, options.window) if c % step == 0)
    else:
        size = abs(code) >> shift
    return -size if code < 0 else size


def squeeze_tile(codes, exact, empty, options):
    """Squeeze one tile: return its new codes and the shift of every row."""
    squeezed, shifts = [], []
    for code_row, exact_row, low in zip(codes, exact, empty, strict=True):
        shift = row_shift(code_row, options)
        pairs = zip(code_row, exact_row, strict=True)
        squeezed.append([shifted_code(code, size, shift, low, options) for code, size in pairs])
        shifts.append(shift)
    return squeezed, shifts


# Scales of least error


def factors_to_try():
    """List what a scale is multiplied by: 1, then 2 down to 1/4, 32 steps an octave."""
    octaves = [(32 + i) / 32 * 2.0**e for e in (0, -1, -2) for i in reversed(range(32))]
    return [1.0, 2.0, *(factor for factor in octaves if factor != 1)]


def column_error(sizes, encoded, c, empty, options):
    """Return the squared error of column ``c`` of a tile after squeeze-out."""
    squares = []
    for row, codes, exact, low in zip(sizes, encoded.codes, encoded.exact, empty, strict=True):
        shift = row_shift(codes, options)
        code = shifted_code(codes[c], exact[c], shift, low, options)
        squares.append((row[c] - (abs(code) << shift) * encoded.steps[c]) ** 2)
    return math.fsum(squares)


def tile_error(sizes, encoded, empty, options):
    """Return the squared error of a tile after squeeze-out."""
    columns = range(len(sizes[0]))
    return math.fsum(column_error(sizes, encoded, c, empty, options) for c in columns)


def with_column(encoded, other, c):
    """Return codes of which column ``c`` comes from ``other``."""

    def replaced(rows, others):
        return [[*row[:c], new[c], *row[c + 1 :]] for row, new in zip(rows, others, strict=True)]

    return Encoded(
        replaced(encoded.codes, other.codes),
        replaced(encoded.exact, other.exact),
        replaced([encoded.steps], [other.steps])[0],
    )


def is_tiny(largest):
    """Tell whether squares of a column's weights could be zero: its tile keeps its scales."""
    return 0 < largest < 2.0**-400


def tile_stretch(sizes, tried, empty, options):
    """Return what the scales of a tile's columns are multiplied by in ``column-mse``.

    ``tried`` has the tile encoded with every factor. Every column is tried with every factor, as
    long as the others keep the scale ``column``. All take their best unless the tile is no better
    for it.
    """
    if any(is_tiny(m) for m in column_maxima(sizes)):
        return [1.0] * len(sizes[0])
    plain = tried[1.0]
    best, chosen = plain, []
    for c, column in enumerate(zip(*sizes, strict=True)):
        errors = {
            factor: column_error(sizes, with_column(plain, other, c), c, empty, options)
            for factor, other in tried.items()
        }
        limit = min(errors.values()) + 2.0**-40 * math.fsum(size**2 for size in column)
        chosen.append(next(factor for factor, error in errors.items() if error <= limit))
        best = with_column(best, tried[chosen[-1]], c)
    better = tile_error(sizes, best, empty, options) < tile_error(sizes, plain, empty, options)
    return chosen if better else [1.0] * len(chosen)


def stretches(sizes, options, groups):
    """Return what the scales of a layer's columns are multiplied by."""
    n_rows, n_columns = len(sizes), len(sizes[0])
    searched = options.scale == "column-mse"
    if not searched or (options.codec == "codes" and options.policy != "plain"):
        return [1.0] * n_columns
    maxima = column_maxima(sizes)
    tried = {
        factor: encode_sizes(sizes, options, [1.0 if is_tiny(m) else factor for m in maxima])
        for factor in factors_to_try()
    }
    per_group, found = n_columns // groups, []
    per_pack = groups_per_pack(n_rows, per_group, options)
    for first in range(0, groups, per_pack):
        members = range(first, min(first + per_pack, groups))
        places = [(g * per_group, (g + 1) * per_group) for g in members]
        packed = block_diagonal([cut(sizes, (0, n_rows), c) for c in places], 0)
        packs = {f: pack_groups(e, members, n_rows, per_group) for f, e in tried.items()}
        empty = [options.empty_bits(r % n_rows) for r in range(len(packed))]
        everything = 0, len(packed)
        for columns in tile_starts(len(packed[0]), options.cols):
            tiles = {
                factor: Encoded(
                    cut(pack.codes, everything, columns),
                    cut(pack.exact, everything, columns),
                    pack.steps[columns[0] : columns[1]],
                )
                for factor, pack in packs.items()
            }
            found += tile_stretch(cut(packed, everything, columns), tiles, empty, options)
    return found


def signs_of_planes(codes, options, bits):
    """Return for every plane the set of signs that have at least one 1 there."""
    planes = [set() for _ in range(bits // options.cell_bits)]
    for row in codes:
        for code in row:
            for plane, signs in enumerate(planes):
                if cell_level(code, plane, options, bits):
                    signs.add(code < 0)
    return planes


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
    per_pack = groups_per_pack(n_rows, n_columns, options)
    total = 0
    for first in range(0, groups, per_pack):
        members = min(per_pack, groups - first)
        for begin, end in tile_starts(members * n_rows, options.rows):
            steps = len(row_groups(end - begin, options)) * options.input_bits
            across = len(tile_starts(members * n_columns, options.cols))
            total += across * steps * (options.code_bits // options.cell_bits)
    return total


def rcmr_row_bits(options):
    """Return the bits that the Row Conversion Mask Register spends on a row."""
    if options.squeeze == 0 or options.policy == "plain":
        return 0
    if options.policy == "paper":
        return 1
    return math.ceil(math.log2(options.squeeze + 1))


def split_row(codes, options):
    """Split a row of a tile into pieces of the kept bits; nothing is lost.

    Going down bit by bit, a piece begins at the first bit that any code has and that is in no
    piece yet. The last one may begin lower than its own width.

    Returns
    -------
    list of (shift, codes)
    """
    pieces, next_bit = [], options.code_bits - 1
    while next_bit >= 0:
        if any(abs(code) >> next_bit & 1 for code in codes):
            low = max(0, next_bit - options.kept_bits + 1)
            held = []
            for code in codes:
                size = sum(abs(code) & 2**bit for bit in range(low, next_bit + 1)) // 2**low
                held.append(-size if code < 0 else size)
            pieces.append((low, held))
            next_bit = low
        next_bit -= 1
    return pieces


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


COUNTS = [
    "tiles",
    "conventional",
    "sliced",
    "squeezed",
    "physical",
    "rcmr_bits",
    "rows",
    "pieces",
    "shifted_rows",
    "rows_outside_window",
    "nonzero_rows_before",
    "nonzero_rows_after",
]


@dataclass
class Layer:
    """A layer after mapping: its matrices and what they cost."""

    matrices: list[Matrix] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))


def cut(matrix, rows, columns):
    """Cut a rectangle out of a list of rows."""
    return [row[columns[0] : columns[1]] for row in matrix[rows[0] : rows[1]]]


def nonzero_rows(codes, options):
    """Count the rows of a tile with something in each plane, released planes included."""
    bits = options.code_bits
    return [
        sum(1 for row in codes if any(cell_level(code, plane, options, bits) for code in row))
        for plane in range(bits // options.cell_bits)
    ]


def count_nonzero_rows(counts, key, codes, options):
    """Add the rows of a tile that have something in each plane."""
    found = nonzero_rows(codes, options)
    known = counts[key] or [0] * len(found)
    counts[key] = tuple(a + b for a, b in zip(known, found, strict=True))


def count_before(counts, codes, options):
    """Add what one tile costs before the squeeze-out."""
    built = options.kept_bits if options.policy == "plain" else options.code_bits
    counts["conventional"] += options.code_bits // options.cell_bits
    counts["sliced"] += sum(1 for signs in signs_of_planes(codes, options, built) if signs)
    counts["rows"] += len(codes)
    count_nonzero_rows(counts, "nonzero_rows_before", codes, options)


def count_after(counts, codes, shifts, options):
    """Add what one tile costs as it stands on crossbars."""
    planes = signs_of_planes(codes, options, options.kept_bits)
    counts["tiles"] += 1
    counts["squeezed"] += sum(1 for signs in planes if signs)
    counts["physical"] += sum(len(signs) for signs in planes)
    counts["rcmr_bits"] += len(codes) * rcmr_row_bits(options)
    counts["pieces"] += len(codes)
    count_nonzero_rows(counts, "nonzero_rows_after", codes, options)
    counts["shifted_rows"] += sum(1 for shift in shifts if shift)
    if options.policy == "rounded" and options.codec == "sme":
        for row, shift in zip(codes, shifts, strict=True):
            left = shift and not all(in_window(abs(code), options.window) for code in row)
            counts["rows_outside_window"] += bool(left)


def tiles_of(codes, options):
    """List the tiles of a matrix: number of the column tile, rows and columns."""
    return [
        (number, rows, columns)
        for rows in tile_starts(len(codes), options.rows)
        for number, columns in enumerate(tile_starts(len(codes[0]), options.cols))
    ]


def squeeze_matrix(pack, options, rows_of_group):
    """Squeeze every tile of an encoded matrix of one or more groups; rows are not split.

    Returns its codes, and a list of shifts for each row, with one for each column tile.
    """
    n_rows, n_columns = len(pack.codes), len(pack.codes[0])
    codes = [[0] * n_columns for _ in range(n_rows)]
    shifts = [[0] * len(tile_starts(n_columns, options.cols)) for _ in range(n_rows)]
    for number, rows, columns in tiles_of(pack.codes, options):
        exact = cut(pack.exact, rows, columns)
        empty = [options.empty_bits(row % rows_of_group) for row in range(*rows)]
        after, moved = squeeze_tile(cut(pack.codes, rows, columns), exact, empty, options)
        for r, (row, shift) in enumerate(zip(after, moved, strict=True), start=rows[0]):
            codes[r][columns[0] : columns[1]] = row
            shifts[r][number] = shift
    return codes, shifts


def map_encoded(encoded, options, groups):
    """Map an encoded layer, the columns of its groups side by side."""
    n_rows, per_group = len(encoded.codes), len(encoded.codes[0]) // groups
    per_pack = groups_per_pack(n_rows, per_group, options)
    layer = Layer()
    for first in range(0, groups, per_pack):
        members = range(first, min(first + per_pack, groups))
        pack = pack_groups(encoded, members, n_rows, per_group)
        for _, rows, columns in tiles_of(pack.codes, options):
            count_before(layer.counts, cut(pack.codes, rows, columns), options)
        if options.policy != "split" or options.squeeze == 0:
            codes, shifts = squeeze_matrix(pack, options, n_rows)
            sources = list(range(first * n_rows, (members[-1] + 1) * n_rows))
            outputs = (first * per_group, (members[-1] + 1) * per_group)
            layer.matrices.append(Matrix(codes, shifts, pack.steps, sources, outputs))
    if options.policy == "split" and options.squeeze > 0:
        layer.matrices = split_layer(encoded, options, groups)
    for matrix in layer.matrices:
        for number, rows, columns in tiles_of(matrix.codes, options):
            shifts = [row[number] for row in matrix.shifts[rows[0] : rows[1]]]
            count_after(layer.counts, cut(matrix.codes, rows, columns), shifts, options)
    return layer


def pack_groups(encoded, members, n_rows, per_group):
    """Put some groups of an encoded layer along the diagonal of one matrix."""
    columns = [(g * per_group, (g + 1) * per_group) for g in members]
    return Encoded(
        block_diagonal([cut(encoded.codes, (0, n_rows), c) for c in columns], 0),
        block_diagonal([cut(encoded.exact, (0, n_rows), c) for c in columns], 0.0),
        encoded.steps[columns[0][0] : columns[-1][1]],
    )


def split_layer(encoded, options, groups):
    """Split the rows of an encoded layer; every column of tiles is a matrix of its own.

    Groups share a crossbar as long as their pieces and columns fit.
    """
    n_rows, n_columns = len(encoded.codes), len(encoded.codes[0])
    per_group = n_columns // groups
    matrices, waiting, outputs = [], [], (0, 0)
    for group in range(groups):
        for left, right in tile_starts(per_group, options.cols):
            columns = group * per_group + left, group * per_group + right
            found = []
            for r, row in enumerate(cut(encoded.codes, (0, n_rows), columns)):
                for shift, held in split_row(row, options):
                    found.append((shift, group * n_rows + r, columns[0], held))
            width = outputs[1] - outputs[0]
            fits = width + per_group <= options.cols and len(waiting) + len(found) <= options.rows
            if width > 0 and not fits:
                matrices.append(matrix_of_pieces(waiting, outputs, encoded.steps))
                waiting, outputs = [], (columns[0], columns[0])
            waiting += found
            outputs = (outputs[0], columns[1])
    matrices.append(matrix_of_pieces(waiting, outputs, encoded.steps))
    for matrix in matrices:
        if not matrix.codes:  # crossbars have at least one row
            group = matrix.outputs[0] // per_group
            matrix.codes.append([0] * (matrix.outputs[1] - matrix.outputs[0]))
            matrix.shifts.append([0])
            matrix.sources.append(group * n_rows)
    return matrices


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


def map_weights(weights, options):
    """Map a matrix of weights, rows being inputs."""
    return map_encoded(encode(as_lists(weights), options), options, 1)


def as_lists(weights):
    """Return an array as lists of Python integers, or of floats in double precision."""
    weights = np.asarray(weights)
    return (weights.astype(np.float64) if weights.dtype.kind == "f" else weights).tolist()


def unroll(weights):
    """Return the rows (cin, kh, kw) and columns (cout) of a convolution's weights."""
    n_out, n_in, height, width = weights.shape
    weights = as_lists(weights)
    return [
        [weights[o][i][y][x] for o in range(n_out)]
        for i in range(n_in)
        for y in range(height)
        for x in range(width)
    ]


def groups_per_pack(n_rows, n_columns, options):
    """Return how many groups of a grouped convolution share a crossbar group."""
    return max(1, min(options.rows // n_rows, options.cols // n_columns))


def block_diagonal(blocks, filler):
    """Put rectangles along the diagonal of one matrix."""
    n_columns = sum(len(block[0]) for block in blocks)
    packed, start = [], 0
    for block in blocks:
        width = len(block[0])
        for row in block:
            packed.append([filler] * start + row + [filler] * (n_columns - start - width))
        start += width
    return packed


def map_convolution(weights, options, groups=1):
    """Map the weights (cout, cin / groups, kh, kw) of a convolution."""
    return map_encoded(encode(unroll(np.asarray(weights)), options, groups), options, groups)


# Computation


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
    return tile_starts(n_rows, options.active_rows)


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
    levels = [
        [
            np.array(
                [
                    [cell_level(c, plane, options, options.kept_bits) * (sign * c > 0) for c in row]
                    for row in codes
                ]
            )
            for sign in (1, -1)
        ]
        for plane in range(options.planes)
    ]
    for first, end in row_groups(len(codes), options):
        group = range(first, end)
        last_shift = max(shifts[r] for r in group)
        last_cycle = last_shift + options.input_bits - 1
        for t in range(min(shifts[r] for r in group), last_cycle + 1):
            bits = [input_bit(inputs[r], shifts[r], last_shift, t, options) for r in group]
            weight = -(2**t) if options.signed_inputs and t == last_cycle else 2**t
            for plane, (positive, negative) in enumerate(levels):
                plane_weight = 2 ** ((options.planes - 1 - plane) * options.cell_bits)
                for sign, cells in ((1, positive), (-1, negative)):
                    sums = np.array(bits) @ cells[first:end]
                    for column, total in enumerate(sums.tolist()):
                        code, clipped = convert(total, plane, options)
                        clips[plane] += clipped
                        results[column] += sign * weight * plane_weight * code * 2**options.adc_lsb
    return results, clips


def convert(total, plane, options):
    """Convert the sum of a column: return the converter's code and whether it clipped."""
    largest = 2 ** options.plane_adc_bits()[plane] - 1
    seen = total >> options.adc_lsb
    return min(seen, largest), int(seen > largest)


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
    for column_tile, rows, columns in tiles_of(matrix.codes, options):
        codes = cut(matrix.codes, rows, columns)
        shifts = [row[column_tile] for row in matrix.shifts[rows[0] : rows[1]]]
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
    return [
        [
            sum(
                (vector[source] << shifts[column // options.cols]) * codes[column]
                for source, shifts, codes in zip(
                    matrix.sources, matrix.shifts, matrix.codes, strict=True
                )
            )
            for column in range(len(matrix.codes[0]))
        ]
        for vector in inputs
    ]


def clips_of_units(clips, options):
    """Add up the clips of tiles that are in one unit: as many in a row as there are weight sets."""
    units = [clips[i : i + options.weight_sets] for i in range(0, len(clips), options.weight_sets)]
    return [[sum(planes) for planes in zip(*unit, strict=True)] for unit in units]


def cycles_per_vector(shifts, n_columns, options):
    """Return the FPGA's clock cycles between the results of two vectors in a tile."""
    return cycles_per_round([(shifts, n_columns)], options)


def cycles_per_round(tiles, options):
    """Return the clock cycles in which a unit computes one vector for each of its tiles in turn.

    Tiles are given as shifts of rows and number of columns. Computing, loading and sending go on
    beside one another; what takes longest for all tiles together sets the pace.
    """
    return max(map(sum, zip(*(occupied(*tile, options) for tile in tiles), strict=True)))


def occupied(shifts, n_columns, options):
    """Return the clock cycles that a vector occupies crossbars, input register and results."""
    lanes = options.emulation_lanes
    conversions = math.ceil(n_columns / options.adcs_per_crossbar)
    busy = 0
    for first, end in row_groups(len(shifts), options):
        group = shifts[first:end]
        bits = range(min(group), options.input_bits + max(group))
        busy += len({t // lanes for t in bits}) * conversions
    # Inputs become bit planes in blocks of at most 16 beats, all blocks of a slot equal; a block
    # takes as long as its beats, or as its planes if there are more of these.
    per_slot = math.ceil(options.active_rows / options.inputs_per_beat)
    blocks = math.ceil(per_slot / 16)
    block = math.ceil(per_slot / blocks)
    planes = options.input_bits + options.squeeze
    loading = 0
    for first, end in row_groups(len(shifts), options):
        beats = math.ceil((end - first) / options.inputs_per_beat)
        loading += math.ceil(beats / block) * max(block, planes)
    return busy, loading, math.ceil(n_columns / options.results_per_beat)
