"""Reference of :class:`sme_hw.bus.uart_receiver.UartReceiver`."""

from collections.abc import Sequence

from sme_hw.bus.bit_clock import bit_step

__all__ = ["uart_receiver"]

_LATENCY = 6
"""Clocks from the first of three samples to what the filter makes of them."""


def uart_receiver(levels: Sequence[int], divisor: float) -> list[tuple[int, int | None]]:
    """Return clock and value of each byte; None for one without stop bit.

    Parameters
    ----------
    levels : sequence of int
        The line in each clock.
    divisor : float
        Clocks a bit.
    """
    padded = [1] * _LATENCY + list(levels)
    line = [int(sum(padded[t : t + 3]) >= 2) for t in range(len(levels))]
    bits, step = bit_step(divisor)
    middles = [-(-((2 * k + 1) * 2**bits - 2 * step) // (2 * step)) for k in range(10)]
    received: list[tuple[int, int | None]] = []
    clock = 0
    while True:
        while clock < len(line) and line[clock]:
            clock += 1
        if clock + middles[-1] + 1 >= len(line):
            return received
        start, *data, stop = (line[clock + middle] for middle in middles)
        if start:
            clock += middles[0] + 1
            continue
        clock += middles[-1] + 1
        received.append((clock, sum(bit << n for n, bit in enumerate(data)) if stop else None))
        while not stop and clock < len(line) and not line[clock]:
            clock += 1
        clock += not stop
