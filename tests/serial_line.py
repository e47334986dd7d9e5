"""A serial line in software: bytes become levels at any baud rate, and levels bytes again."""

import random
from collections.abc import Iterable, Sequence
from math import floor

__all__ = ["LineEar", "damaged", "levels"]


def levels(
    content: Iterable[int], bit: float, *, phase: float = 0.0, gap: float = 0.0
) -> list[int]:
    """Return the level at each clock of bytes with one stop bit, lowest bit first.

    Parameters
    ----------
    content : iterable of int
    bit : float
        Clocks a bit.
    phase : float
        Clocks before the first byte.
    gap : float
        Clocks between bytes.
    """
    shown = [1] * floor(phase)
    time = phase
    for byte in content:
        for value in (0, *(byte >> n & 1 for n in range(8)), 1):
            time += bit
            shown += [value] * (floor(time) - len(shown))
        time += gap
        shown += [1] * (floor(time) - len(shown))
    return shown


class LineEar:
    """Receives bytes, from one level a clock.

    Parameters
    ----------
    bit : float
        Clocks a bit.
    """

    def __init__(self, bit: float):
        self.bit = bit
        self.received = bytearray()
        self.clock = 0
        self._start: int | None = None
        self._bits: list[int] = []

    def hear(self, level: int) -> None:
        """Take the level of the next clock."""
        self.clock += 1
        if self._start is None:
            if not level:
                self._start, self._bits = self.clock, []
            return
        if self.clock < self._start + (len(self._bits) + 0.5) * self.bit:
            return
        self._bits.append(level)
        if len(self._bits) == 10:
            assert self._bits[0] == 0, "a start bit is too short"
            assert self._bits[9] == 1, "there is no stop bit"
            self.received.append(sum(b << n for n, b in enumerate(self._bits[1:9])))
            self._start = None


def damaged(generator: random.Random, content: Sequence[int], rate: float) -> bytes:
    """Return bytes some of which were lost, repeated, changed, or have others before them."""
    line = bytearray()
    for byte in content:
        if generator.random() >= rate:
            line.append(byte)
            continue
        kind = generator.randrange(4)
        if kind == 1:
            line += bytes([byte, byte])
        elif kind == 2:
            line.append(byte ^ 1 << generator.randrange(8))
        elif kind == 3:
            line += bytes([generator.randrange(256), byte])
    return bytes(line)
