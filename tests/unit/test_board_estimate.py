"""What the estimate of boards says, against Yosys, and what it finds to fit."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.board_estimate import fit, measure, read, unit
from rtl_gen.boards.board import load_board
from rtl_gen.boards.estimate import (
    MARGIN,
    WEIGHTS_FILE,
    Design,
    block_rams,
    estimate,
    fits,
    largest_square,
    weigh,
)
from rtl_gen.boards.families import FAMILIES, FIGURES
from rtl_gen.boards.memories import MemoryShape, memories
from sim.mapping import load_parameters
from sme_hw.compute_unit import ComputeUnit

RECORDS = read()


def design(hardware):
    """Return a compute unit alone."""
    return Design(ComputeUnit(hardware=hardware), hardware)


def designed(**options):
    """Return the compute unit of a preset with options."""
    return design(load_parameters("paper", **options).hardware)


# The third family's synthesis starts slowly; what it gave for other units is tested below.
@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_block_rams_are_those_of_yosys(family):
    """Counted from shapes, there are as many as a synthesis infers, up to where it has done so."""
    options = {"rows": 8, "cols": 20, "squeeze": 6}
    inferred = measure(family, options, "-run begin:map_ffram")["block_RAM"]
    assert inferred
    assert estimate(designed(**options), family)["block_RAM"] == inferred


def test_block_rams_of_everything_measured():
    """The same for all units that were ever synthesised for the estimate.

    Some are deep, of single bits, or have small memories of every kind.
    """
    assert {record["family"] for record in RECORDS} == set(FAMILIES)
    assert len(RECORDS) > 60
    for record in RECORDS:
        used = weigh(*unit(record), record["family"])
        assert used["block_RAM"] == record["block_RAM"], record


def test_weights_are_fitted_to_what_was_measured():
    """The weights are those that the benchmark finds, and rarely farther off than the margin."""
    weights, _ = fit(RECORDS)
    assert weights == json.loads(WEIGHTS_FILE.read_text())
    errors = []
    for record in RECORDS:
        used = weigh(*unit(record), record["family"])
        errors.append(used["FF"] / record["FF"] - 1)
        if record["family"] != "ice40":  # whose logic cells nextpnr counts
            errors.append(used["LUT"] / record["LUT"] - 1)
    assert np.mean(np.abs(errors) < MARGIN) > 0.95
    assert np.abs(errors).max() < 0.25


def test_logic_cells_of_an_ice40():
    """A routed unit of the preset small took 3,431 logic cells (benchmarks/baselines/fpga.json)."""
    used = estimate(designed(rows=32, cols=32, squeeze=3), "ice40")
    assert used["LUT"] == pytest.approx(3431, rel=0.05)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # Forced, and as wide as 16, 36 and 36 bits.
        (MemoryShape(36, 17, True, 1), (3, 1, 1)),
        (MemoryShape(37, 17, True, 1), (3, 2, 2)),
        (MemoryShape(1, 5000, True, 1), (2, 1, 1)),
        (MemoryShape(128, 512, True, 2), (32, 8, 8)),
        # Free: flip-flops or LUTs are cheaper for few bits.
        (MemoryShape(8, 8, False, 1), (0, 0, 0)),
        (MemoryShape(9, 8, False, 1), (1, 0, 0)),
        (MemoryShape(24, 128, False, 1), (2, 1, 0)),
    ],
)
def test_block_rams_of_a_memory(shape, expected):
    """Families differ in the widths of their blocks, and in what else holds words."""
    assert tuple(block_rams(shape, family) for family in FAMILIES) == expected


def test_memories_are_all_found():
    """Equal ones are counted, though they are elaborated once; there are planes of both signs."""
    found = memories(ComputeUnit(hardware=load_parameters("paper", squeeze=3).hardware))
    assert isinstance(found, Counter)
    assert found[MemoryShape(128, 128, True, 1)] == 10


def test_largest_square_fits_and_the_next_does_not():
    """What is found fits; four rows and columns more do not."""
    board = load_board("icebreaker")
    hardware = load_parameters("small", squeeze=3).hardware
    size = largest_square(board, hardware, design)
    assert size is not None
    assert fits(board, design(replace(hardware, rows=size, cols=size)))
    assert not fits(board, design(replace(hardware, rows=size + 4, cols=size + 4)))


def test_nothing_fits_on_nothing():
    """A board without block RAMs has no largest unit."""
    board = replace(load_board("icebreaker"), capacity=dict.fromkeys(FIGURES, 1))
    hardware = load_parameters("tiny", rows_active=8).hardware
    assert largest_square(board, hardware, design) is None
