"""Tables of word lines: the bits of input vectors, compiled."""

from typing import Any

import numpy as np

from .compiling import compiled, inner
from .lanes import LANES, both, either, extract, left, load, other, right, spread, store

__all__ = ["slice_inputs", "transposed"]


@inner
def transposed(words: Any) -> Any:
    """Return words with their 8 x 8 bits transposed: bit j of byte i becomes bit i of byte j."""
    for distance, mask in (
        (np.uint64(7), np.uint64(0x00AA00AA00AA00AA)),
        (np.uint64(14), np.uint64(0x0000CCCC0000CCCC)),
        (np.uint64(28), np.uint64(0x00000000F0F0F0F0)),
    ):
        moved = both(other(words, right(words, distance)), spread(mask))
        words = other(words, other(moved, left(moved, distance)))
    return words


@compiled
def slice_inputs(
    inputs: np.ndarray, count: int, bits: int, shift: int, signed: bool, table: np.ndarray
) -> None:
    """Write the bits of input vectors as lines.

    Bit 8 q + v of a word belongs to its vector 8 v + q, which makes bytes of what is transposed.

    Parameters
    ----------
    inputs : numpy.ndarray of int64, shape (64 * words, at least count, a multiple of 8)
    count : int
        Inputs of a vector.
    bits : int
        Bits of an input.
    shift : int
        Largest row shift: bit-cycles before and after an input's own.
    signed : bool
        Sign bits come after the input's own bits, not zeros.
    table : numpy.ndarray of uint64, shape ((count + 1) * bit-cycles * words + 8,)
        Is overwritten: input by input, bit-cycle by bit-cycle. One more input is always 0.
    """
    padded = inputs.shape[1]
    words = len(inputs) // 64
    cycles = bits + 2 * shift
    flat = inputs.reshape(-1)
    table[:] = 0
    scratch = np.empty(LANES * LANES, np.uint64)
    byte = spread(np.uint64(255))
    for word in range(words):
        for first in range(0, count, LANES):
            for low in range(0, bits, 8):
                for q in range(8):
                    value = spread(np.uint64(0))
                    for v in range(8):
                        at = np.uint64((64 * word + 8 * v + q) * padded + first)
                        part = both(right(load(flat, at), np.uint64(low)), byte)
                        value = either(value, left(part, np.uint64(8 * v)))
                    store(scratch, np.uint64(LANES * q), transposed(value))
                for t in range(min(8, bits - low)):
                    value = spread(np.uint64(0))
                    for q in range(8):
                        part = right(load(scratch, np.uint64(LANES * q)), np.uint64(8 * t))
                        value = either(value, left(both(part, byte), np.uint64(8 * q)))
                    for lane in range(min(LANES, count - first)):
                        cycle = (first + lane) * cycles + shift + low + t
                        table[np.uint64(cycle * words + word)] = extract(value, np.uint64(lane))
    if signed:
        for i in range(count):
            end = (i * cycles + shift + bits) * words
            for later in range(end, end + shift * words):
                table[later] = table[later - words]
