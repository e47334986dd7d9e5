"""Bit-sliced conversions, compiled: a bit-wise operation on a word serves 64 vectors at once.

A *line* is an array of words, in which each bit belongs to one vector and bit-cycle: word ``t * W +
w`` holds bit-cycle t of vectors ``64 * w`` and following, W words a bit-cycle. Numbers are lines
too, one per binary digit. So the word lines of a column's cells are counted by full adders, eight
at a time, and the cost follows the number of cells that are not zero. Carry-save counters like
these are known from population counts of long bit strings (Harley and Seal).
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

__all__ = ["WORDS", "convert_columns", "slice_inputs"]

F = TypeVar("F", bound=Callable[..., Any])

_EIGHT = 8
"""Word lines that are counted at a time."""

WORDS = 8
"""Words of a bit-cycle, at most: more lose their place in the cache, fewer cost overhead."""

_LINE = 23 * WORDS
"""Words between the lines of a number; an input has at most 23 bits after row conversion.

A constant, so that the compiler sees that lines do not overlap.
"""

# Where numbers stand among the lines of the scratch memory.
_COUNT = 0
_CARRIED = 12  # relative to the ones of eight word lines: what these carry
_HIGH = 14  # where a code is more than the ADC can tell
_CARRY = 15
_SAMPLE = 16
_SCRATCH = 40

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def compiled(function: F) -> F:
    """Compile at the first call, and keep the machine code in a file if there is a place for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return njit(nogil=True)(function)


@compiled
def _full_adder(a: Any, b: Any, c: Any) -> Any:
    half = a ^ b
    return half ^ c, (a & b) | (half & c)


@compiled
def _bit_length(value: int) -> int:
    length = 0
    while value >> length:
        length += 1
    return length


