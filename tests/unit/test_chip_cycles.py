"""The chip's cycles and the FPGA's clocks."""

import numpy as np
import pytest

from rtl_gen.emit import emit_verilog
from rtl_gen.generate import TOP, manifest
from sim.cosim.jobs import tile_jobs
from sim.mapping import load_parameters, map_matrix
from sme_hw.compute_unit import ComputeUnit
from sme_hw.cycles import bit_blocks
from sme_hw.run_cycles import TileSize, run_cycles, steady_cycles

SEED = 2026
RUNS = 400


@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize("zero_skip", [False, True])
def test_lanes_change_the_clocks_of_the_fpga_only(lanes, zero_skip):
    """Values, clips and chip cycles stay; clocks fall by the lanes, but for what they round up."""
    rng = np.random.default_rng(SEED)
    weights = rng.standard_t(2, size=(16, 9))
    options = {"rows": 16, "cols": 9, "adc_bits": 1, "squeeze": 3, "zero_skip": zero_skip}
    inputs = rng.integers(256, size=(40, 16))
    jobs = []
    for number in (1, lanes):
        parameters = load_parameters("tiny", emulation_lanes=number, **options)
        jobs.append(tile_jobs(map_matrix(weights, parameters), inputs)[0])
    chip, fpga = jobs
    assert chip.chip_cycles == fpga.chip_cycles
    assert np.array_equal(chip.results[0], fpga.results[0])
    assert np.array_equal(chip.clips, fpga.clips)
    assert fpga.clips.sum() > 0
    # 8 input bits and shifts up to 3: at most 11 bit-cycles, so at most ceil(11 / lanes) blocks.
    steady = chip.chip_cycles / len(inputs)
    assert fpga.cycles >= chip.chip_cycles / lanes
    if lanes == 1:
        assert fpga.cycles - chip.chip_cycles < 2 * steady
    else:
        assert fpga.cycles < chip.cycles


def test_manifest_keeps_them_apart():
    """A full tile of 8-bit inputs: 8 chip cycles a column, 2 clocks with four lanes."""
    parameters = load_parameters("tiny", emulation_lanes=4, squeeze=0)
    component = ComputeUnit(hardware=parameters.hardware)
    description = manifest(component, {"design.v": emit_verilog(component, TOP)}, "portable", {})
    assert description["chip_cycles"]["full_tile_no_shift"] == 8 * 8
    assert description["fpga_clocks"]["steady_full_tile_no_shift"] == 2 * 8


@pytest.mark.parametrize("columns", range(4, 513, 4))
def test_results_of_equal_vectors_never_wait(columns):
    """The result buffer evens out results that come four times as fast as they leave."""
    hardware = load_parameters(
        "tiny", cols=columns, squeeze=0, input_bits=4, adcs_per_crossbar=4, results_per_beat=1
    ).hardware
    size = TileSize(1, 1, columns)
    bit_cycles = 4
    clocks = [run_cycles(hardware, [bit_cycles] * n, [size] * n) for n in (9, 10)]
    assert clocks[1] - clocks[0] == steady_cycles(hardware, [bit_cycles], size)


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_blocks_are_aligned(lanes):
    """A group takes the blocks in which any of its bit-cycles lies, wherever it begins."""
    hardware = load_parameters("tiny", emulation_lanes=lanes, squeeze=3).hardware
    for first in range(hardware.converted_bits):
        for count in range(1, hardware.converted_bits - first + 1):
            touched = {t // lanes for t in range(first, first + count)}
            assert bit_blocks(hardware, first, count) == len(touched)


def random_tile(rng):
    """Return hardware of random size, a tile's size on it and its bit-cycles."""
    rows, columns = (int(n) for n in rng.integers(4, 65, size=2))
    adcs = int(rng.integers(1, columns + 1))
    beats = [b for b in range(1, columns + 1) if adcs % b == 0 or b % adcs == 0]
    active = int(rng.integers(1, rows + 1))
    hardware = load_parameters(
        "tiny",
        rows=rows,
        cols=columns,
        rows_active=active,
        input_bits=int(rng.choice([1, 2, 3, 8, 16])),
        squeeze=int(rng.integers(4)),
        adcs_per_crossbar=adcs,
        results_per_beat=int(rng.choice(beats)),
        inputs_per_beat=int(rng.integers(1, active + 1)),
        grouping=str(rng.choice(["none", "balanced"])),
    ).hardware
    physical_rows = int(rng.integers(1, rows + 1))
    inputs = int(rng.integers(1, rows + 1)) if hardware.input_index else physical_rows
    groups = -(-physical_rows // hardware.group_rows)
    spans = rng.integers(hardware.input_bits, hardware.converted_bits + 1, size=groups)
    size = TileSize(inputs, physical_rows, int(rng.integers(1, columns + 1)))
    return hardware, size, [int(span) for span in spans]


def test_steady_state_of_any_tile():
    """The slowest stage sets the pace; only vectors of a clock or two wait more."""
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    waited = 0
    for _ in range(RUNS):
        hardware, size, spans = random_tile(rng)
        few, many = (run_cycles(hardware, [sum(spans)] * n, [size] * n) for n in (60, 120))
        measured, steady = (many - few) / 60, steady_cycles(hardware, spans, size)
        if steady < 2 + hardware.input_index:
            assert steady <= measured <= steady + 1
            waited += measured != steady
        else:
            assert measured == steady, (hardware, size, spans)
    assert waited
