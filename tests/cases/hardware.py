"""Parameter sets that the cases share, and random contents of compute units."""

import numpy as np

from sim.mapping import load_parameters
from sme_hw.cycles import group_bit_cycles
from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY, TileImage

from .values import join

__all__ = [
    "HARDWARE",
    "converted_beat",
    "input_beat",
    "random_image",
    "random_inputs",
    "random_order",
    "random_shifts",
    "slot_groups",
]


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
    # No shifts, signed inputs, lossless, one column step, a slot in one beat, several result
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
        inputs_per_beat=5,
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
    # Reordered rows in several groups, several inputs a beat.
    "reordered": _hardware(
        rows=9,
        cols=5,
        weight_bits=4,
        policy="minimal",
        squeeze=2,
        grouping="balanced",
        input_bits=3,
        adc_bits=(2, 1),
        rows_active=2,
        inputs_per_beat=2,
    ),
    # Bit-cycles without a 1 are skipped; rows in order, some lanes of the last beat unused.
    "zero-skip": _hardware(
        rows=7,
        cols=5,
        weight_bits=4,
        policy="minimal",
        squeeze=3,
        zero_skip=True,
        input_bits=4,
        adc_bits=2,
        rows_active=3,
        adcs_per_crossbar=2,
        inputs_per_beat=3,
    ),
    # Both, with signed inputs, and beats that do not fit slots.
    "reordered-zero-skip": _hardware(
        rows=8,
        cols=4,
        weight_bits=3,
        squeeze=1,
        grouping="shift",
        zero_skip=True,
        input_bits=3,
        signed_inputs=True,
        adc_bits="lossless",
        adcs_per_crossbar=4,
        rows_active=5,
        inputs_per_beat=3,
        results_per_beat=2,
    ),
    # Two bit-cycles in one clock, an odd number of them; groups begin and end amid a block.
    "two-lanes": _hardware(
        rows=9,
        cols=5,
        weight_bits=5,
        policy="minimal",
        squeeze=2,
        input_bits=3,
        signed_inputs=True,
        adc_bits=(2, 1, 2),
        rows_active=4,
        adcs_per_crossbar=2,
        inputs_per_beat=2,
        emulation_lanes=2,
    ),
    # Four, with zero-skip, merged planes of two-level cells, and several tiles.
    "four-lanes": _hardware(
        rows=7,
        cols=4,
        cell_bits=2,
        weight_bits=6,
        policy="minimal",
        squeeze=2,
        zero_skip=True,
        input_bits=5,
        adc_bits="lossless",
        rows_active=3,
        results_per_beat=2,
        emulation_lanes=4,
        weight_sets=3,
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
    # Two tiles at once, several groups and column steps, several result beats for a conversion.
    "sets": _hardware(
        rows=7,
        cols=8,
        weight_bits=4,
        policy="minimal",
        squeeze=2,
        input_bits=3,
        adc_bits=(2, 1),
        adcs_per_crossbar=3,
        rows_active=3,
        inputs_per_beat=2,
        weight_sets=2,
    ),
    # Four, with reordered rows, signed inputs, zero-skip, and result beats of several conversions.
    "sets-reordered": _hardware(
        rows=9,
        cols=6,
        weight_bits=3,
        squeeze=1,
        grouping="shift",
        zero_skip=True,
        input_bits=3,
        signed_inputs=True,
        adc_bits="lossless",
        adcs_per_crossbar=2,
        rows_active=2,
        inputs_per_beat=2,
        results_per_beat=4,
        weight_sets=4,
    ),
    # Three, without shifts; a vector may come, and be computed, in every clock.
    "sets-quick": _hardware(
        rows=8,
        cols=4,
        weight_bits=2,
        window=2,
        squeeze=0,
        input_bits=1,
        adc_bits=3,
        adcs_per_crossbar=4,
        inputs_per_beat=8,
        results_per_beat=2,
        weight_sets=3,
    ),
}
"""Small sizes, seldom powers of two, that differ in everything the modules distinguish."""


def input_beat(hardware: HardwareParams, values: np.ndarray, weight_set: int = 0) -> int:
    """Return the payload of a beat of the input stream."""
    inputs = ((value, hardware.input_bits) for value in values)
    return join(*inputs, (weight_set, hardware.set_bits))


def converted_beat(
    hardware: HardwareParams, values: np.ndarray, last: bool, weight_set: int = 0
) -> int:
    """Return the payload of a beat of converted inputs."""
    inputs = ((value, hardware.converted_bits) for value in values)
    return join(*inputs, (int(last), 1), (weight_set, hardware.set_bits))


def random_order(rng: np.random.Generator, sets: int, vectors: int) -> np.ndarray:
    """Return the sets of vectors at random, each set having ``vectors`` of them."""
    return rng.permutation(np.repeat(np.arange(sets), vectors))


def random_shifts(rng: np.random.Generator, hardware: HardwareParams, rows: int) -> np.ndarray:
    """Return row shifts that the hardware can undo, shape (rows,)."""
    return (rng.integers(hardware.shift_codes, size=rows) * hardware.shift_step).astype(np.uint8)


def slot_groups(
    hardware: HardwareParams, row_shifts: np.ndarray, order: np.ndarray | None = None
) -> np.ndarray:
    """Return slot, first bit-cycle and bit-cycles of the groups of rows with these shifts.

    ``order`` is the order of execution; by default, slots follow one another.
    """
    count = -(-len(row_shifts) // hardware.group_rows)
    groups = []
    for number in range(count) if order is None else order.tolist():
        start = number * hardware.group_rows
        slot = row_shifts[start : start + hardware.group_rows].astype(int)
        low, high = int(slot.min()), int(slot.max())
        groups.append((number, low, group_bit_cycles(hardware, low, high)))
    return np.array(groups, np.int64)


def random_image(
    rng: np.random.Generator, hardware: HardwareParams, inputs: int, columns: int
) -> TileImage:
    """Return random cells, row shifts and, if the hardware can do that, a random row order."""
    index, order = np.arange(inputs), None
    if hardware.input_index:
        # Some inputs drive no row, and groups are not executed in the order of their slots.
        index = rng.permutation(inputs)[: max(1, inputs - 1)]
        order = rng.permutation(-(-len(index) // hardware.group_rows))
    shape = (2, hardware.planes, len(index), columns)
    cells = rng.integers(hardware.cell_max + 1, size=shape).astype(np.uint8)
    shifts = random_shifts(rng, hardware, len(index))
    if hardware.input_index and len(index) > 3:
        # A place in the middle of a slot that no input goes to.
        index[1], shifts[1], cells[:, :, 1] = EMPTY, shifts[0], 0
    return TileImage(inputs, cells, index, shifts, slot_groups(hardware, shifts, order))


def random_inputs(
    rng: np.random.Generator, hardware: HardwareParams, vectors: int, rows: int
) -> np.ndarray:
    """Return input vectors; the first ones are all at the largest and all at the smallest input."""
    low, high = hardware.input_range
    inputs = rng.integers(low, high + 1, size=(vectors, rows))
    inputs[0] = high
    if vectors > 1:
        inputs[1] = low
    if hardware.zero_skip:
        # Few ones, so that there is something to skip, and a vector without any.
        inputs[2::2] &= rng.integers(2, size=inputs[2::2].shape) << 1
        inputs[-1] = 0
    return inputs
