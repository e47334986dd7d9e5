"""Cases of :class:`sme_hw.bus.uart_receiver.UartReceiver`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.uart_receiver import uart_receiver
from sim.golden.uart_transmitter import uart_transmitter
from sme_hw.bus.uart_receiver import UartReceiver

from .case import SEED, Case, Clocked
from .uart_transmitter import DIVISORS

__all__ = ["cases"]

BYTES = 12


def _line(rng: np.random.Generator, divisor: float) -> list[int]:
    """Return bytes, then bytes amid glitches, then levels of random lengths and a break."""
    content = [0x00, 0xFF, *rng.integers(256, size=BYTES).tolist()]
    good = np.array(uart_transmitter(content, divisor))
    noisy = good ^ (rng.random(len(good)) < 0.1)
    lengths = rng.integers(1, int(12 * divisor), size=10)
    wild = np.repeat(np.arange(len(lengths)) % 2, lengths)
    silence = np.ones(int(20 * divisor), int)
    parts = (silence, good, silence, noisy, silence, wild, np.zeros_like(silence), silence, good)
    return np.concatenate([*parts, silence]).tolist()


def cases() -> Iterator[Case]:
    """Yield one case per divisor."""
    rng = np.random.default_rng(SEED)
    for divisor in DIVISORS:
        levels = _line(rng, divisor)
        received = dict(uart_receiver(levels, divisor))
        assert None in received.values()
        clocks = []
        for clock, level in enumerate(levels):
            expected = {"valid": 0, "error": 0}
            if clock in received:
                data = received[clock]
                expected = {"error": 1} if data is None else {"valid": 1, "data": data}
            clocks.append(({"rx": level}, expected))
        yield Case(
            f"uart_receiver-{divisor:.3g}",
            lambda divisor=divisor: UartReceiver(divisor=divisor),
            [Clocked("bytes, glitches and noise", clocks)],
        )
