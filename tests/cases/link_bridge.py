"""Cases of :class:`sme_hw.bus.link_bridge.LinkBridge`: requests, and all that comes of them."""

from collections.abc import Iterator

import numpy as np

from sim.golden.frame_receiver import frame_receiver
from sim.golden.frame_sender import frame_sender
from sim.golden.link_bridge import LinkBridge
from sim.golden.slip_decoder import slip_decoder
from sim.golden.slip_encoder import slip_encoder
from sme_hw.bus.link_format import Frame, Kind
from sme_hw.bus.link_params import LinkParams

from .bridge_bench import BridgeBench, Registers
from .case import SEED, Case, Streams
from .values import join

__all__ = ["LINKS", "cases", "header"]

LINKS = {
    "odd-beats": LinkParams(
        frame_bytes=32, input_beat_bytes=3, dest_bits=2, result_beat_bytes=5, address_bits=4
    ),
    "wide-beats": LinkParams(
        frame_bytes=64, input_beat_bytes=32, dest_bits=0, result_beat_bytes=1, address_bits=4
    ),
}

GAP = 10
"""Clocks from one byte to the next."""

SENT = 14
"""Clocks that suffice for a byte of a response if the stream stalls half of the time."""

EXECUTED = 60
"""Clocks that suffice for any request, but for its units to be taken."""

TAKEN = 5
"""Clocks that suffice for a byte of a unit if its stream stalls half of the time."""


def header(frame: Frame) -> bytes:
    """Return a frame without its CRC."""
    return bytes(frame[:3]) + frame.payload


class Script:
    """What is said to a bridge in one phase, and what must come of it.

    Parameters
    ----------
    model : LinkBridge
        The reference; it goes through the phases, too.
    """

    def __init__(self, model: LinkBridge):
        self.model = model
        self.line: list[int | None] = []
        self.said: list[int] = []
        self.results: list[int] = []
        self.writes = len(self._registers.writes)
        model.program.clear()
        model.inputs.clear()
        self.holds: dict[str, int] = {}

    @property
    def _registers(self) -> Registers:
        assert isinstance(self.model.access, Registers)
        return self.model.access

    def put(self, beat: bytes, last: bool) -> None:
        """Offer a beat of results from the phase's begin on."""
        self.model.results.append((beat, last))
        bits = 8 * len(beat)
        self.results.append(join((int.from_bytes(beat, "little"), bits), (last, 1)))

    def say(self, content: list[int]) -> None:
        """Send bytes, and wait for what comes back."""
        frames = frame_receiver(slip_decoder(content), self.model.link.frame_bytes)
        answers = [slip_encoder(frame_sender(header(self.model.respond(f)))) for f in frames]
        said = [byte for answer in answers for byte in answer]
        self.said += said
        for byte in content:
            self.line += [byte, *[None] * (GAP - 1)]
        self.line += [None] * (SENT * len(said) + EXECUTED + TAKEN * len(content))

    def ask(self, frame: Frame) -> None:
        """Send a request."""
        self.say(slip_encoder(frame_sender(header(frame))))

    def hold(self, name: str) -> None:
        """Let a stream wait until here."""
        self.holds[name] = len(self.line)
        self.line += [None] * (EXECUTED + TAKEN * self.model.link.frame_bytes)

    def phase(self, name: str) -> Streams:
        """Return the phase."""
        link = self.model.link
        beat_bits = 8 * link.input_beat_bytes
        inputs = [
            join((int.from_bytes(beat, "little"), beat_bits), (dest, link.dest_bits))
            for beat, dest in self.model.inputs
        ]
        return Streams(
            name,
            sends={"o": self.results},
            receives={"tx": self.said, "program": list(self.model.program), "i": inputs},
            flows={
                "wrote": [
                    {"written_address": address, "written_word": word}
                    for address, word in self._registers.writes[self.writes :]
                ],
            },
            holds=self.holds,
            waves={
                "rx_valid": [int(byte is not None) for byte in self.line],
                "rx_data": [byte or 0 for byte in self.line],
            },
        )


def _words(rng: np.random.Generator, count: int) -> bytes:
    return rng.bytes(4 * count)


