"""Reference of :class:`sme_hw.input_gather.InputGather`."""

import numpy as np

from sme_hw.tile_image import EMPTY

__all__ = ["input_gather"]


def input_gather(inputs: np.ndarray, input_index: np.ndarray) -> np.ndarray:
    """Return the inputs of the physical rows, 0 where there is none.

    Parameters
    ----------
    inputs : numpy.ndarray of integers, shape (..., inputs)
    input_index : numpy.ndarray of integers, shape (physical rows,)
        Input of each physical row, or :data:`sme_hw.tile_image.EMPTY`.
    """
    return np.where(input_index == EMPTY, 0, inputs[..., input_index].astype(np.int64))
