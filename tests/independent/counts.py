"""What a layer costs, counted tile by tile before and after the squeeze-out."""

from .codebooks import in_window
from .squeeze import cell_level

__all__ = ["count_tiles"]


def signs_of_planes(codes, options, bits):
    """Return for every plane the set of signs that have at least one 1 there."""
    planes = [set() for _ in range(bits // options.cell_bits)]
    for row in codes:
        for code in row:
            for plane, signs in enumerate(planes):
                if cell_level(code, plane, options, bits):
                    signs.add(code < 0)
    return planes


def crossbars(tiles, options, bits):
    """Return how many signs of every plane of every tile need a crossbar."""
    return [len(signs) for codes in tiles for signs in signs_of_planes(codes, options, bits)]


def nonzero_rows(tiles, options):
    """Count the rows with something in each plane, released planes included."""
    bits = options.code_bits
    rows = [row for codes in tiles for row in codes]
    return tuple(
        sum(1 for row in rows if any(cell_level(code, plane, options, bits) for code in row))
        for plane in range(bits // options.cell_bits)
    )


def outside_window(codes, shifts, options):
    """Count the rows that squeeze-out took out of the window; only ``rounded`` may do so."""
    if options.policy != "rounded" or options.codec != "sme":
        return 0
    return sum(
        1
        for row, shift in zip(codes, shifts, strict=True)
        if shift and not all(in_window(abs(code), options.window) for code in row)
    )


def count_tiles(before, after, options):
    """Count what the tiles of a layer cost.

    Parameters
    ----------
    before : list
        Codes of every tile before the squeeze-out.
    after : list of tuple
        Codes and row shifts of every tile as it stands on crossbars.
    """
    built = options.kept_bits if options.policy == "plain" else options.code_bits
    codes_after = [codes for codes, _ in after]
    used = crossbars(codes_after, options, options.kept_bits)
    pieces = sum(map(len, codes_after))
    return {
        "tiles": len(after),
        "conventional": len(before) * (options.code_bits // options.cell_bits),
        "sliced": sum(1 for signs in crossbars(before, options, built) if signs),
        "squeezed": sum(1 for signs in used if signs),
        "physical": sum(used),
        "rcmr_bits": pieces * options.rcmr_row_bits,
        "rows": sum(map(len, before)),
        "pieces": pieces,
        "shifted_rows": sum(1 for _, shifts in after for shift in shifts if shift),
        "rows_outside_window": sum(outside_window(*tile, options) for tile in after),
        "nonzero_rows_before": nonzero_rows(before, options),
        "nonzero_rows_after": nonzero_rows(codes_after, options),
    }
