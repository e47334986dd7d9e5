"""Reference of :class:`sme_hw.input_router.InputRouter`."""

from collections.abc import Sequence

__all__ = ["input_router"]


def input_router(routes: Sequence[tuple[int, int]]) -> list[int]:
    """Return the masks of a vector's beats.

    Parameters
    ----------
    routes : sequence of tuple of int
        Mask of units and number of beats of each packet.
    """
    return [units for units, beats in routes for _ in range(beats)]
