"""Cases of :class:`sme_hw.stream_register.StreamRegister`."""

from collections.abc import Iterator

import numpy as np

from sme_hw.stream_register import StreamRegister

from .case import SEED, Case, Clocked, Phase, Span, Streams

__all__ = ["cases"]

PAYLOADS = 200

HOLD = 5
"""Clocks without a taker: longer than it takes to fill it."""


def cases() -> Iterator[Case]:
    """Yield one case: what goes in comes out, a clock later, one a clock."""
    payloads = np.random.default_rng(SEED).integers(1 << 9, size=PAYLOADS).tolist()
    sent = {"sends": {"i": payloads}, "receives": {"o": payloads}}
    spans = [Span(("i", 0), ("o", 0), 1), Span(("i", 0), ("o", PAYLOADS - 1), PAYLOADS)]
    phases: list[Phase] = [
        Clocked("empty", [({}, {"i__ready": 1, "o__valid": 0})]),
        Streams("running", **sent, spans=spans),
        Streams("held", **sent, holds={"o": HOLD}),
        Streams("filled", sends={"i": payloads[:2]}, unfinished=["o"]),
        Clocked("full", [({}, {"i__ready": 0, "o__valid": 1, "o__payload": payloads[0]})]),
    ]
    yield Case("stream_register", lambda: StreamRegister(shape=9), phases)
