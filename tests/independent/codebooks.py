"""Codebooks, one number at a time: which codes there are, and which of them is nearest."""

import itertools
import math

__all__ = [
    "additive_alpha",
    "additive_codebook",
    "codebook",
    "in_window",
    "nearest_code",
    "pow2_alpha",
    "quantise",
    "round_half_away",
    "round_to_window",
]


def round_half_away(value):
    """Round a magnitude, halves upwards."""
    return math.floor(value + 0.5)


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


def in_window(code, window):
    """Tell whether the ones of ``code`` lie within ``window`` consecutive bits."""
    ones = [i for i in range(code.bit_length()) if code >> i & 1]
    return not ones or ones[-1] - ones[0] < window


def codebook(bits, window):
    """List the codes whose ones lie within ``window`` consecutive bits."""
    return [code for code in range(2**bits) if in_window(code, window)]


def additive_codebook(bits, terms):
    """List the sums of ``terms`` powers of two: 2^-i, 2^-(i+n), 2^-(i+2n) or nothing for term i.

    Powers without a plane are left out; sums are counted in codes.
    """
    levels = [[0, *(2.0**-p for p in range(i, bits + 1, terms))] for i in range(1, terms + 1)]
    return sorted(int(sum(chosen) * 2**bits) for chosen in itertools.product(*levels))


def nearest_code(value, book):
    """Search a codebook for the code nearest to ``value``, halves upwards."""
    nearest = book[0]
    for lower, upper in itertools.pairwise(book):
        if value + 0.5 >= (lower + upper) / 2 + 0.5:  # as in round_half_away
            nearest = upper
    return nearest


def smallest_power(largest, fits):
    """Return the smallest power of two by which ``largest`` must be divided to fit; 1 for zero."""
    if largest == 0:
        return 1.0
    _, exponent = math.frexp(largest)  # near enough
    while not fits(math.ldexp(largest, -exponent)):
        exponent += 1
    while fits(math.ldexp(largest, -(exponent - 1))):
        exponent -= 1
    return math.ldexp(1.0, exponent)


def pow2_alpha(largest, window):
    """Return the smallest power of two that brings ``largest`` down to ``1 - 2**-window``."""
    return smallest_power(largest, lambda u: u <= 1 - 2.0**-window)


def additive_alpha(largest, book, bits):
    """Return the smallest power of two with which ``largest`` is not rounded beyond the codebook.

    The next larger code would be ``2**bits``.
    """
    beyond = 2**bits
    return smallest_power(largest, lambda u: nearest_code(u * beyond, [*book, beyond]) < beyond)
