"""Cases of :class:`sme_hw.bus.slip_decoder.SlipDecoder`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.slip_decoder import slip_decoder
from sme_hw.bus.link_format import END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE
from sme_hw.bus.slip_decoder import SlipDecoder

from .case import SEED, Case, Values
from .values import pipeline

__all__ = ["cases"]

CLOCKS = 600

SPECIAL = (END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE)


def cases() -> Iterator[Case]:
    """Yield a line in which every second byte is special, with pauses and errors."""
    rng = np.random.default_rng(SEED)
    kinds = rng.choice(4, size=CLOCKS, p=(0.3, 0.05, 0.3, 0.35)).tolist()
    stimuli: list[Values] = []
    line: list[int | None] = []
    for kind in kinds:
        byte = int(rng.integers(256)) if kind == 2 else SPECIAL[rng.integers(4)]
        stimuli.append({"i_valid": int(kind > 1), "i_error": int(kind == 1), "i_data": byte})
        if kind:
            line.append(None if kind == 1 else byte)
    meanings = iter(slip_decoder(line))
    responses: list[dict[str, int]] = []
    for kind in kinds:
        value, end, error = next(meanings) if kind else (None, False, False)
        flags = {"valid": int(value is not None), "end": int(end), "error": int(error)}
        shown = {} if value is None else {"data": value}
        responses.append(flags | shown)
    phase = pipeline("special bytes", stimuli, responses, 1)
    yield Case("slip_decoder", SlipDecoder, [phase])
