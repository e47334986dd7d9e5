"""Bit patterns, and clocks for components of fixed latency."""

from collections.abc import Iterable, Mapping, Sequence

from .case import Clocked, Expected, Values

__all__ = ["join", "lanes", "pattern", "pipeline", "signed"]


def pattern(value: int, width: int) -> int:
    """Return the lowest ``width`` bits of an integer, also of a negative one."""
    return int(value) & (1 << width) - 1


def signed(value: int, width: int) -> int:
    """Return the two's complement of a value that must fit: ports are wide enough for any."""
    limit = 1 << width - 1
    assert -limit <= value < limit, f"{value} does not fit {width} bits"
    return pattern(value, width)


def join(*fields: tuple[int, int]) -> int:
    """Return the bit pattern of fields, given as (value, width), the first in the lowest bits."""
    total, offset = 0, 0
    for value, width in fields:
        total |= pattern(value, width) << offset
        offset += width
    return total


def lanes(values: Iterable[int], width: int) -> int:
    """Return the bit pattern of equally wide values, the first in the lowest bits."""
    return join(*((value, width) for value in values))


def pipeline(
    name: str, stimuli: Sequence[Values], responses: Sequence[Expected], latency: int
) -> Clocked:
    """Return clocks that drive one stimulus each; its response is due ``latency`` clocks later."""
    clocks: list[tuple[Values, Expected]] = []
    for k in range(len(stimuli) + latency):
        driven: Values = stimuli[k] if k < len(stimuli) else {}
        expected: Mapping = responses[k - latency] if k >= latency else {}
        clocks.append((driven, expected))
    return Clocked(name, clocks)
