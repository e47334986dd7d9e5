"""Cases of :class:`sme_hw.shift_add.ShiftAdd`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.group_scheduler import BitCycle, group_scheduler
from sim.golden.shift_add import shift_add
from sme_hw.cycles import SHIFT_ADD_LATENCY
from sme_hw.params import HardwareParams
from sme_hw.shift_add import ShiftAdd

from .case import SEED, Case, Clocked, Expected, Values
from .hardware import HARDWARE
from .values import pipeline, signed

__all__ = ["cases"]

VECTORS = 6

SETS = ("slc", "mlc-free-shifts", "no-shifts", "coarse-adc")


def _junk(rng: np.random.Generator, hardware: HardwareParams) -> Values:
    """Return inputs of a clock without a sample."""
    return {
        "valid": 0,
        "sample": int(rng.integers(2**hardware.splice_bits)),
        "column_step": int(rng.integers(hardware.column_steps)),
        "bit_cycle": int(rng.integers(hardware.converted_bits)),
        **{flag: int(rng.integers(2)) for flag in ("subtract", "first", "last")},
    }


def _steps(
    rng: np.random.Generator, hardware: HardwareParams, by_column: bool
) -> list[tuple[BitCycle, int]]:
    """Return the bit-cycles and columns of one vector, in the order in which they are sent."""
    full = np.array([(slot, 0, hardware.converted_bits) for slot in range(hardware.slots)])
    columns = rng.permutation(hardware.column_steps).tolist()
    if by_column:
        return [(cycle, c) for c in columns for cycle in group_scheduler(full, hardware)]
    return [(cycle, c) for cycle in group_scheduler(full, hardware) for c in columns]


def _phase(hardware: HardwareParams, by_column: bool, gaps: float) -> Clocked:
    """Send vectors; the first ones have the largest samples of either sign."""
    rng = np.random.default_rng(SEED)
    stimuli: list[Values] = []
    responses: list[Expected] = []
    limit = hardware.splice_max
    for vector in range(VECTORS):
        samples: dict[int, list[tuple[int, BitCycle]]] = {}
        for cycle, column in _steps(rng, hardware, by_column):
            while rng.random() < gaps:
                stimuli.append(_junk(rng, hardware))
                responses.append({"result_valid": 0})
            sample = int(rng.integers(-limit, limit + 1))
            if vector < 2:
                # Bits of the inputs' sign count negative: this makes the largest magnitude.
                sample = -limit if cycle.subtract == (vector == 0) else limit
            samples.setdefault(column, []).append((sample, cycle))
            stimuli.append(
                {
                    "valid": 1,
                    "sample": signed(sample, hardware.splice_bits),
                    "column_step": column,
                    "bit_cycle": cycle.bit_cycle,
                    "subtract": int(cycle.subtract),
                    "first": int(cycle.first),
                    "last": int(cycle.last),
                }
            )
            response = {"result_valid": int(cycle.last)}
            if cycle.last:
                values, cycles = zip(*samples[column], strict=True)
                result = shift_add(
                    np.array(values),
                    np.array([c.bit_cycle for c in cycles]),
                    np.array([c.subtract for c in cycles]),
                )
                response["result"] = signed(result, hardware.result_bits)
            responses.append(response)
    order = "column by column" if by_column else "columns innermost"
    return pipeline(f"{order}, gaps {gaps}", stimuli, responses, SHIFT_ADD_LATENCY)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name in SETS:
        hardware = HARDWARE[name]
        yield Case(
            f"shift_add-{name}",
            lambda hardware=hardware: ShiftAdd(hardware=hardware),
            [
                _phase(hardware, by_column, gaps)
                for by_column in (False, True)
                for gaps in (0.0, 0.5)
            ],
        )
