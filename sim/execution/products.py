"""Exact integer matrix products in floating point, prepared once."""

from collections.abc import Sequence

import numpy as np

__all__ = ["ExactProduct"]

_BLOCK = 128
"""Rows that float32 must be able to add up, or else float64 is faster."""


class ExactProduct:
    """Products of integer vectors with equally large matrices side by side.

    A partial sum is a sum of some of the terms, in whatever order they are added. As long as no
    such sum exceeds the mantissa, all of them are exact. Where float32 does not suffice for all
    rows, products of fewer rows are added up in float64.

    Parameters
    ----------
    matrices : sequence of numpy.ndarray of integers, shape (rows, columns)
        Each is multiplied by its own part of a vector; these parts follow one another.
    input_range : tuple of int
        Smallest and largest element of a vector.
    """

    def __init__(self, matrices: Sequence[np.ndarray], input_range: tuple[int, int]):
        stack = np.stack(matrices)
        sums = _largest_sums(stack, input_range)
        single = sums.max(initial=0) <= 2**24
        self.spans = _spans(sums, 2**24 if single else 2**53, stack.shape[1])
        self.matrices = stack.astype(np.float32 if single else np.float64)

    def write(self, results: np.ndarray, inputs: np.ndarray) -> None:
        """Multiply vectors by the matrices.

        Parameters
        ----------
        results : numpy.ndarray of float64, shape (vectors, matrices * columns)
            Is overwritten.
        inputs : numpy.ndarray, shape (vectors, matrices * rows)
            Integers, of any type.
        """
        count, rows, columns = self.matrices.shape
        to = results.reshape(-1, count, columns).swapaxes(0, 1)
        if not self.spans:
            to[:] = 0
            return
        floats = inputs.astype(self.matrices.dtype, copy=False)
        parts = floats.reshape(-1, count, rows).swapaxes(0, 1)
        for number, span in enumerate(self.spans):
            product = parts[:, :, span] @ self.matrices[:, span]
            if number == 0:
                to[:] = product
            else:
                to += product


def _largest_sums(stack: np.ndarray, input_range: tuple[int, int]) -> np.ndarray:
    """Return bounds on the magnitude of partial sums of each block of rows.

    Returns
    -------
    numpy.ndarray of int64, shape (blocks, 2 * matrices * columns)
        For sums of positive and of negative terms.
    """
    starts = np.arange(0, stack.shape[1], _BLOCK)
    low, high = -input_range[0], input_range[1]
    positive, negative = (
        np.add.reduceat(np.maximum(part, 0), starts, axis=1, dtype=np.int64)
        for part in (stack, -stack)
    )
    both = [positive * high + negative * low, positive * low + negative * high]
    return np.stack(both).transpose(2, 0, 1, 3).reshape(len(starts), -1)


def _spans(sums: np.ndarray, limit: int, rows: int) -> list[slice]:
    """Cut rows into as few spans as possible whose sums keep to the limit; none if all are 0."""
    if not sums.any():
        return []
    total = np.cumsum(sums, axis=0)
    spans, first = [], 0
    while first < len(sums):
        before = total[first - 1] if first else 0
        fitting = int(np.searchsorted((total[first:] - before).max(axis=1), limit, side="right"))
        assert fitting, "a block of rows exceeds the mantissa"
        spans.append(slice(first * _BLOCK, min((first + fitting) * _BLOCK, rows)))
        first += fitting
    return spans
