"""Reference of :class:`sme_hw.result_join.ResultJoin`."""

from collections.abc import Sequence

import numpy as np

__all__ = ["result_join"]


def result_join(
    packets: Sequence[Sequence[int]], results: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Return the result packets of vectors.

    Parameters
    ----------
    packets : sequence of sequence of int
        For each packet, the units that are added.
    results : sequence of numpy.ndarray of int64, shape (vectors, columns)
        Results of each unit.

    Returns
    -------
    tuple of numpy.ndarray of int64, shape (vectors, columns)
    """
    return tuple(np.sum([results[unit] for unit in units], axis=0) for units in packets)
