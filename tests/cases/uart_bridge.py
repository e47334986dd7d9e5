"""A case of :class:`sme_hw.bus.uart_bridge.UartBridge`: requests of each kind on a line.

What requests do in all their forms is tested without the UART, which takes long.
"""

from collections.abc import Iterator

import numpy as np

from sim.golden.frame_sender import frame_sender
from sim.golden.link_bridge import LinkBridge
from sim.golden.slip_encoder import slip_encoder
from sim.golden.uart_transmitter import uart_transmitter
from sme_hw.bus.link_format import Frame, Kind
from sme_hw.bus.link_params import LinkParams

from .bridge_bench import BridgeBench, Registers
from .case import SEED, Case, Streams
from .link_bridge import header

__all__ = ["cases"]

DIVISOR = 4

LINK = LinkParams(
    frame_bytes=32, input_beat_bytes=2, dest_bits=0, result_beat_bytes=4, address_bits=4
)

EXECUTION = 300
"""Clocks that suffice for any request."""


def cases() -> Iterator[Case]:
    """Yield one case, in which something that is no frame comes, too."""
    rng = np.random.default_rng(SEED)
    beat = rng.bytes(LINK.result_beat_bytes)
    model = LinkBridge(LINK, Registers(), [(beat, True)])
    requests = [
        Frame(Kind.CONNECT, 0xBF),
        Frame(Kind.WRITE, 0xC0, 0, bytes([1, 0]) + rng.bytes(4)),
        Frame(Kind.READ, 0xC1, 1, bytes([1, 0])),
        Frame(Kind.PROGRAM, 0xC2, 0, rng.bytes(8)),
        Frame(Kind.INPUT, 0xC3, 0, rng.bytes(4)),
        Frame(Kind.RESULTS, 0xC4, 2),
    ]
    rx: list[int] = []
    said: list[int] = []
    lines = [(slip_encoder(frame_sender(header(r))), header(r)) for r in requests]
    for line, content in [*lines, ([0x5A, 0xC0], None)]:
        answer = slip_encoder(frame_sender(header(model.respond(content))))
        said += answer
        pause = len(uart_transmitter(answer, DIVISOR)) + EXECUTION
        rx += [*uart_transmitter(line, DIVISOR), *[1] * pause]
    phase = Streams(
        "requests",
        sends={"o": [int.from_bytes(beat, "little") | 1 << 8 * len(beat)]},
        receives={
            "program": list(model.program),
            "i": [int.from_bytes(b, "little") for b, _ in model.inputs],
        },
        flows={"said": [{"byte": byte} for byte in said]},
        waves={"rx": rx},
    )
    yield Case("uart_bridge", lambda: BridgeBench(link=LINK, divisor=DIVISOR), [phase])
