"""Long dialogues of a host and a bridge over bad lines: everything exactly once, in order."""

import random
from typing import Any

import pytest
from amaranth import ResetInserter, Signal

from sme_hw.bus.link_format import Kind
from sme_hw.bus.link_params import LinkParams
from tests.cases.bridge_bench import READ_ONLY, WRITABLE, BridgeBench, Registers
from tests.cases.case import SEED
from tests.cases.values import join
from tests.serial_dialogue import ByteLine, Dialogue, UartLine
from tests.serial_host import Host, LinkError, Request
from tests.support import Packed, simulate

LINK = LinkParams(
    frame_bytes=32, input_beat_bytes=3, dest_bits=2, result_beat_bytes=5, address_bits=4
)

DIVISOR = 25 / 6

PATIENCE = 600
"""Clocks that the longest response takes to come, in bytes."""

UART_PATIENCE = 1500
"""The same through UARTs."""

CLOCKS = 60_000


class Wish:
    """Random requests, and what must come of them.

    Parameters
    ----------
    generator : random.Random
    count : int
        Number of requests.
    """

    def __init__(self, generator: random.Random, count: int):
        self.requests: list[Request] = []
        self.program: list[int] = []
        self.inputs: list[int] = []
        self.results: list[tuple[bytes, bool]] = []
        self.read: list[bytes] = []
        self.registers = Registers()
        for _ in range(count):
            kind = generator.choice([k for k in Kind if k != Kind.CONNECT])
            getattr(self, f"_{kind.name.lower()}")(generator)

    def _read(self, generator: random.Random) -> None:
        first = generator.randrange(READ_ONLY.stop - 2)
        words = [self.registers(first + k, None) for k in range(generator.randrange(1, 3))]
        self.read.append(b"".join((word or 0).to_bytes(4, "little") for word in words))
        self.requests.append((Kind.READ, len(words), bytes([first, 0])))

    def _write(self, generator: random.Random) -> None:
        first = generator.randrange(WRITABLE.stop - 2)
        words = [generator.getrandbits(32) for _ in range(generator.randrange(1, 3))]
        for address, word in enumerate(words, first):
            self.registers(address, word)
        payload = b"".join(word.to_bytes(4, "little") for word in words)
        self.requests.append((Kind.WRITE, 0, bytes([first, 0]) + payload))

    def _program(self, generator: random.Random) -> None:
        payload = generator.randbytes(4 * generator.randrange(1, 7))
        self.program += [
            int.from_bytes(payload[k : k + 4], "little") for k in range(0, len(payload), 4)
        ]
        self.requests.append((Kind.PROGRAM, 0, payload))

    def _input(self, generator: random.Random) -> None:
        dest = generator.randrange(4)
        payload = generator.randbytes(3 * generator.randrange(1, 9))
        self.inputs += [
            join((int.from_bytes(payload[k : k + 3], "little"), 24), (dest, 2))
            for k in range(0, len(payload), 3)
        ]
        self.requests.append((Kind.INPUT, dest, payload))

    def _results(self, generator: random.Random) -> None:
        beats = [(generator.randbytes(5), generator.random() < 0.5) for _ in range(3)]
        self.results += beats
        self.requests.append((Kind.RESULTS, len(beats), b""))

    @property
    def beats(self) -> list[int]:
        """The results as the unit offers them."""
        return [join((int.from_bytes(b, "little"), 40), (last, 1)) for b, last in self.results]

    def check(self, dialogue: Dialogue, host: Host) -> None:
        """Compare everything that has passed."""
        assert dialogue.program == self.program
        assert dialogue.inputs == self.inputs
        assert dialogue.writes == self.registers.writes
        read = [r.payload for r in host.responses if r.kind == Kind.READ | 0x80]
        assert read == self.read
        assert b"".join(payload for payload, _ in host.results) == b"".join(
            beat for beat, _ in self.results
        )
        beats = iter(self.results)
        for payload, ended in host.results:
            ends = [next(beats)[1] for _ in range(len(payload) // 5)]
            assert ended == bool(ends and ends[-1])
        assert not dialogue.results


def _host(generator: random.Random, wish: Wish, patience: int = PATIENCE) -> Host:
    return Host(
        wish.requests,
        beat_bytes=LINK.result_beat_bytes,
        patience=patience,
        generator=generator,
    )


@pytest.mark.parametrize(
    ("damage", "stall", "patience"),
    [(0.0, 0.0, PATIENCE), (0.02, 0.5, PATIENCE), (0.01, 0.99, 150)],
)
def test_bytes(damage: float, stall: float, patience: int) -> None:
    """Bytes are lost, repeated, changed and added; the unit is slow; the host is impatient."""
    generator = random.Random(SEED)
    wish = Wish(generator, 40)
    bench = Packed(BridgeBench(link=LINK))
    dialogue = Dialogue(
        bench, ByteLine(generator), wish.beats, stall=stall, damage=damage, generator=generator
    )
    host = _host(generator, wish, patience)

    async def testbench(ctx: Any) -> None:
        await dialogue.run(ctx, host, CLOCKS)

    simulate(bench, testbench)
    wish.check(dialogue, host)
    assert (dialogue.corrupt_frames > 0) == (damage > 0)
    assert (host.repeated > 0) == (damage > 0)


@pytest.mark.parametrize("off", [-0.025, 0.025])
def test_uart(off: float) -> None:
    """The same through UARTs of different baud rates, with glitches on the line."""
    generator = random.Random(SEED)
    wish = Wish(generator, 7)
    bench = Packed(BridgeBench(link=LINK, divisor=DIVISOR))
    line = UartLine(generator, DIVISOR, off)
    dialogue = Dialogue(bench, line, wish.beats, stall=0.5, damage=0.01, generator=generator)
    host = _host(generator, wish, UART_PATIENCE)

    async def testbench(ctx: Any) -> None:
        await dialogue.run(ctx, host, CLOCKS)

    simulate(bench, testbench)
    wish.check(dialogue, host)
    assert dialogue.corrupt_frames
    assert host.repeated


def test_flush() -> None:
    """What a stream has not taken is dropped, and nothing else; then there is room again."""
    generator = random.Random(SEED)
    bench = Packed(BridgeBench(link=LINK))
    dropped: Request = (Kind.INPUT, 1, generator.randbytes(6))
    wish = Wish(generator, 8)

    async def testbench(ctx: Any) -> None:
        for flushed in (True, False):
            line = ByteLine(generator)
            host = Host([dropped], beat_bytes=5, patience=PATIENCE, generator=generator)
            never = Dialogue(bench, line, [], stall=1.0, damage=0.0, generator=generator)
            await never.run(ctx, host, CLOCKS)
            ctx.set(bench.inputs, bench.pattern({"flush": int(flushed)}))
            await ctx.tick()
            ctx.set(bench.inputs, 0)
            await ctx.tick()
            assert bench.shown(ctx.get(bench.outputs))["i__valid"] == (not flushed)
            if flushed:
                host = _host(generator, wish)
                dialogue = Dialogue(
                    bench, line, wish.beats, stall=0.0, damage=0.0, generator=generator
                )
                await dialogue.run(ctx, host, CLOCKS)
                wish.check(dialogue, host)

    simulate(bench, testbench)


def test_reset() -> None:
    """After a reset at any time the host is told; what it then asks anew is done as ever."""
    generator = random.Random(SEED)
    bench = Packed(BridgeBench(link=LINK))
    reset = Signal()

    async def testbench(ctx: Any) -> None:
        for _ in range(3):
            wish = Wish(generator, 60)
            host = _host(generator, wish)
            line = ByteLine(generator)
            dialogue = Dialogue(bench, line, wish.beats, stall=0.5, damage=0.0, generator=generator)
            with pytest.raises(AssertionError, match="still waits"):
                await dialogue.run(ctx, host, generator.randrange(2000, 4000))
            asked = len(host.responses)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            with pytest.raises(LinkError, match="NOT_CONNECTED"):
                await dialogue.run(ctx, host, CLOCKS)
            # Of a response, only the end may have been missing.
            assert len(host.responses) - asked in (0, 1)
            # A fresh one.
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            wish = Wish(generator, 5)
            host = _host(generator, wish)
            line.waiting.clear()
            dialogue = Dialogue(bench, line, wish.beats, stall=0.5, damage=0.0, generator=generator)
            await dialogue.run(ctx, host, CLOCKS)
            wish.check(dialogue, host)

    simulate(ResetInserter(reset)(bench), testbench)
