"""Reference of :class:`sme_hw.result_router.ResultRouter`."""

from collections.abc import Sequence

__all__ = ["result_router"]


def result_router(order: Sequence[int], routes: Sequence[Sequence[int]]) -> list[tuple[int, bool]]:
    """Return the routes that vectors need: mask of units, and whether it is the last of a vector.

    Parameters
    ----------
    order : sequence of int
        Set of every vector.
    routes : sequence of sequence of int
        For each set, the masks of its result packets.
    """
    return [
        (units, number == len(routes[weight_set]) - 1)
        for weight_set in order
        for number, units in enumerate(routes[weight_set])
    ]
