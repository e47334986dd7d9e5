"""Cases of :class:`sme_hw.clip_counters.ClipCounters`: narrow counters, which saturate."""

from collections.abc import Iterator

import numpy as np

from sim.golden.clip_counter import clip_counter
from sme_hw.clip_counters import ClipCounters
from sme_hw.cycles import clip_settle_cycles

from .case import SEED, Case, Clocked, Expected, Values
from .values import lanes

__all__ = ["cases"]

CLOCKS = 40

SETS = {
    "one-plane": {"planes": 1, "flags": 1, "width": 1},
    "steps-beyond-its-range": {"planes": 3, "flags": 6, "width": 2},
    "saturates-late": {"planes": 8, "flags": 5, "width": 6},
    "never-full": {"planes": 5, "flags": 4, "width": 32},
    "two-planes": {"planes": 2, "flags": 2, "width": 7},
}


def _count(
    rng: np.random.Generator, planes: int, flags: int, width: int, density: float, clear: bool
) -> Clocked:
    """Clear, then count random flags, one clock in four of which is not valid; look at all.

    Right after a reset, nothing needs to be cleared.
    """
    settle = clip_settle_cycles(planes, flags)
    idle: tuple[Values, Expected] = ({"clear": 0, "valid": 0}, {})
    clocks: list[tuple[Values, Expected]] = [idle, ({"clear": int(clear)}, {}), *[idle] * settle]
    total = np.zeros(planes, np.int64)
    first, *others = rng.permutation(planes).tolist()
    for _ in range(CLOCKS + int(rng.integers(planes))):
        valid = rng.random() < 0.75
        clips = rng.random((planes, flags)) < density
        total += int(valid) * clips.sum(axis=1)
        flags_of_all = lanes(clips.ravel().astype(int), 1)
        clocks.append(({"valid": int(valid), "clips": flags_of_all, "select": first}, {}))
    for plane in (first, *others):
        expected = {"count": clip_counter(int(total[plane]), width=width)}
        if plane != first:
            clocks.append(({"select": plane}, {}))
        clocks += [idle] * (settle - 1)
        # It stays when it comes round again.
        clocks += [({}, expected)] * (planes + 1)
    return Clocked(f"flags set at {density}", clocks)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    rng = np.random.default_rng(SEED)
    for name, parameters in SETS.items():
        phases = [
            _count(rng, **parameters, density=density, clear=k > 0)
            for k, density in enumerate((1.0, 0.1, 0.5, 0.0))
        ]
        yield Case(
            f"clip_counters-{name}",
            lambda parameters=parameters: ClipCounters(**parameters),
            phases,
        )
