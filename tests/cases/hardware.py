"""Parameter sets that the cases share, and random contents of compute units."""

import numpy as np

from sim.mapping import load_parameters
from sme_hw.cycles import group_bit_cycles
from sme_hw.params import HardwareParams
from sme_hw.program import TileImage

__all__ = ["HARDWARE", "random_image", "random_inputs", "random_shifts", "slot_groups"]


def _hardware(**overrides: object) -> HardwareParams:
    return load_parameters("tiny", **overrides).hardware


HARDWARE = {
    # Single-level cells, the paper's masks, all rows at once, ADCs that clip.
    "slc": _hardware(
        rows=7,
        cols=5,
        weight_bits=4,
        input_bits=3,
        adc_bits=2,
        adcs_per_crossbar=3,
        inputs_per_beat=2,
    ),
    # Two-level cells, free shifts, signed inputs, short last slot, ADC bits by plane, wide results.
    "mlc-free-shifts": _hardware(
        rows=7,
        cols=5,
        cell_bits=2,
        weight_bits=6,
        policy="minimal",
        squeeze=2,
        input_bits=4,
        signed_inputs=True,
        adc_bits=(3, 2),
        rows_active=3,
        inputs_per_beat=3,
        results_per_beat=2,
    ),
    # No shifts, signed inputs, lossless, one column step, a vector in one beat, several result
    # beats for one conversion.
    "no-shifts": _hardware(
        rows=8,
        cols=4,
        weight_bits=3,
        squeeze=0,
        input_bits=2,
        signed_inputs=True,
        adc_bits="lossless",
        adcs_per_crossbar=4,
        rows_active=5,
        inputs_per_beat=8,
        results_per_beat=2,
    ),
    # One large shift, ADCs with a coarse LSB, a result beat that outlasts the columns.
    "coarse-adc": _hardware(
        rows=9,
        cols=6,
        cell_bits=2,
        weight_bits=8,
        squeeze=4,
        input_bits=1,
        adc_bits=2,
        adc_lsb=1,
        adcs_per_crossbar=2,
        rows_active=2,
        results_per_beat=4,
    ),
    # Streams as narrow as possible and little to compute: they set the pace.
    "narrow": _hardware(
        rows=7,
        cols=5,
        weight_bits=2,
        window=2,
        squeeze=0,
        input_bits=1,
        adc_bits=3,
        adcs_per_crossbar=4,
        results_per_beat=1,
    ),
    # Entries of more than one program word, adder trees of several stages.
    "tall": _hardware(
        rows=35,
        cols=4,
        weight_bits=4,
        policy="minimal",
        squeeze=2,
        input_bits=2,
        adc_bits=(5, 4),
        adcs_per_crossbar=2,
        inputs_per_beat=18,
        results_per_beat=4,
    ),
}
"""Small sizes, seldom powers of two, that differ in everything the modules distinguish."""


def random_shifts(rng: np.random.Generator, hardware: HardwareParams, rows: int) -> np.ndarray:
    """Return row shifts that the hardware can undo, shape (rows,)."""
    return (rng.integers(hardware.shift_codes, size=rows) * hardware.shift_step).astype(np.uint8)


def slot_groups(hardware: HardwareParams, row_shifts: np.ndarray) -> np.ndarray:
    """Return first bit-cycle and bit-cycles of the slots that hold rows of these shifts."""
    groups = []
    for start in range(0, len(row_shifts), hardware.group_rows):
        slot = row_shifts[start : start + hardware.group_rows].astype(int)
        low, high = int(slot.min()), int(slot.max())
        groups.append((low, group_bit_cycles(hardware, low, high)))
    return np.array(groups, np.int64)


def random_image(
    rng: np.random.Generator, hardware: HardwareParams, rows: int, columns: int
) -> TileImage:
    """Return random cells and row shifts for a tile."""
    shape = (2, hardware.planes, rows, columns)
    cells = rng.integers(hardware.cell_max + 1, size=shape).astype(np.uint8)
    shifts = random_shifts(rng, hardware, rows)
    return TileImage(cells, shifts, slot_groups(hardware, shifts))


def random_inputs(
    rng: np.random.Generator, hardware: HardwareParams, vectors: int, rows: int
) -> np.ndarray:
    """Return input vectors; the first ones are all at the largest and all at the smallest input."""
    low, high = hardware.input_range
    inputs = rng.integers(low, high + 1, size=(vectors, rows))
    inputs[0] = high
    if vectors > 1:
        inputs[1] = low
    return inputs
