"""Reference of :class:`sme_hw.result_buffer.ResultBuffer`."""

import numpy as np

__all__ = ["result_buffer"]


def result_buffer(results: np.ndarray, results_per_beat: int) -> np.ndarray:
    """Return the beats of result vectors, shape (vectors, beats, results_per_beat).

    Parameters
    ----------
    results : numpy.ndarray of int64, shape (vectors, columns)
    results_per_beat : int
        Beats are filled up with zeros.
    """
    vectors, columns = results.shape
    padded = np.zeros((vectors, -(-columns // results_per_beat) * results_per_beat), np.int64)
    padded[:, :columns] = results
    return padded.reshape(vectors, -1, results_per_beat)
