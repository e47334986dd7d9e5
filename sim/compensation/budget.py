"""Shares a number of crossbars out: to layers, tiles, and rows, by what each of them saves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Steps", "fill", "largest_gains", "saving_steps"]


@dataclass(frozen=True, eq=False)
class Steps:
    """Steps from one size of an item to a larger one, the most worthwhile first.

    Those of an item follow one another, since each saves less per unit of size than the one before.

    Parameters
    ----------
    item, start, stop : numpy.ndarray of int64, shape (steps,)
        Which item grows from which size to which.
    saved : numpy.ndarray of float64, shape (steps,)
        By how much the loss falls.
    """

    item: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    saved: np.ndarray

    def saved_by(self, room: np.ndarray) -> np.ndarray:
        """Return what the first so many units of size save in all, parts of steps included."""
        used = np.concatenate([[0], (self.stop - self.start).cumsum()])
        return np.interp(room, used, np.concatenate([[0.0], self.saved.cumsum()]))

    @property
    def size(self) -> int:
        """Units of size of all steps."""
        return int((self.stop - self.start).sum())


def saving_steps(losses: np.ndarray) -> Steps:
    """Return how items should grow.

    Parameters
    ----------
    losses : numpy.ndarray of float64, shape (sizes, items)
        What each item loses at each size, never growing.

    Examples
    --------
    >>> import numpy as np
    >>> steps = saving_steps(np.array([[9.0, 5.0], [8.0, 1.0], [1.0, 0.0]]))
    >>> list(zip(steps.item.tolist(), steps.start.tolist(), steps.stop.tolist()))
    [(0, 0, 2), (1, 0, 1), (1, 1, 2)]
    """
    sizes, items = losses.shape
    found = []
    at = np.zeros(items, np.int64)
    number = np.arange(items)
    while True:
        # The next size of each item: where the loss falls most per unit, on its convex hull.
        distance = np.arange(sizes)[:, np.newaxis] - at
        rate = np.full(losses.shape, -np.inf)
        np.divide(losses[at, number] - losses, distance, out=rate, where=distance > 0)
        following = rate.argmax(axis=0)
        grows = rate[following, number] > 0
        if not grows.any():
            break
        item, stop = number[grows], following[grows]
        found.append((item, at[grows], stop, losses[at, number][grows] - losses[stop, item]))
        at[grows] = stop
    if not found:
        nothing = np.zeros(0, np.int64)
        return Steps(nothing, nothing, nothing, np.zeros(0))
    item, start, stop, saved = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((start, -saved / (stop - start)))
    return Steps(item[order], start[order], stop[order], saved[order])


def fill(steps: Steps, items: int, room: int) -> np.ndarray:
    """Return the sizes of items that fill the room best: int64, shape (items,)."""
    sizes = np.zeros(items, np.int64)
    for item, start, stop in zip(steps.item, steps.start, steps.stop, strict=True):
        if stop - start <= room and sizes[item] == start:
            sizes[item] = stop
            room -= stop - start
        if not room:
            break
    return sizes


def largest_gains(gains: Sequence[np.ndarray], count: int) -> list[int]:
    """Return how many of each unit's gains are among the ``count`` largest of all.

    Parameters
    ----------
    gains : sequence of numpy.ndarray of float64
        What each further crossbar saves in each unit, descending.
    count : int

    Examples
    --------
    >>> import numpy as np
    >>> largest_gains([np.array([5.0, 1.0]), np.array([3.0, 2.0, 0.5])], 3)
    [1, 2]
    """
    unit = np.repeat(np.arange(len(gains)), [len(own) for own in gains])
    order = np.argsort(-np.concatenate(gains), kind="stable")[:count]
    return np.bincount(unit[order], minlength=len(gains)).tolist()
