"""Plays the phases of a case, whatever simulates the component.

A runner asks, for every clock: what to drive (:meth:`drive`), what to drive besides now that
outputs have settled (:meth:`react`), and whether outputs are as expected (:meth:`check`).
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from .case import Clocked, Expected, Phase, Port, Streams

__all__ = ["ClockedPlayer", "Player", "StreamPlayer", "players"]

PATIENCE = 1000
"""Clocks without any transfer, and without a stream on hold, after which a phase has failed."""

DRAIN = 32
"""Clocks after the last transfer in which nothing more may come; what was reserved arrives."""

Read = Callable[[str], int]
"""Reads an output port."""


def players(
    phases: Sequence[Phase], ports: Mapping[str, Port], *, seed: int, stall: float
) -> Iterator["Player"]:
    """Yield a player for every phase.

    Parameters
    ----------
    phases : sequence of Phase
    ports : mapping of str to Port
    seed : int
    stall : float
        Probability with which a stream pauses in a clock.
    """
    generator = random.Random(seed)
    for phase in phases:
        if isinstance(phase, Clocked):
            yield ClockedPlayer(phase)
        else:
            yield StreamPlayer(phase, ports, generator, stall)


def _differences(read: Read, expected: Expected) -> list[str]:
    """Describe the ports that do not show what is expected."""
    texts = []
    for port, wanted in expected.items():
        shown = read(port)
        if not isinstance(wanted, int):
            wanted, bits = wanted
            shown &= (1 << bits) - 1
        if shown != wanted:
            texts.append(f"{port} is {shown:#x}, not {wanted:#x}")
    return texts


class ClockedPlayer:
    """Plays :class:`Clocked`."""

    reacts = False

    def __init__(self, phase: Clocked):
        self.phase = phase
        self.clock = 0

    @property
    def done(self) -> bool:
        """All clocks were played."""
        return self.clock == len(self.phase.clocks)

    def drive(self) -> dict[str, int]:
        """Return the inputs that change."""
        return dict(self.phase.clocks[self.clock][0])

    def react(self, read: Read) -> dict[str, int]:
        """Return nothing: everything is known beforehand."""
        return {}

    def check(self, read: Read) -> None:
        """Compare outputs just before the clock edge."""
        wrong = _differences(read, self.phase.clocks[self.clock][1])
        assert not wrong, f"{self.phase.name}, clock {self.clock}: {'; '.join(wrong)}"
        self.clock += 1


class StreamPlayer:
    """Plays :class:`Streams`."""

    def __init__(
        self, phase: Streams, ports: Mapping[str, Port], generator: random.Random, stall: float
    ):
        self.phase = phase
        self.ports = ports
        self.generator = generator
        self.stall = stall
        self.reacts = phase.credited is not None
        self.clock = 0
        self.last_transfer = 0
        self.waves_end = max((len(wave) for wave in phase.waves.values()), default=0)
        self.transfers: dict[str, list[int]] = {
            name: [] for name in (*phase.sends, *phase.receives, *phase.flows)
        }
        self.counts = {
            name: len(items)
            for group in (phase.sends, phase.receives, phase.flows)
            for name, items in group.items()
        }
        if phase.credited:
            self.transfers[phase.credited.reserve] = []
            self.counts[phase.credited.reserve] = len(phase.credited.payloads)
        self.offered = dict.fromkeys(phase.sends, False)
        self.accepting = dict.fromkeys(phase.receives, False)
        self.reserving = False
        self.refused: dict[str, int | None] = {}

    @property
    def complete(self) -> bool:
        """Everything was transferred, and waves have ended."""
        counts = {name: len(self.transfers[name]) for name in self.counts}
        return counts == self.counts and self.clock >= self.waves_end

    @property
    def last_event(self) -> int:
        """Clock of the last transfer, or the end of waves if that is later."""
        return max(self.last_transfer, self.waves_end)

    @property
    def done(self) -> bool:
        """Everything was transferred, and nothing came after it."""
        return self.complete and self.clock > self.last_event + DRAIN

    def _goes(self) -> bool:
        return self.generator.random() >= self.stall

    def _started(self, name: str) -> bool:
        """Tell whether the stream that ``name`` waits for was sent."""
        other = self.phase.after.get(name)
        return other is None or len(self.transfers[other]) == self.counts[other]

    def _junk(self, port: str) -> int:
        return self.generator.getrandbits(self.ports[port].width)

    def _fail(self, text: str) -> None:
        raise AssertionError(f"{self.phase.name}, clock {self.clock}: {text}")

    def drive(self) -> dict[str, int]:
        """Return the inputs of this clock."""
        phase = self.phase
        # In its last clock a phase leaves its inputs idle for the next one.
        closing = self.complete and self.clock == self.last_event + DRAIN
        values = dict(phase.levels) if self.clock == 0 else {}
        for name, items in phase.sends.items():
            sent = len(self.transfers[name])
            # An offer stands until it is taken.
            offers = sent < len(items) and self._started(name)
            self.offered[name] = offers and (self.offered[name] or self._goes())
            values[f"{name}__valid"] = int(self.offered[name])
            if (payload := f"{name}__payload") in self.ports:
                values[payload] = items[sent] if self.offered[name] else self._junk(payload)
        for name, items in phase.receives.items():
            ready = self._goes() and self.clock >= phase.holds.get(name, 0)
            ends = name in phase.unfinished and len(self.transfers[name]) == len(items)
            self.accepting[name] = ready and not ends and not closing
            values[f"{name}__ready"] = int(self.accepting[name])
        for name, wave in phase.waves.items():
            if self.clock < len(wave):
                values[name] = wave[self.clock]
        for name in phase.random:
            values[name] = int(self._goes() and not closing)
        if credited := phase.credited:
            # What was reserved `latency` clocks ago arrives now.
            reserved = self.transfers[credited.reserve]
            values[credited.reserve] = 0
            values[credited.valid] = int(self.clock - credited.latency in reserved)
            for items, early in ((credited.payloads, 0), (credited.announced, 1)):
                due = self.clock + early - credited.latency
                if due in reserved and items:
                    values |= items[reserved.index(due)]
                else:
                    values |= {port: self._junk(port) for item in items[:1] for port in item}
        return values

    def react(self, read: Read) -> dict[str, int]:
        """Reserve if there is room."""
        credited = self.phase.credited
        if not credited:
            return {}
        wanted = len(self.transfers[credited.reserve]) < len(credited.payloads) and self._goes()
        self.reserving = wanted and bool(read(credited.room))
        return {credited.reserve: int(self.reserving)}

    def check(self, read: Read) -> None:
        """Note transfers and compare payloads just before the clock edge."""
        for name, valid in self.offered.items():
            if valid and read(f"{name}__ready"):
                self._transfer(name)
                self.offered[name] = False
        if self.reserving and self.phase.credited:
            self._transfer(self.phase.credited.reserve)
        for name, items in self.phase.receives.items():
            self._check_stream(name, items, read)
        for name, expected in self.phase.flows.items():
            if not read(name):
                continue
            if len(self.transfers[name]) == len(expected):
                self._fail(f"{name} is set once more than expected")
            wrong = _differences(read, expected[len(self.transfers[name])])
            if wrong:
                self._fail(f"{name} number {len(self.transfers[name])}: {'; '.join(wrong)}")
            self._transfer(name)
        waited_since = max(self.last_event, *self.phase.holds.values(), 0)
        if not self.complete and self.clock > waited_since + PATIENCE:
            missing = {n: c - len(self.transfers[n]) for n, c in self.counts.items()}
            self._fail(f"nothing moves, still missing: {missing}")
        self.clock += 1
        if self.done and self.stall == 0:
            self._check_spans()

    def _transfer(self, name: str) -> None:
        self.transfers[name].append(self.clock)
        self.last_transfer = self.clock

    def _check_stream(self, name: str, items: Sequence[int], read: Read) -> None:
        """Check the rules of an output stream, and its payload if it is transferred."""
        valid = read(f"{name}__valid")
        has_payload = f"{name}__payload" in self.ports
        payload = read(f"{name}__payload") if valid and has_payload else None
        if name in self.refused:
            if not valid:
                self._fail(f"{name}__valid fell before the transfer")
            if payload != self.refused[name]:
                self._fail(f"{name}__payload changed before the transfer")
            del self.refused[name]
        if not valid:
            if self.clock + 1 == self.phase.holds.get(name):
                self._fail(f"{name}__valid seems to wait for ready")
            return
        if not self.accepting[name]:
            self.refused[name] = payload
            return
        number = len(self.transfers[name])
        if number == len(items):
            self._fail(f"{name} sends more than expected")
        if has_payload and payload != items[number]:
            self._fail(f"{name} number {number} is {payload:#x}, not {items[number]:#x}")
        self._transfer(name)

    def _check_spans(self) -> None:
        for span in self.phase.spans:
            (first, i), (last, j) = span.first, span.last
            clocks = self.transfers[last][j] - self.transfers[first][i]
            if clocks != span.clocks:
                self._fail(f"{first}[{i}] to {last}[{j}] took {clocks} clocks, not {span.clocks}")


Player = ClockedPlayer | StreamPlayer
