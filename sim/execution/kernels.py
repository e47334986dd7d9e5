"""Bit-sliced conversions, compiled: a bit-wise operation on a word serves 64 vectors at once.

A *line* is an array of words in which each bit belongs to one vector and bit-cycle: W words hold a
bit-cycle of 64 W vectors, and those of the next bit-cycle follow. Numbers are lines too, one per
binary digit. So the word lines of a column's cells are counted by full adders, eight word lines at
a time, and the cost follows the number of cells that are not zero. Carry-save counters like these
are known from population counts of long bit strings (Harley and Seal).

Indices are unsigned: negative ones would count from the end, which costs time.
"""

from typing import Any

import numpy as np

from .compiling import compiled, inner
from .lanes import LANES, both, bytes_of, either, left, load, ones, other, right, spread, store
from .tables import transposed

__all__ = ["WORDS", "convert_columns"]

WORDS = 8
"""Words of a bit-cycle, at most."""

_BITS = 23
"""Bit-cycles of an input, at most: 16 bits, and 7 of row conversion."""

_LINE = _BITS * WORDS + LANES
"""Words between the lines of a number: a few more than one has, so that it may be exceeded."""

_COUNT_DIGITS = 11
"""Digits of the largest column sum, 3 * 512."""

_SAMPLE_DIGITS = 21
"""Digits of the largest sample: column sums of all planes and both signs."""


@inner
def _full_adder(a: Any, b: Any, c: Any) -> Any:
    half = other(a, b)
    return other(half, c), either(both(a, b), both(half, c))


@inner
def _half_adder(a: Any, b: Any) -> Any:
    return other(a, b), both(a, b)


@inner
def _bit_length(value: int) -> int:
    length = 0
    while value >> length:
        length += 1
    return length


@inner
def _line(table: np.ndarray, starts: np.ndarray, number: int, block: Any) -> Any:
    return load(table, starts[np.uint64(number)] + block)


@inner
def _count(
    table: np.ndarray, starts: np.ndarray, eights: int, block: Any, digits: np.ndarray
) -> None:
    """Count word lines of a block of words."""
    zero = spread(np.uint64(0))
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = c10 = zero
    for number in range(eights):
        e = 8 * number
        c0, two0 = _full_adder(
            c0, _line(table, starts, e, block), _line(table, starts, e + 1, block)
        )
        c0, two1 = _full_adder(
            c0, _line(table, starts, e + 2, block), _line(table, starts, e + 3, block)
        )
        c0, two2 = _full_adder(
            c0, _line(table, starts, e + 4, block), _line(table, starts, e + 5, block)
        )
        c0, two3 = _full_adder(
            c0, _line(table, starts, e + 6, block), _line(table, starts, e + 7, block)
        )
        c1, four0 = _full_adder(c1, two0, two1)
        c1, four1 = _full_adder(c1, two2, two3)
        c2, carry = _full_adder(c2, four0, four1)
        c3, carry = _half_adder(c3, carry)
        c4, carry = _half_adder(c4, carry)
        c5, carry = _half_adder(c5, carry)
        c6, carry = _half_adder(c6, carry)
        if eights > 15:  # only then can there be more than 127
            c7, carry = _half_adder(c7, carry)
            c8, carry = _half_adder(c8, carry)
            c9, carry = _half_adder(c9, carry)
            c10, carry = _half_adder(c10, carry)
    counted = (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10)
    for digit in range(_COUNT_DIGITS):
        store(digits, np.uint64(digit * LANES), counted[digit])


@inner
def _add_twice(digits: np.ndarray, more: np.ndarray) -> None:
    """Add twice a count to another one."""
    carry = spread(np.uint64(0))
    for digit in range(1, _COUNT_DIGITS):
        at = np.uint64(digit * LANES)
        total, carry = _full_adder(
            load(digits, at), load(more, np.uint64((digit - 1) * LANES)), carry
        )
        store(digits, at, total)


@inner
def _add_code(
    digits: np.ndarray,
    low: int,
    high: int,
    end: int,
    invert: Any,
    sample: np.ndarray,
    at: int,
    width: int,
) -> Any:
    """Add the code of a count, or its complement, to a sample; return where the code clipped.

    The ADC tells digits ``low .. high - 1`` of the count's digits ``.. end - 1``.
    """  # fmt: skip
    clipped = spread(np.uint64(0))
    for digit in range(high, end):
        clipped = either(clipped, load(digits, np.uint64(digit * LANES)))
    carry = spread(np.uint64(0))
    for digit in range(low, min(high, end)):
        code = other(either(load(digits, np.uint64(digit * LANES)), clipped), invert)
        here = np.uint64(at)
        total, carry = _full_adder(load(sample, here), code, carry)
        store(sample, here, total)
        at += _LINE
    while at < width * _LINE:
        here = np.uint64(at)
        total, carry = _half_adder(load(sample, here), carry)
        store(sample, here, total)
        at += _LINE
    return clipped


@inner
def _add_sample(
    sample: np.ndarray, width: int, word: int, invert: Any, total: np.ndarray, at: int, end: int
) -> None:
    """Add a sample of one bit-cycle, or its complement, to digits ``at .. end - 1`` of a total."""
    carry = spread(np.uint64(0))
    for digit in range(at, end):
        here = np.uint64(digit * LANES)
        added = spread(np.uint64(0))
        if digit - at < width:
            added = other(load(sample, np.uint64((digit - at) * _LINE + word)), invert)
        result, carry = _full_adder(load(total, here), added, carry)
        store(total, here, result)


