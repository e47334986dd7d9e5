"""Cases of :class:`sme_hw.adc.Adc`: every column sum."""

from collections.abc import Iterator

import numpy as np

from sim.golden.adc import adc
from sme_hw.adc import Adc
from sme_hw.cycles import ADC_LATENCY

from .case import SEED, Case
from .values import pipeline

__all__ = ["cases"]

SETS = {
    "lossless": {"sum_max": 5, "bits": 6, "lsb": 0},
    "clips": {"sum_max": 127, "bits": 6, "lsb": 0},
    "one-bit": {"sum_max": 21, "bits": 1, "lsb": 0},
    "coarse": {"sum_max": 21, "bits": 2, "lsb": 2},
    "coarser-than-any-sum": {"sum_max": 7, "bits": 4, "lsb": 3},
}


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    rng = np.random.default_rng(SEED)
    for name, parameters in SETS.items():
        # Every sum once in order and once after any other one.
        totals = np.arange(parameters["sum_max"] + 1)
        totals = np.concatenate([totals, rng.permutation(totals)])
        codes, clips = adc(totals, bits=parameters["bits"], lsb=parameters["lsb"])
        phase = pipeline(
            "all sums",
            [{"total": int(total)} for total in totals],
            [
                {"code": int(code), "clip": int(clip)}
                for code, clip in zip(codes, clips, strict=True)
            ],
            ADC_LATENCY,
        )
        yield Case(f"adc-{name}", lambda parameters=parameters: Adc(**parameters), [phase])
