"""Reference of :class:`sme_hw.bus.uart_transmitter.UartTransmitter`."""

from collections.abc import Iterable
from math import ceil

from sme_hw.bus.bit_clock import bit_step

__all__ = ["uart_transmitter"]


def uart_transmitter(content: Iterable[int], divisor: float) -> list[int]:
    """Return the level of the line in each clock, from the clock after the first byte was taken.

    Bytes that follow each other are one clock apart, in which the next one is taken.
    """
    bits, step = bit_step(divisor)
    ends = [ceil(k * 2**bits / step) for k in range(11)]
    levels = []
    for byte in content:
        for k, bit in enumerate([0, *(byte >> n & 1 for n in range(8)), 1]):
            levels += [bit] * (ends[k + 1] - ends[k])
        levels.append(1)
    return levels