@inner
def _read(total: np.ndarray, width: int, words: int, codes: np.ndarray) -> None:
    """Turn a total's lines into one integer per vector."""
    byte = spread(np.uint64(255))
    for word in range(words):
        for low in range(0, max(width, 1), 8):
            value = spread(np.uint64(0))
            for j in range(8):
                digit = bytes_of(total[np.uint64((low + j) * LANES + word)])
                value = either(value, left(digit, np.uint64(8 * j)))
            value = transposed(value)
            for v in range(8):
                at = np.uint64(64 * word + 8 * v)
                part = left(both(right(value, np.uint64(8 * v)), byte), np.uint64(low))
                store(codes, at, either(load(codes, at), part) if low else part)


@inner
def _add_transposed(
    codes: np.ndarray, columns: np.ndarray, constants: np.ndarray, lsb: int, results: np.ndarray
) -> None:
    """Add the integers of columns to results, a few vectors at a time to stay in the cache."""
    for first in range(0, len(results), 8):
        for number in range(len(columns)):
            column, constant = columns[number], constants[number]
            for vector in range(first, min(first + 8, len(results))):
                code = np.int64(codes[number, vector]) + constant
                results[vector, column] += np.float64(code << lsb)


@compiled
def convert_columns(
    table: np.ndarray,
    samples: np.ndarray,
    sums: np.ndarray,
    entries: np.ndarray,
    plane_bits: np.ndarray,
    plane_weights: np.ndarray,
    lsb: int,
    signed: bool,
    output: int,
    results: np.ndarray,
    clips: np.ndarray,
) -> None:
    """Convert columns of a tile in all bit-cycles, and add up their codes.

    Parameters
    ----------
    table : numpy.ndarray of uint64, shape (words,)
        What :func:`sim.execution.tables.slice_inputs` wrote.
    samples : numpy.ndarray of int64, shape (samples, 4)
        Columns of groups: column, first bit-cycle, bit-cycles, and how many sums of them are
        converted. Those of one column follow one another.
    sums : numpy.ndarray of int16, shape (sums, 4)
        Plane, sign (1: negative), and how many eights of word lines are counted, of either bit of
        a cell. Within a sample, the least significant plane comes first.
    entries : numpy.ndarray of uint16, shape (8 * eights,)
        The word lines that are counted: where in the table bit-cycle 0 of each is, in bit-cycles.
    plane_bits, plane_weights : numpy.ndarray of int64, shape (planes,)
        ADC resolution of each plane; binary weight of its codes, the LSB size aside.
    lsb : int
    signed : bool
        The last bit-cycle of a group is subtracted.
    output : int
        The first column's place among the results.
    results : numpy.ndarray of float64, shape (vectors, outputs)
        Codes are added.
    clips : numpy.ndarray of int64, shape (planes,)
        Clips are added.
    """
    words = (len(results) + 63) // 64
    most = 1 + np.count_nonzero(samples[1:, 0] != samples[:-1, 0])
    columns, constants = np.zeros(most, np.int64), np.zeros(most, np.int64)
    codes = np.empty((most, 64 * words), np.uint64)
    digits = np.zeros(_COUNT_DIGITS * LANES, np.uint64)
    twice = np.zeros(_COUNT_DIGITS * LANES, np.uint64)
    sample = np.zeros(_SAMPLE_DIGITS * _LINE, np.uint64)
    total = np.zeros(64 * LANES, np.uint64)
    starts = np.empty(1024, np.uint64)
    valid = np.zeros(2 * LANES, np.uint64)
    valid[:LANES] = ~np.uint64(0)
    bound = constant = sum_at = entry = done = 0
    for number in range(len(samples)):
        column, first, cycles, count = samples[number]
        n = cycles * words
        sample_bound = width = offset = 0
        for s in range(sum_at, sum_at + count):
            plane, negative, eights, eights2 = sums[s]
            size, size2 = LANES * eights, LANES * eights2
            for e in range(size + size2):
                starts[e] = (entries[entry + e] + first) * words
            entry += size + size2
            end = _bit_length(size + 2 * size2)
            high = lsb + plane_bits[plane]
            code_max = np.int64((1 << max(min(high, end) - lsb, 0)) - 1) << plane_weights[plane]
            sample_bound += code_max
            for digit in range(width, _bit_length(sample_bound)):
                sample[digit * _LINE : digit * _LINE + n + LANES] = 0
            width = _bit_length(sample_bound)
            # What is subtracted is added as its complement; the difference is a constant.
            offset += code_max * negative
            invert = spread(~np.uint64(0) * np.uint64(negative))
            for block in range(0, n, LANES):
                _count(table, starts[:size], eights, np.uint64(block), digits)
                if eights2:
                    _count(table, starts[size : size + size2], eights2, np.uint64(block), twice)
                    _add_twice(digits, twice)
                at = plane_weights[plane] * _LINE + block
                clipped = _add_code(digits, lsb, high, end, invert, sample, at, width)
                if end > high:
                    here = load(valid, np.uint64(max(0, block + LANES - n)))
                    clips[plane] += ones(both(clipped, here))
        sum_at += count
        for cycle in range(cycles):
            t = first + cycle
            largest = np.int64((1 << width) - 1)
            negative = np.int64(signed and cycle == cycles - 1)
            constant += (offset - largest) << t if negative else -(offset << t)
            bound += largest << t
            invert = spread(~np.uint64(0) * np.uint64(negative))
            _add_sample(sample, width, cycle * words, invert, total, t, _bit_length(bound))
        if number + 1 == len(samples) or samples[number + 1, 0] != column:
            _read(total, _bit_length(bound), words, codes[done])
            columns[done], constants[done] = output + column, constant
            done += 1
            total[:] = 0
            bound = constant = 0
    _add_transposed(codes, columns, constants, lsb, results)
