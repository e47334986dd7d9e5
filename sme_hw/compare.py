"""Comparison with constants, without carry chains."""

from amaranth import Const, Value

__all__ = ["at_least"]


def at_least(value: Value, limit: int) -> Value:
    """Return whether an unsigned value is at least a constant, without a carry chain.

    On an FPGA, a carry chain costs more than such a comparison.
    """
    width = (limit - 1).bit_length() if limit else 0
    if len(value) < width or (len(value) == width and limit == 1 << width):
        return Const(0, 1)
    result: Value = value[width:].any() if len(value) > width else Const(0, 1)
    low: Value = Const(1, 1)
    for i in range(width):
        bit_of_limit = limit >> i & 1
        low = value[i] & low if bit_of_limit else value[i] | low
    return result | low if limit < 1 << width else result