@compiled
def _ones(word: Any) -> Any:
    """Count the ones of a word."""
    word = word - (word >> np.uint64(1) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        word >> np.uint64(2) & np.uint64(0x3333333333333333)
    )
    word = word + (word >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64(word * np.uint64(0x0101010101010101) >> np.uint64(56))


@compiled
def slice_inputs(
    inputs: np.ndarray, bits: int, shift: int, signed: bool, table: np.ndarray
) -> None:
    """Write the bits of input vectors as lines.

    Parameters
    ----------
    inputs : numpy.ndarray of int32, shape (vectors, inputs)
    bits : int
        Bits of an input.
    shift : int
        Largest row shift: bit-cycles before and after an input's own.
    signed : bool
        Sign bits come after the input's own bits, not zeros.
    table : numpy.ndarray of uint64, shape (inputs + 1, bit-cycles, words)
        Is overwritten. The last input is 0 in all vectors.
    """
    table[:] = 0
    vectors, count = inputs.shape
    for vector in range(vectors):
        word, place = vector >> 6, np.uint64(vector & 63)
        for i in range(count):
            value = inputs[vector, i]
            for t in range(bits):
                table[i, shift + t, word] |= np.uint64(value >> t & 1) << place
    if signed:
        for i in range(count):
            for t in range(shift + bits, table.shape[1]):
                table[i, t] = table[i, shift + bits - 1]


@compiled
def _count_eight(table: np.ndarray, starts: Any, lines: np.ndarray, at: int, n: int) -> None:
    """Add eight word lines to three lines of a count, the lowest of which begins at ``at``.

    What they carry goes to a line of its own. Indices are unsigned, because negative ones would
    count from the end, and loops that provide for this cannot be vectorised.
    """
    ones, twos, fours = np.uint64(at), np.uint64(at + _LINE), np.uint64(at + 2 * _LINE)
    carried = np.uint64(at + _CARRIED * _LINE)
    s0, s1, s2, s3, s4, s5, s6, s7 = starts
    for k in range(n):
        i = np.uint64(k)
        one, two0 = _full_adder(lines[ones + i], table[s0 + i], table[s1 + i])
        one, two1 = _full_adder(one, table[s2 + i], table[s3 + i])
        one, two2 = _full_adder(one, table[s4 + i], table[s5 + i])
        one, two3 = _full_adder(one, table[s6 + i], table[s7 + i])
        two, four0 = _full_adder(lines[twos + i], two0, two1)
        two, four1 = _full_adder(two, two2, two3)
        four, eight = _full_adder(lines[fours + i], four0, four1)
        lines[ones + i] = one
        lines[twos + i] = two
        lines[fours + i] = four
        lines[carried + i] = eight


@compiled
def _ripple(lines: np.ndarray, carry: int, at: int, n: int) -> None:
    """Add a carry to one line of a number; it becomes the carry out of it."""
    c, a = np.uint64(carry * _LINE), np.uint64(at * _LINE)
    for k in range(n):
        i = np.uint64(k)
        before = lines[a + i]
        lines[a + i] = before ^ lines[c + i]
        lines[c + i] &= before


@compiled
def _clear(lines: np.ndarray, first: int, end: int, n: int) -> None:
    for line in range(first, end):
        lines[line * _LINE : line * _LINE + n] = 0


@compiled
def _count(
    table: np.ndarray,
    entries: np.ndarray,
    starts: np.ndarray,
    eights: Any,
    lines: np.ndarray,
    n: int,
) -> int:
    """Count word lines, those of the second bit of a cell twice; return the digits."""
    _clear(lines, _COUNT, _COUNT + 4, n)
    counted, width, at = 0, 3, 0
    for bit in range(2):
        width = max(width, bit + 3)
        for _ in range(eights[bit]):
            e = entries[at : at + _EIGHT]
            at += _EIGHT
            rows = (
                starts[e[0]], starts[e[1]], starts[e[2]], starts[e[3]],
                starts[e[4]], starts[e[5]], starts[e[6]], starts[e[7]],
            )  # fmt: skip
            _count_eight(table, rows, lines, (_COUNT + bit) * _LINE, n)
            carried = _COUNT + bit + _CARRIED
            for line in range(bit + 3, width):
                _ripple(lines, carried, _COUNT + line, n)
            counted += _EIGHT << bit
            if _bit_length(counted) > width:
                top = (_COUNT + width) * _LINE
                lines[top : top + n] = lines[carried * _LINE : carried * _LINE + n]
                width += 1
    return width


@compiled
def _mark_high(lines: np.ndarray, first: int, end: int, n: int) -> int:
    """Mark where a count has digits that the ADC has no bits for; return how often."""
    high = _HIGH * _LINE
    _clear(lines, _HIGH, _HIGH + 1, n)
    for line in range(first, end):
        h, a = np.uint64(high), np.uint64((_COUNT + line) * _LINE)
        for k in range(n):
            i = np.uint64(k)
            lines[h + i] |= lines[a + i]
    marked = 0
    if end > first:
        for k in range(n):
            marked += _ones(lines[high + k])
    return marked


@compiled
def _add_code_line(lines: np.ndarray, code: int, at: int, invert: Any, n: int) -> None:
    """Add one digit of a saturated code, or its complement, and the carry, to a sample's line."""
    c, a = np.uint64(code * _LINE), np.uint64(at * _LINE)
    high, carry = np.uint64(_HIGH * _LINE), np.uint64(_CARRY * _LINE)
    for k in range(n):
        i = np.uint64(k)
        digit = (lines[c + i] | lines[high + i]) ^ invert
        total, carried = _full_adder(lines[a + i], digit, lines[carry + i])
        lines[a + i] = total
        lines[carry + i] = carried


@compiled
def _add_sample(
    lines: np.ndarray, width: int, word: int, invert: Any, total: np.ndarray, at: int, end: int
) -> None:
    """Add a sample of one bit-cycle, or its complement, to lines ``at .. end - 1`` of a total."""
    words = total.shape[1]
    carry = np.zeros(words, np.uint64)
    for line in range(at, end):
        sample = np.uint64((_SAMPLE + line - at) * _LINE + word)
        here = total[line]
        for w in range(words):
            digit = lines[sample + np.uint64(w)] ^ invert if line - at < width else np.uint64(0)
            here[w], carry[w] = _full_adder(here[w], digit, carry[w])


@compiled
def _read(total: np.ndarray, width: int, constant: int, lsb: int, result: np.ndarray) -> None:
    """Turn a total's lines into integers."""
    values = np.zeros(64, np.int64)
    for word in range(total.shape[1]):
        values[:] = constant
        for line in range(width):
            digits = total[line, word]
            for place in range(64):
                values[place] += np.int64(digits >> np.uint64(place) & np.uint64(1)) << line
        result[64 * word : 64 * word + 64] = values << lsb


@compiled
def convert_columns(
    table: np.ndarray,
    starts: np.ndarray,
    samples: np.ndarray,
    sums: np.ndarray,
    entries: np.ndarray,
    plane_bits: np.ndarray,
    plane_weights: np.ndarray,
    lsb: int,
    signed: bool,
    results: np.ndarray,
    clips: np.ndarray,
) -> None:
    """Convert columns of a tile in all bit-cycles, and add up their codes.

    Parameters
    ----------
    table : numpy.ndarray of uint64, shape (words,)
        What :func:`slice_inputs` wrote, flat.
    starts : numpy.ndarray of uint64, shape (physical rows + 1,)
        Where the word line of each physical row has its bit-cycle 0; the last one is always 0.
    samples : numpy.ndarray of int64, shape (samples, 4)
        Columns of groups: column, first bit-cycle, bit-cycles, and how many sums of them are
        converted. Those of one column follow one another.
    sums : numpy.ndarray of int16, shape (sums, 4)
        Plane, sign (1: negative), and how many eights of word lines are counted, of either bit of
        a cell. Within a sample, the least significant plane comes first.
    entries : numpy.ndarray of uint16, shape (8 * eights,)
        The physical rows whose word lines are counted.
    plane_bits, plane_weights : numpy.ndarray of int64, shape (planes,)
        ADC resolution of each plane; binary weight of its codes, the LSB size aside.
    lsb : int
    signed : bool
        The last bit-cycle of a group is subtracted.
    results : numpy.ndarray of int64, shape (columns, vectors in words)
        Is overwritten where columns have samples.
    clips : numpy.ndarray of int64, shape (planes,)
        Clips are added.
    """
    words = results.shape[1] >> 6
    lines = np.empty(_SCRATCH * _LINE, np.uint64)
    total = np.zeros((64, words), np.uint64)
    total_bound = constant = sum_at = entry = 0
    for number in range(len(samples)):
        column, first, cycles, count = samples[number]
        n = cycles * words
        shifted = starts + np.uint64(first * words)
        bound = width = offset = 0
        for s in range(sum_at, sum_at + count):
            plane, negative, eights, eights2 = sums[s]
            size = _EIGHT * (eights + eights2)
            digits = _count(
                table, entries[entry : entry + size], shifted, (eights, eights2), lines, n
            )
            entry += size
            high = lsb + plane_bits[plane]
            clips[plane] += _mark_high(lines, high, digits, n)
            code_bits = max(min(high, digits) - lsb, 0)
            weight = plane_weights[plane]
            code_max = np.int64((1 << code_bits) - 1) << weight
            bound += code_max
            grown = _bit_length(bound)
            _clear(lines, _SAMPLE + width, _SAMPLE + grown, n)
            _clear(lines, _CARRY, _CARRY + 1, n)
            width = grown
            # What is subtracted is added as its complement; the difference is a constant.
            invert = np.uint64(0)
            if negative:
                invert = np.uint64(_ALL)
                offset += code_max
            for bit in range(code_bits):
                at = _SAMPLE + weight + bit
                _add_code_line(lines, _COUNT + lsb + bit, at, invert, n)
            for line in range(weight + code_bits, width):
                _ripple(lines, _CARRY, _SAMPLE + line, n)
        sum_at += count
        for cycle in range(cycles):
            t = first + cycle
            invert = np.uint64(0)
            largest = np.int64((1 << width) - 1)
            if signed and cycle == cycles - 1:
                invert = np.uint64(_ALL)
                constant += (offset - largest) << t
            else:
                constant -= offset << t
            total_bound += largest << t
            end = _bit_length(total_bound)
            _add_sample(lines, width, cycle * words, invert, total, t, end)
        if number + 1 == len(samples) or samples[number + 1, 0] != column:
            _read(total, _bit_length(total_bound), constant, lsb, results[column])
            total[:] = 0
            total_bound = constant = 0
