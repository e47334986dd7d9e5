"""Cases of :class:`sme_hw.shift_add.ShiftAdd`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.group_scheduler import BitBlock, bit_blocks
from sim.golden.shift_add import shift_add
from sme_hw.cycles import shift_add_latency
from sme_hw.params import HardwareParams
from sme_hw.shift_add import ShiftAdd

from .case import SEED, Case, Clocked, Expected, Values
from .hardware import HARDWARE
from .values import lanes, pattern, pipeline, signed

__all__ = ["cases"]

VECTORS = 6

SETS = ("slc", "mlc-free-shifts", "no-shifts", "coarse-adc", "two-lanes", "four-lanes")


def _junk(rng: np.random.Generator, hardware: HardwareParams) -> Values:
    """Return inputs of a clock without a sample."""
    lane_count = hardware.emulation_lanes
    return {
        "valid": 0,
        "samples": pattern(int(rng.integers(2**62)), lane_count * hardware.splice_bits),
        "column_step": int(rng.integers(hardware.column_steps)),
        "bit_block": int(rng.integers(hardware.bit_blocks)),
        "subtract": int(rng.integers(2**lane_count)),
        **{flag: int(rng.integers(2)) for flag in ("first", "last")},
    }


def _steps(
    rng: np.random.Generator, hardware: HardwareParams, by_column: bool
) -> list[tuple[BitBlock, int]]:
    """Return the blocks and columns of one vector, in the order in which they are sent."""
    full = np.array([(slot, 0, hardware.converted_bits) for slot in range(hardware.slots)])
    columns = rng.permutation(hardware.column_steps).tolist()
    if by_column:
        return [(block, c) for c in columns for block in bit_blocks(full, hardware)]
    return [(block, c) for block in bit_blocks(full, hardware) for c in columns]


def _phase(hardware: HardwareParams, by_column: bool, gaps: float) -> Clocked:
    """Send vectors; the first ones have the largest samples of either sign."""
    rng = np.random.default_rng(SEED)
    stimuli: list[Values] = []
    responses: list[Expected] = []
    limit = hardware.splice_max
    lane_count = hardware.emulation_lanes
    for vector in range(VECTORS):
        sent: dict[int, list[tuple[int, int, bool]]] = {}
        for block, column in _steps(rng, hardware, by_column):
            while rng.random() < gaps:
                stimuli.append(_junk(rng, hardware))
                responses.append({"result_valid": 0})
            samples = []
            for lane in range(lane_count):
                subtract = bool(block.subtract >> lane & 1)
                sample = int(rng.integers(-limit, limit + 1))
                if vector < 2:
                    # Bits of the inputs' sign count negative: this makes the largest magnitude.
                    sample = -limit if subtract == (vector == 0) else limit
                sample *= block.lanes >> lane & 1
                samples.append(signed(sample, hardware.splice_bits))
                sent.setdefault(column, []).append(
                    (sample, block.block * lane_count + lane, subtract)
                )
            stimuli.append(
                {
                    "valid": 1,
                    "samples": lanes(samples, hardware.splice_bits),
                    "column_step": column,
                    "bit_block": block.block,
                    "subtract": block.subtract,
                    "first": int(block.first),
                    "last": int(block.last),
                }
            )
            response = {"result_valid": int(block.last)}
            if block.last:
                values, cycles, subtracted = zip(*sent[column], strict=True)
                result = shift_add(np.array(values), np.array(cycles), np.array(subtracted))
                response["result"] = signed(result, hardware.result_bits)
            responses.append(response)
    order = "column by column" if by_column else "columns innermost"
    return pipeline(f"{order}, gaps {gaps}", stimuli, responses, shift_add_latency(hardware))


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
