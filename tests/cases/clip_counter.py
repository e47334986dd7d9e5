"""Cases of :class:`sme_hw.clip_counter.ClipCounter`: narrow counters, which saturate."""

from collections.abc import Iterator

import numpy as np

from sim.golden.clip_counter import clip_counter
from sme_hw.clip_counter import ClipCounter
from sme_hw.cycles import CLIP_COUNTER_LATENCY

from .case import SEED, Case, Clocked, Expected, Values
from .values import lanes, pipeline

__all__ = ["cases"]

CLOCKS = 40

SETS = {
    "one-bit": {"flags": 1, "width": 1},
    "steps-beyond-its-range": {"flags": 6, "width": 2},
    "saturates-late": {"flags": 5, "width": 6},
    "never-full": {"flags": 4, "width": 32},
}


def _count(rng: np.random.Generator, flags: int, width: int, density: float) -> Clocked:
    """Clear, then count random flags, one clock in four of which is not valid."""
    # The flags just before a clear have no defined fate, so none are given there.
    stimuli: list[Values] = [{"clear": 0, "valid": 0}, {"clear": 1}]
    responses: list[Expected] = [{}, {"count": 0}]
    total = 0
    for _ in range(CLOCKS):
        valid = rng.random() < 0.75
        clips = rng.random(flags) < density
        total += int(valid) * int(clips.sum())
        stimuli.append({"clear": 0, "valid": int(valid), "clips": lanes(clips, 1)})
        responses.append({"count": clip_counter(total, width=width)})
    return pipeline(f"flags set at {density}", stimuli, responses, CLIP_COUNTER_LATENCY)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    rng = np.random.default_rng(SEED)
    for name, parameters in SETS.items():
        phases = [_count(rng, **parameters, density=density) for density in (1.0, 0.1, 0.5)]
        yield Case(
            f"clip_counter-{name}",
            lambda parameters=parameters: ClipCounter(**parameters),
            phases,
        )
