"""Bits of a UART counted in clocks, which need not be a whole number."""

from math import ceil
from typing import NamedTuple

from ..errors import ParameterError

__all__ = ["DIVISOR_MAX", "DIVISOR_MIN", "BitStep", "bit_step"]

DIVISOR_MIN = 4
"""Clocks a bit; with fewer, three samples do not fit into a bit of a baud rate a little off."""

DIVISOR_MAX = 1 << 16

_ERROR_MAX = 0.001
"""Of the baud rate."""


class BitStep(NamedTuple):
    """An accumulator that overflows once a bit.

    Parameters
    ----------
    bits : int
        Its width.
    step : int
        What is added in each clock.
    """

    bits: int
    step: int


def bit_step(divisor: float) -> BitStep:
    """Return the narrowest accumulator whose rate is within 0.1 % of 1 / ``divisor`` a clock.

    Raises
    ------
    ParameterError
        For a divisor below 4 or above 65536.

    Examples
    --------
    >>> bit_step(104), bit_step(25 / 3)
    (BitStep(bits=17, step=1261), BitStep(bits=10, step=123))
    """
    number = isinstance(divisor, int | float) and not isinstance(divisor, bool)
    if not (number and DIVISOR_MIN <= divisor <= DIVISOR_MAX):
        allowed = f"clocks a bit, from {DIVISOR_MIN} to {DIVISOR_MAX}, are needed"
        raise ParameterError("divisor", divisor, allowed)
    bits = 2
    while True:
        # Rounded up: with as many clocks as there should be, it does overflow.
        step = ceil(2**bits / divisor)
        if step * divisor / 2**bits - 1 <= _ERROR_MAX:
            return BitStep(bits, step)
        bits += 1
