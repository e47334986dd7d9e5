"""Cases of :class:`sme_hw.skid_buffer.SkidBuffer`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.skid_buffer import skid_buffer
from sme_hw.skid_buffer import SkidBuffer

from .case import SEED, Case, Clocked, Span, Streams

__all__ = ["cases"]

LATENCY = 1
"""As the component's docstring says."""


def cases() -> Iterator[Case]:
    """Yield a stream that runs, one that is held up, and the two places one by one."""
    payloads = np.random.default_rng(SEED).integers(32, size=100).tolist()
    through = {"sends": {"i": payloads}, "receives": {"o": skid_buffer(payloads)}}
    spans = [Span(("i", 0), ("o", 0), LATENCY), Span(("o", 0), ("o", -1), len(payloads) - 1)]
    places = Clocked(
        "two places",
        [
            ({"i__valid": 1, "i__payload": 5, "o__ready": 0}, {"i__ready": 1, "o__valid": 0}),
            ({"i__payload": 9}, {"i__ready": 1, "o__valid": 1, "o__payload": 5}),
            ({"i__payload": 3}, {"i__ready": 0, "o__payload": 5}),
            ({"o__ready": 1}, {"i__ready": 0, "o__payload": 5}),
            ({}, {"i__ready": 1, "o__valid": 1, "o__payload": 9}),
            ({"i__valid": 0}, {"i__ready": 1, "o__valid": 1, "o__payload": 3}),
            ({}, {"o__valid": 0}),
        ],
    )
    yield Case(
        "skid_buffer",
        lambda: SkidBuffer(width=5),
        [
            Streams("running", **through, spans=spans),
            places,
            Streams("held up", **through, holds={"o": 9}),
        ],
    )
