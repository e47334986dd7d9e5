"""Cases of :class:`sme_hw.bus.request_check.RequestCheck`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.request_check import request_check
from sme_hw.bus.link_format import Frame, Kind
from sme_hw.bus.link_params import LinkParams
from sme_hw.bus.request_check import RequestCheck

from .case import SEED, Case, Clocked, Expected, Values

__all__ = ["cases"]

LINKS = {
    "sets": LinkParams(
        frame_bytes=32, input_beat_bytes=3, dest_bits=2, result_beat_bytes=5, address_bits=4
    ),
    "one-set": LinkParams(
        frame_bytes=256, input_beat_bytes=1, dest_bits=0, result_beat_bytes=1, address_bits=4
    ),
}

REQUESTS = 600


def _requests(rng: np.random.Generator, link: LinkParams) -> Iterator[tuple[Values, Values]]:
    """Yield what is looked at in one clock, and what in the next; most of it nearly makes sense."""
    arguments = [0, 1, 3, 4, link.read_max, link.read_max + 1, 255]
    for _ in range(REQUESTS):
        kind, last = int(rng.integers(9)), int(rng.choice([0, 7, 254, 255]))
        payload = int(rng.choice([0, 1, 2, 3, link.payload_max]))
        header = {
            "kind": kind | 0x80 if kind == 8 else kind,
            "sequence": (last + int(rng.choice([0, 1, 1, 1, 2, 255]))) % 256,
            "argument": int(rng.choice(arguments)),
            "payload": payload,
            "last": last,
        }
        yield header, {"connected": int(rng.random() < 0.9), "kept": int(rng.random() < 0.3)}


def _expected(link: LinkParams, header: Values, state: Values) -> Expected:
    frame = Frame(header["kind"], header["sequence"], header["argument"], bytes(header["payload"]))
    last = header["last"] if state["connected"] else None
    repeated, refused = request_check(link, frame, last, bool(state["kept"]))
    status = {} if refused is None else {"status": refused}
    kinds = sum((frame.kind == kind) << k for k, kind in enumerate(Kind))
    return {"kinds": kinds, "repeated": repeated, "refused": refused is not None, **status}


def cases() -> Iterator[Case]:
    """Yield a request in every clock."""
    for name, link in LINKS.items():
        rng = np.random.default_rng(SEED)
        clocks: list[tuple[Values, Expected]] = []
        state: Values = {"connected": 0, "kept": 0}
        expected: Expected = {}
        for header, following in _requests(rng, link):
            clocks.append(({**header, **state}, expected))
            state, expected = following, _expected(link, header, following)
        clocks.append((state, expected))
        yield Case(
            f"request_check-{name}",
            lambda link=link: RequestCheck(link=link),
            [Clocked("requests", clocks)],
        )
