"""How a bit heap is added up: which bits every adder takes, stage by stage, in plain integers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, repeat

__all__ = ["Field", "Stage", "heap_plan", "wide_heap_plan"]


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
        Bits taken at each position from ``weight`` upwards, without the carry-in: 1 or 2, or in
        wide plans 0 to 3. With three bits, two carries go to the next position; the second one
        counts as one of its bits, and none is left at the end.
    """

    weight: int
    carry_in: bool
    takes: tuple[int, ...]


Stage = tuple[Field, ...]
"""Adders between two registers; bits that none of them takes wait."""


def _next_stage(heights: list[int], share: float, most: int) -> Stage:
    """Return adders for a heap; at most about ``share`` of the bits of a weight start one.

    An adder of n positions removes n bits, but costs a position more for its carry; so it should
    be wide, and bits of the lowest weight are better kept as carry-ins of later, wider adders
    than all added at once.
    """
    left = list(heights)
    closing = max(heights) <= most + 1
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
        left[weight] -= carry_in
        fields.append(Field(weight, carry_in, _take(left, weight, most, closing)))


def _take(left: list[int], weight: int, most: int, closing: bool) -> tuple[int, ...]:
    """Remove the bits of an adder from a heap; returns how many at each position."""
    # The last adders run through single bits too: their carries have to arrive somewhere.
    enough = 1 if closing else 2
    takes: list[int] = []
    second_carry = False
    above = [*left[weight:], 0, 0]
    for w, (here, next_) in enumerate(pairwise(above), weight):
        if takes and not second_carry and here < enough:
            break
        taken = min(most - second_carry, here)
        if taken + second_carry == 3 and not (next_ or closing):
            taken -= 1  # a position for the second carry alone would gain nothing
        second_carry = taken + second_carry == 3
        takes.append(taken)
        if taken:
            left[w] -= taken
    return tuple(takes)


def _apply(heights: list[int], stage: Stage) -> list[int]:
    """Return the heap after a stage."""
    result = [*heights, 0, 0]
    for field in stage:
        result[field.weight] -= field.carry_in
        for position, taken in enumerate(field.takes):
            result[field.weight + position] += 1 - taken
        result[field.weight + len(field.takes)] += 1
    while not result[-1]:
        result.pop()
    return result


def _stages(heights: Sequence[int], shares: Iterable[float], most: int) -> tuple[Stage, ...]:
    """Return a greedy plan, one stage for each share at most."""
    rest, stages = list(heights), []
    for share in shares:
        if max(rest) <= 1:
            break
        stages.append(_next_stage(rest, share, most))
        rest = _apply(rest, stages[-1])
    return tuple(stages) if max(rest) <= 1 else ()


def _positions(plan: Iterable[Stage]) -> int:
    """Return the adder positions of a plan, those for carries included."""
    return sum(len(field.takes) + 1 for stage in plan for field in stage)


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
    plans = [_stages(heights, repeat(percent / 100), 2) for percent in range(20, 101, 2)]
    return min(plans, key=lambda plan: (_positions(plan), len(plan)))


@cache
def wide_heap_plan(heights: Sequence[int]) -> tuple[Stage, ...]:
    """Return as many stages as :func:`heap_plan`, of adders that may take three bits a position.

    Wide adders need bits of several weights, which are only there once some were added: greedy
    plans that begin with few adders and end with many are tried too. With 128 bits of one weight
    the best has 169 positions; an integer program says that 167 are needed, and 191 with adders
    that take two.

    Parameters
    ----------
    heights : tuple of int
        Number of bits of each binary weight, from weight 0.

    Returns
    -------
    tuple of tuple of Field
        Stages without adders may come last.
    """
    narrow = heap_plan(heights)
    count = len(narrow)
    plans = [narrow]
    for first in range(4, 101, 2):
        for last in range(first, 101, 4):
            step = (last - first) / max(1, count - 1)
            plans.append(_stages(heights, ((first + i * step) / 100 for i in range(count)), 3))
    best = min(filter(None, plans), key=_positions, default=())
    return best + ((),) * (count - len(best))
