"""A host and a bridge, in Amaranth's simulator, with a bad line between them."""

import random
from typing import Any

from tests.serial_host import Host
from tests.serial_line import LineEar, damaged, levels
from tests.support import Packed

__all__ = ["ByteLine", "Dialogue", "UartLine"]

BYTE_CLOCKS = 10
"""Clocks from byte to byte without a UART."""


class ByteLine:
    """Bytes without a UART, one at a time, and the bridge's with random stalls."""

    def __init__(self, generator: random.Random):
        self.generator = generator
        self.waiting: list[int] = []

    def send(self, content: bytes) -> None:
        """Put bytes on the line."""
        for byte in content:
            self.waiting += [byte, *[-1] * (BYTE_CLOCKS - 1)]

    @property
    def sending(self) -> bool:
        """There are bytes that have not been sent."""
        return bool(self.waiting)

    def drive(self) -> dict[str, int]:
        """Return the bridge's inputs of this clock."""
        byte = self.waiting.pop(0) if self.waiting else -1
        ready = int(self.generator.random() < 0.8)
        return {"rx_valid": int(byte >= 0), "rx_data": max(byte, 0), "tx__ready": ready}

    def hear(self, shown: dict[str, int], driven: dict[str, int]) -> bytes:
        """Return what has come from the bridge."""
        came = shown["tx__valid"] and driven["tx__ready"]
        return bytes([shown["tx__payload"]]) if came else b""


class UartLine:
    """Levels; the host's baud rate is off, and there are glitches in the midst of its bits."""

    def __init__(self, generator: random.Random, divisor: float, off: float):
        self.generator = generator
        self.bit = divisor * (1 + off)
        self.waiting: list[int] = []
        self.ear = LineEar(self.bit)

    def send(self, content: bytes) -> None:
        """Put bytes on the line, with a gap now and then."""
        for byte in content:
            gap = self.generator.choice((0, 0, 0, 2.5 * self.bit))
            line = levels([byte], self.bit, phase=self.generator.random(), gap=gap)
            if self.generator.random() < 0.2:
                line[int((self.generator.randrange(10) + 0.5) * self.bit)] ^= 1
            self.waiting += line

    @property
    def sending(self) -> bool:
        """There are levels that have not been shown."""
        return bool(self.waiting)

    def drive(self) -> dict[str, int]:
        """Return the bridge's input of this clock."""
        return {"rx": self.waiting.pop(0) if self.waiting else 1}

    def hear(self, shown: dict[str, int], driven: dict[str, int]) -> bytes:
        """Return what has come from the bridge."""
        self.ear.hear(shown["tx"])
        came = bytes(self.ear.received)
        self.ear.received.clear()
        return came


class Dialogue:
    """What passes all ports of a bench while a host asks.

    Parameters
    ----------
    bench : Packed
    line : ByteLine or UartLine
    results : sequence of int
        Beats to offer.
    stall : float
        Probability with which streams of the unit pause in a clock.
    damage : float
        Probability with which a byte is damaged, in either direction.
    generator : random.Random
    """

    def __init__(
        self,
        bench: Packed,
        line: ByteLine | UartLine,
        results: list[int],
        *,
        stall: float,
        damage: float,
        generator: random.Random,
    ):
        self.bench = bench
        self.line = line
        self.results = list(results)
        self.stall = stall
        self.damage = damage
        self.generator = generator
        self.program: list[int] = []
        self.inputs: list[int] = []
        self.writes: list[tuple[int, int]] = []
        self.corrupt_frames = 0

    async def run(self, ctx: Any, host: Host, clocks: int) -> None:
        """Let the host ask until it is done and all has been taken, for so many clocks at most."""
        offered = False
        quiet = 0
        bench = self.bench
        for _ in range(clocks):
            request = host.ask(self.line.sending)
            if request:
                self.line.send(damaged(self.generator, request, self.damage))
            driven = self.line.drive()
            offered = bool(self.results) and (offered or self._goes())
            driven |= {"o__valid": int(offered), "program__ready": int(self._goes())}
            driven |= {"i__ready": int(self._goes())}
            driven["o__payload"] = self.results[0] if offered else 0
            ctx.set(bench.inputs, bench.pattern(driven))
            shown = bench.shown(ctx.get(bench.outputs))
            for byte in damaged(self.generator, self.line.hear(shown, driven), self.damage):
                host.hear(byte)
            if offered and shown["o__ready"]:
                self.results.pop(0)
                offered = False
            if shown["program__valid"] and driven["program__ready"]:
                self.program.append(shown["program__payload"])
            if shown["i__valid"] and driven["i__ready"]:
                self.inputs.append(shown["i__payload"])
            if shown["wrote"]:
                self.writes.append((shown["written_address"], shown["written_word"]))
            self.corrupt_frames = shown["corrupt_frames"]
            await ctx.tick()
            # Units may still be on their way when the last response has come.
            quiet = quiet + 1 if host.done else 0
            if quiet == 2000:
                return
        raise AssertionError(f"the host still waits for {host.requests[:2]}")

    def _goes(self) -> bool:
        return self.generator.random() >= self.stall
