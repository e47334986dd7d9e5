"""How a bit heap is added up: which bits every adder takes, stage by stage, in plain integers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["Field", "Stage", "heap_plan"]


@dataclass(frozen=True)
class Field:
    """One adder of a stage.

    Parameters
    ----------
    weight : int
        Binary weight of its lowest position.
    carry_in : bool
        A third bit of the lowest weight enters as carry.
    takes : tuple of int
        Bits taken at each position from ``weight`` upwards, 1 or 2, without the carry-in.
    """

    weight: int
    carry_in: bool
    takes: tuple[int, ...]


Stage = tuple[Field, ...]
"""Adders between two registers; bits that none of them takes wait."""


def _next_stage(heights: list[int], share: float) -> Stage:
    """Return adders for a heap; at most about ``share`` of the bits of a weight start one.

    An adder of n positions removes n bits, but costs a position more for its carry; so it should
    be wide, and bits of the lowest weight are better kept as carry-ins of later, wider adders
    than all added at once.
    """
    left = list(heights)
    closing = max(heights) <= 3
    fields: list[Field] = []
    while True:
        starts = [
            w
            for w, count in enumerate(left)
            if (count >= 3 and heights[w] - count < share * heights[w]) or (closing and count == 2)
        ]
        if not starts:
            return tuple(fields)
        weight = starts[0]
        carry_in = left[weight] >= 3
        takes = [2]
        left[weight] -= 2 + carry_in
        # The last adders run through single bits too: their carries have to arrive somewhere.
        enough = 1 if closing else 2
        for w in range(weight + 1, len(left)):
            if left[w] < enough:
                break
            takes.append(min(2, left[w]))
            left[w] -= takes[-1]
        fields.append(Field(weight, carry_in, tuple(takes)))


def _apply(heights: list[int], stage: Stage) -> list[int]:
    """Return the heap after a stage."""
    result = [*heights, 0]
    for field in stage:
        result[field.weight] -= field.carry_in
        for position, taken in enumerate(field.takes):
            result[field.weight + position] += 1 - taken
        result[field.weight + len(field.takes)] += 1
    return result if result[-1] else result[:-1]


@cache
def heap_plan(heights: Sequence[int]) -> tuple[Stage, ...]:
    """Return the stages that leave one bit of every weight.

    Of several greedy plans, the one with the fewest adder positions is taken, and of these the
    one with the fewest stages. For 2**n - 1 bits of one weight it has 2**n - 1 - n full adders and
    one more position for each of 2**(n-1) - 1 carries; fewer are not possible with adders that
    take two bits a position.

    Parameters
    ----------
    heights : tuple of int
        Number of bits of each binary weight, from weight 0.

    Returns
    -------
    tuple of tuple of Field
        Empty when there is nothing to add.
    """
    best: tuple[int, int] | None = None
    chosen: tuple[Stage, ...] = ()
    for percent in range(20, 101, 2):
        rest, stages = list(heights), []
        while max(rest) > 1:
            stages.append(_next_stage(rest, percent / 100))
            rest = _apply(rest, stages[-1])
        positions = sum(len(field.takes) + 1 for stage in stages for field in stage)
        if best is None or (positions, len(stages)) < best:
            best, chosen = (positions, len(stages)), tuple(stages)
    return chosen
