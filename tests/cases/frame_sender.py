"""Cases of :class:`sme_hw.bus.frame_sender.FrameSender`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.frame_sender import frame_sender
from sme_hw.bus.frame_sender import FrameSender

from .case import SEED, Case, Clocked, Phase, Streams
from .slip_encoder import frame_byte

__all__ = ["cases"]

FRAME_BYTES = 32


def _send(buffer: int, content: bytes) -> list[Phase]:
    """Start, and look at what comes."""
    start = {"start": 1, "buffer": buffer, "length": len(content)}
    others = {"start": 0, "buffer": 1 - buffer, "length": 1}
    return [
        Clocked("start", [(start, {"busy": 0}), (others, {"busy": 1})]),
        Streams("frame", receives={"o": [frame_byte(b) for b in frame_sender(content)]}),
        Clocked("idle", [({}, {"busy": 0})]),
    ]


def cases() -> Iterator[Case]:
    """Yield frames from both buffers, one of them twice."""
    rng = np.random.default_rng(SEED)
    phases: list[Phase] = []
    for lengths in ((1, 3), (FRAME_BYTES - 1, 7)):
        contents = [rng.bytes(length) for length in lengths]
        writes = [
            ({"write_enable": 1, "write_address": b * FRAME_BYTES + k, "write_data": byte}, {})
            for b, content in enumerate(contents)
            for k, byte in enumerate(content)
        ]
        phases.append(Clocked("write", [*writes, ({"write_enable": 0, "write_data": 0}, {})]))
        for buffer in (0, 1, 0):
            phases += _send(buffer, contents[buffer])
    yield Case("frame_sender", lambda: FrameSender(frame_bytes=FRAME_BYTES), phases)
