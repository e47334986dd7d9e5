"""Cases of :class:`sme_hw.configuration.Configuration`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.configuration import configuration
from sme_hw.configuration import Configuration
from sme_hw.params import HardwareParams, index_bits
from sme_hw.program import Control

from .case import SEED, Case, Clocked, Expected, Values
from .hardware import HARDWARE
from .values import lanes, pipeline

__all__ = ["cases"]

CLOCKS = 80

SETS = ("slc", "coarse-adc", "sets", "sets-quick")

WRITE_LATENCY = 1
"""As the component's docstring says."""


def _phase(hardware: HardwareParams) -> Clocked:
    """Write registers at random and watch all of them."""
    rng = np.random.default_rng(SEED)
    sets = hardware.weight_sets
    ranges = {
        "input_last": hardware.input_beats,
        "row_last": hardware.row_beats,
        "column_last": hardware.column_steps,
        "result_last": hardware.result_beats,
        "group_last": hardware.slots,
    }
    writes: list[tuple[int, int, int]] = []
    stimuli: list[Values] = []
    responses: list[Expected] = []
    for _ in range(CLOCKS * sets):
        enable = bool(rng.integers(2))
        entry = Control(int(rng.integers(len(Control))))
        limit = 4 if entry == Control.MODE else ranges[entry.name.lower()]
        value = int(rng.integers(limit))
        weight_set = int(rng.integers(sets))
        driven = {"write_enable": int(enable), "entry": int(entry), "data": value}
        stimuli.append(driven | ({"set": weight_set} if sets > 1 else {}))
        if enable:
            writes.append((weight_set, entry, value))
        expected = configuration(writes, sets)
        if not enable:
            # What was asked for in an earlier clock is over.
            expected["clear"] = [0]
        responses.append(
            {name: lanes(v, index_bits(ranges.get(name, 2))) for name, v in expected.items()}
        )
    return pipeline("random writes", stimuli, responses, WRITE_LATENCY)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name in SETS:
        hardware = HARDWARE[name]
        yield Case(
            f"configuration-{name}",
            lambda hardware=hardware: Configuration(hardware=hardware),
            [Clocked("reset", [({}, {"enable": 0, "clear": 0})]), _phase(hardware)],
        )