def _beginning(rng: np.random.Generator, model: LinkBridge) -> Streams:
    """Return what comes before a connection, the connection, and good requests."""
    link = model.link
    script = Script(model)
    count = 2 + link.results_max + 1
    for k in range(count):
        script.put(rng.bytes(link.result_beat_bytes), k in (1, count - 1))
    script.ask(Frame(Kind.READ, 1, 1, bytes([8, 0])))
    script.ask(Frame(Kind.CONNECT, 254, 0, b"x"))
    script.ask(Frame(Kind.CONNECT, 254))
    script.ask(Frame(Kind.WRITE, 255, 0, bytes([3, 0]) + _words(rng, 3)))
    read = Frame(Kind.READ, 0, 4, bytes([4, 0]))
    for request in (read, read, read._replace(sequence=1, payload=bytes([9, 0]))):
        script.ask(request)
    # Two, of which the latter ends a vector; as many as fit; the last one; none.
    results = Frame(Kind.RESULTS, 2, 2)
    for request in (results, results, Frame(Kind.RESULTS, 3, 255), Frame(Kind.RESULTS, 4, 255)):
        script.ask(request)
    script.ask(Frame(Kind.RESULTS, 5, 255))
    script.ask(Frame(Kind.RESULTS, 6, 0))
    script.ask(Frame(Kind.PROGRAM, 7, 0, _words(rng, link.payload_max // 4)))
    beats = link.payload_max // link.input_beat_bytes
    script.ask(
        Frame(Kind.INPUT, 8, 2**link.dest_bits - 1, rng.bytes(beats * link.input_beat_bytes))
    )
    return script.phase("beginning")


def _waiting(rng: np.random.Generator, model: LinkBridge, held: str) -> Streams:
    """Return requests while words or beats wait for the stream that is held."""
    assert model.last
    sequence = model.last.sequence + 1
    beat = rng.bytes(model.link.input_beat_bytes)
    requests = {"program": (Kind.PROGRAM, _words(rng, 2)), "i": (Kind.INPUT, beat)}
    kind, payload = requests[held]
    script = Script(model)
    script.put(rng.bytes(model.link.result_beat_bytes), True)
    script.ask(Frame(kind, sequence, 0, payload))
    model.busy = True
    for other, content in requests.values():
        script.ask(Frame(other, sequence + 1, 0, content))
    script.ask(Frame(Kind.WRITE, sequence + 1, 0, bytes([0, 0]) + _words(rng, 1)))
    script.ask(Frame(kind, sequence + 2, 0, payload))
    script.ask(Frame(Kind.RESULTS, sequence + 2, 1))
    # A repeated one is not busy.
    script.ask(Frame(Kind.RESULTS, sequence + 2, 1))
    script.say([1, 2, 3, 0xC0])
    script.ask(Frame(Kind.READ, sequence + 3, 2, bytes([0, 0])))
    script.hold(held)
    model.busy = False
    script.ask(Frame(kind, sequence + 4, 0, payload[::-1]))
    return script.phase(f"{held} waits")


def _refused(rng: np.random.Generator, model: LinkBridge) -> Streams:
    """Return requests that make no sense, and registers that refuse."""
    script = Script(model)
    link = model.link
    assert model.last
    last = model.last.sequence
    script.say([0xC0, 0xC0, 0x00, 0xDB, 0xC0])
    word = _words(rng, 1)
    refused = [
        (Kind.READ, 1, bytes(1)),
        (Kind.READ, 1, bytes(3)),
        (Kind.READ, 0, bytes(2)),
        (Kind.READ, link.read_max + 1, bytes(2)),
        (Kind.WRITE, 0, b""),
        (Kind.WRITE, 0, bytes(2)),
        (Kind.WRITE, 0, bytes(2) + word + word[:3]),
        (Kind.PROGRAM, 0, b""),
        (Kind.PROGRAM, 0, word + word[:1]),
        (Kind.INPUT, 0, rng.bytes(link.input_beat_bytes + 1)),
        (Kind.INPUT, 0, rng.bytes(link.input_beat_bytes - 1)),
        (Kind.INPUT, 1 << link.dest_bits, rng.bytes(link.input_beat_bytes)),
        (Kind.RESULTS, 1, bytes(1)),
        (0, 0, b""),
        (Kind.READ | 0x80, 1, bytes(2)),
    ]
    for kind, argument, payload in refused:
        script.ask(Frame(kind, (last + 1) % 256, argument, payload))
    for sequence in (last - 1, last + 2, last + 128):
        script.ask(Frame(Kind.WRITE, sequence % 256, 0, bytes(2) + word))
    script.ask(Frame(Kind.READ, last, 1, bytes(2)))
    failing = [
        (Kind.READ, 3, bytes([10, 0])),
        (Kind.READ, 1, bytes([12, 0])),
        (Kind.READ, 1, bytes([0, 1])),
        (Kind.WRITE, 0, bytes([7, 0]) + 2 * word),
        (Kind.WRITE, 0, bytes([8, 0]) + word),
        (Kind.WRITE, 0, bytes([16, 0]) + word),
        (Kind.READ, 2, bytes([7, 0])),
    ]
    for sequence, (kind, argument, payload) in enumerate(failing, last + 1):
        script.ask(Frame(kind, sequence % 256, argument, payload))
    # Connecting again changes the sequence, and nothing else.
    script.ask(Frame(Kind.CONNECT, last))
    script.ask(Frame(Kind.READ, (last + 1) % 256, 4, bytes([4, 0])))
    return script.phase("refused")


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name, link in LINKS.items():
        rng = np.random.default_rng(SEED)
        model = LinkBridge(link, Registers())
        phases = [_beginning(rng, model)]
        if name == "odd-beats":
            phases += [_waiting(rng, model, "program"), _refused(rng, model)]
        else:
            phases.append(_waiting(rng, model, "i"))
        yield Case(
            f"link_bridge-{name}",
            lambda link=link: BridgeBench(link=link),
            phases,
        )
