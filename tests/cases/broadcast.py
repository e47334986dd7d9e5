"""Cases of :class:`sme_hw.broadcast.Broadcast`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.broadcast import broadcast
from sme_hw.broadcast import Broadcast

from .case import SEED, Case, Clocked, Phase, Span, Streams
from .values import join

__all__ = ["cases"]

LATENCY = 2
"""As the component's docstring says."""

WIDTH = 6


def _streams(name: str, payloads: list[tuple[int, int]], units: int, **options: object) -> Streams:
    return Streams(
        name,
        sends={"i": [join((payload, WIDTH), (mask, units)) for payload, mask in payloads]},
        receives={f"o__{u}": part for u, part in enumerate(broadcast(payloads, units))},
        **options,
    )


def _phases(units: int) -> Iterator[Phase]:
    rng = np.random.default_rng(SEED + units)
    values = rng.integers(1 << WIDTH, size=(60, 2))
    everyone = [(payload, (1 << units) - 1) for payload, _ in values.tolist()]
    some = [(payload, mask % (1 << units)) for payload, mask in values.tolist()]
    last = len(values) - 1
    spans = [Span(("i", 0), (f"o__{u}", 0), LATENCY) for u in range(units)]
    spans += [Span((f"o__{u}", 0), (f"o__{u}", -1), last) for u in range(units)]
    yield Clocked("empty", [({}, {"empty": 1, "i__ready": 1})])
    yield _streams("to all", everyone, units, spans=spans)
    # No receiver, or another one, never holds up the stream.
    yield _streams("to some, or none", some, units, spans=[Span(("i", 0), ("i", -1), last)])
    yield _streams("one is held up", everyone, units, holds={"o__0": 20})
    yield Clocked("empty again", [({}, {"empty": 1})])
    waits = {"i__valid": 1, "i__payload": join((1, WIDTH), (1, units))}
    yield Clocked("a payload comes", [(waits, {"empty": 1}), ({"i__valid": 0}, {"empty": 0})])
    yield Streams("and waits")
    yield Clocked("on offer", [({}, {"empty": 0, "o__0__valid": 1})])


def cases() -> Iterator[Case]:
    """Yield one case per number of receivers."""
    for units in (1, 3):
        yield Case(
            f"broadcast-{units}",
            lambda units=units: Broadcast(width=WIDTH, units=units),
            list(_phases(units)),
        )
