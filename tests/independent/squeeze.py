"""Squeeze-out, row by row: how far a row of a tile moves and what is left, or how it is split."""

from .codebooks import codebook, round_half_away, round_to_window

__all__ = ["cell_level", "row_shift", "shifted_code", "split_row", "squeeze_tile"]


def cell_level(code, plane, options, bits):
    """Return what plane ``plane`` (0 is the most significant) stores of a ``bits``-bit code."""
    above = bits - (plane + 1) * options.cell_bits
    return abs(code) >> above & (2**options.cell_bits - 1)


def row_shift(codes, options):
    """Return the shift of one row of a tile."""
    if options.policy in ("plain", "split"):
        return 0
    shift = 0
    while max(abs(code) for code in codes) >> shift >= 2**options.kept_bits:
        shift += 1
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
        if size >= 2**kept:
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
