"""The clocks of a tile array, beside those of its units (:mod:`sme_hw.cycles`)."""

from .cycles import clip_settle_cycles

__all__ = [
    "ARRAY_INPUT_LATENCY",
    "ARRAY_RESET_CLOCKS",
    "ARRAY_VECTORS",
    "adder_levels",
    "array_clip_settle_cycles",
    "join_latency",
]

ARRAY_VECTORS = 64
"""Vectors that may be under way in an array."""

ARRAY_INPUT_LATENCY = 2
"""Clocks from an input beat of the array to that of a unit."""


ARRAY_RESET_CLOCKS = 2
"""Clocks that a reset of an array has to last: it reaches the units a clock later."""


def adder_levels(units: int) -> int:
    """Return the levels of the tree that adds the results of ``units`` units."""
    return (units - 1).bit_length()


def join_latency(units: int) -> int:
    """Return the clocks from the result beats of all units to their sum."""
    return 3 + adder_levels(units)


def array_clip_settle_cycles(planes: int, flags: int) -> int:
    """Return what :func:`sme_hw.cycles.clip_settle_cycles` does, for an array.

    Two more: the selection goes to the units, and the count comes from one of them.
    """
    return clip_settle_cycles(planes, flags) + 2
