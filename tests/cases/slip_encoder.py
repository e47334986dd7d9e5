"""Cases of :class:`sme_hw.bus.slip_encoder.SlipEncoder`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.slip_encoder import slip_encoder
from sme_hw.bus.link_format import END, ESCAPE
from sme_hw.bus.slip_encoder import SlipEncoder

from .case import SEED, Case, Streams
from .values import join

__all__ = ["cases", "frame_byte"]

BYTES = 200


def frame_byte(byte: int | None) -> int:
    """Return the bit pattern of a :class:`~sme_hw.bus.slip_encoder.FrameByte`."""
    return join((END if byte is None else byte, 8), (int(byte is None), 1))


def cases() -> Iterator[Case]:
    """Yield ends, special bytes and others at random."""
    rng = np.random.default_rng(SEED)
    content = [
        (None, END, ESCAPE, int(rng.integers(256)))[kind] for kind in rng.integers(4, size=BYTES)
    ]
    phase = Streams(
        "bytes and ends",
        sends={"i": [frame_byte(byte) for byte in content]},
        receives={"o": slip_encoder(content)},
    )
    yield Case("slip_encoder", SlipEncoder, [phase])
