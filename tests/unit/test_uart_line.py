"""The UART on lines that are not as they should be."""

import random
from typing import Any

import pytest

from sim.golden.uart_transmitter import uart_transmitter
from sme_hw.bus.bit_clock import DIVISOR_MAX, bit_step
from sme_hw.bus.uart_receiver import UartReceiver
from sme_hw.errors import ParameterError
from tests.cases.case import SEED
from tests.serial_line import LineEar, levels
from tests.support import simulate

BYTES = 10

DIVISORS = (4, 4.34, 25 / 3)


def _hear(divisor: float, line: list[int]) -> tuple[bytes, int]:
    """Return the bytes that the receiver has of a line, and the number of errors."""
    receiver = UartReceiver(divisor=divisor)
    received, errors = bytearray(), 0

    async def testbench(ctx: Any) -> None:
        nonlocal errors
        ctx.set(receiver.rx, 1)
        await ctx.tick().repeat(8)
        for level in [*line, *[1] * int(12 * divisor)]:
            ctx.set(receiver.rx, level)
            if ctx.get(receiver.valid):
                received.append(ctx.get(receiver.data))
            errors += ctx.get(receiver.error)
            await ctx.tick()

    simulate(receiver, testbench)
    return bytes(received), errors


@pytest.mark.parametrize("divisor", DIVISORS)
@pytest.mark.parametrize("off", [-0.025, 0.0, 0.025])
def test_baud_rate_off(divisor: float, off: float) -> None:
    """Every byte arrives, back to back and with gaps, wherever in a clock it begins."""
    generator = random.Random(SEED)
    line: list[int] = []
    sent = bytes([0x00, 0xFF, *generator.randbytes(BYTES)])
    for k, byte in enumerate(sent):
        gap = generator.random() * (k % 2) * 3 * divisor
        line += levels([byte], divisor * (1 + off), phase=generator.random() * (k > 0), gap=gap)
    assert _hear(divisor, line) == (sent, 0)
    back_to_back = levels(sent, divisor * (1 + off), phase=0.4)
    assert _hear(divisor, back_to_back) == (sent, 0)


@pytest.mark.parametrize("divisor", DIVISORS)
def test_glitches(divisor: float) -> None:
    """A glitch of one clock in each bit, away from its edges, does no harm; nor in silence."""
    generator = random.Random(SEED)
    sent = generator.randbytes(BYTES)
    line = levels(sent, divisor)
    for bit in range(10 * BYTES):
        line[int((bit + 0.5) * divisor)] ^= 1
    silence = [1] * 40
    silence[20] = 0
    assert _hear(divisor, silence + line) == (sent, 0)


@pytest.mark.parametrize("divisor", DIVISORS)
def test_no_stop_bit(divisor: float) -> None:
    """A line that stays low is one error, however long; then bytes arrive again."""
    sent = random.Random(SEED).randbytes(4)
    quiet = [1] * int(2 * divisor)
    low = [0] * int(35 * divisor)
    line = [*levels(sent, divisor), *low, *quiet, *levels(sent, divisor)]
    assert _hear(divisor, line) == (sent + sent, 1)


def test_short_start_bit() -> None:
    """A line that is low for less than half a bit starts no byte."""
    sent = random.Random(SEED).randbytes(4)
    for clocks in range(1, 8):
        line = [*[0] * clocks, *[1] * 16, *levels(sent, 16)]
        assert _hear(16, line) == (sent, 0)


@pytest.mark.parametrize("divisor", [4, 4.34, 25 / 3, 104.17, 868.1])
def test_transmitted_bits(divisor: float) -> None:
    """Edges are where they should be, but for a clock and for 0.1 %."""
    sent = [0x55, 0xAA, 0x00]
    shown = uart_transmitter(sent, divisor)
    ear = LineEar(divisor)
    for level in shown:
        ear.hear(level)
    assert ear.received == bytes(sent)
    edges = [k for k in range(1, 9 * int(divisor)) if shown[k] != shown[k - 1]]
    ideal = [n * divisor for n in range(1, 1 + len(edges))]
    assert all(-0.001 * at - 0.01 <= edge - at <= 1 for edge, at in zip(edges, ideal, strict=True))


@pytest.mark.parametrize("divisor", [3.99, 0, -4, DIVISOR_MAX + 1, float("nan"), True, "8"])
def test_divisor_refused(divisor: Any) -> None:
    """There are no bits that short or long."""
    with pytest.raises(ParameterError, match=r"divisor = .* is not possible: clocks a bit"):
        bit_step(divisor)
