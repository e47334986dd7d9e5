"""Cases of :class:`sme_hw.bus.uart_transmitter.UartTransmitter`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.uart_transmitter import uart_transmitter
from sme_hw.bus.uart_transmitter import UartTransmitter

from .case import SEED, Case, Clocked, Expected, Values

__all__ = ["DIVISORS", "cases"]

DIVISORS = (4, 25 / 3, 13)
"""Clocks a bit: as few as can be, not a whole number, an odd one."""


def cases() -> Iterator[Case]:
    """Yield one case per divisor: bytes one after the other, and with pauses."""
    rng = np.random.default_rng(SEED)
    for divisor in DIVISORS:
        clocks: list[tuple[Values, Expected]] = []
        for gap in (0, 0, 3, 0, 1):
            content = [0x00, 0xFF, *rng.integers(256, size=2).tolist()]
            for byte in content:
                clocks.append(({"i__valid": 1, "i__payload": byte}, {"i__ready": 1, "tx": 1}))
                *busy, _ = uart_transmitter([byte], divisor)
                idle = {"i__valid": 0, "i__payload": 0x55}
                clocks += [(idle, {"i__ready": 0, "tx": level}) for level in busy]
            clocks += [({}, {"i__ready": 1, "tx": 1})] * gap
        yield Case(
            f"uart_transmitter-{divisor:.3g}",
            lambda divisor=divisor: UartTransmitter(divisor=divisor),
            [Clocked("bytes and pauses", clocks)],
        )
