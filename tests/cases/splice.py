"""Cases of :class:`sme_hw.splice.Splice`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.splice import splice
from sme_hw.cycles import splice_latency
from sme_hw.params import HardwareParams
from sme_hw.splice import Splice

from .case import SEED, Case, Clocked
from .hardware import HARDWARE
from .values import join, pipeline, signed

__all__ = ["cases"]

SAMPLES = 60

SETS = ("slc", "mlc-free-shifts", "no-shifts", "coarse-adc", "narrow")


def _phase(hardware: HardwareParams) -> Clocked:
    """Send random codes, and the largest ones of either sign."""
    rng = np.random.default_rng(SEED)
    largest = np.array(hardware.plane_code_max).reshape(-1, 1, 1)
    codes = rng.integers(largest + 1, size=(hardware.planes, 2, SAMPLES))
    codes[:, 0, 0], codes[:, 1, 0] = largest[:, 0, 0], 0
    codes[:, 0, 1], codes[:, 1, 1] = 0, largest[:, 0, 0]
    codes[:, :, 2] = largest[:, 0]
    widths = hardware.plane_code_bits
    return pipeline(
        "random codes",
        [
            {
                sign: join(*zip(codes[:, s, k].tolist(), widths, strict=True))
                for s, sign in enumerate(("positive", "negative"))
            }
            for k in range(SAMPLES)
        ],
        [
            {"sample": signed(sample, hardware.splice_bits)}
            for sample in splice(codes[:, 0], codes[:, 1], hardware)
        ],
        splice_latency(hardware),
    )


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name in SETS:
        hardware = HARDWARE[name]
        yield Case(
            f"splice-{name}",
            lambda hardware=hardware: Splice(hardware=hardware),
            [_phase(hardware)],
        )
