"""The AXI4 wrapper under cocotbext-axi."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from rtl_gen.generate import generate
from rtl_gen.tb.run import _import_path, use_verilator
from sim.cosim.jobs import make_job
from sim.golden.bus_unit import input_bytes, result_bytes
from sim.golden.tile_array import tile_array_sets
from sme_hw.array_cycles import array_clip_settle_cycles
from sme_hw.array_pack import pack_array
from sme_hw.cycles import clip_settle_cycles
from sme_hw.pack import in_order, pack
from tests.cases.array_run import ArrayRun, random_array, random_packets
from tests.cases.case import SEED
from tests.cases.hardware import HARDWARE, random_image, random_inputs
from tests.random_cases import seeded
from tests.rtl.axi_bench import AxiRun, write_runs
from tests.simulators import SMALL

pytestmark = pytest.mark.rtl

ROOT = Path(__file__).parents[2]
SETS = ("slc", "mlc-free-shifts", "coarse-adc", "narrow", "sets-reordered")
TESTS = 6
"""Of the testbench."""

BUS_CLOCKS = 2
"""A register at either end of the streams."""


def axi_run(rng, hardware):
    """Return a random job as bytes."""
    sizes = [
        (hardware.rows, hardware.cols),
        tuple(int(rng.integers(1, n + 1)) for n in (hardware.rows, hardware.cols)),
    ]
    images = [random_image(rng, hardware, *sizes[s % 2]) for s in range(hardware.weight_sets)]
    order = rng.permutation(np.repeat(np.arange(len(images)), 7))
    inputs = [random_inputs(rng, hardware, 7, image.inputs) for image in images]
    job = make_job("", images, hardware, inputs, order)
    vectors = in_order(order, [input_bytes([values], hardware, 1) for values in inputs])
    results = in_order(order, [result_bytes([part], hardware, 1) for part in job.results])
    return AxiRun(
        program=pack(images, hardware).astype("<u4").tobytes().hex(),
        inputs=[(int(s), data.hex()) for s, data in zip(order, vectors, strict=True)],
        results=b"".join(results).hex(),
        vectors=len(order),
        cycles=job.cycles + BUS_CLOCKS,
        clips=[] if hardware.merged else job.clips.tolist(),
    )


def array_run(rng, hardware, units):
    """Return random vectors of a random arrangement of tiles as bytes."""
    sets = hardware.weight_sets
    images = [random_array(rng, hardware, units if s == 0 else 1) for s in range(sets)]
    packets = [random_packets(rng, hardware, image, 5) for image in images]
    order = rng.permutation(np.repeat(np.arange(sets), 5))
    run = ArrayRun(hardware, units, images, packets, order)
    sums, clips = tile_array_sets(images, hardware, units, packets)
    vectors = in_order(order, [input_bytes(own, hardware, units) for own in packets])
    results = in_order(order, [result_bytes(own, hardware, units) for own in sums])
    return AxiRun(
        program=pack_array(images, hardware, units).astype("<u4").tobytes().hex(),
        inputs=[(int(s), data.hex()) for s, data in zip(order, vectors, strict=True)],
        results=b"".join(results).hex(),
        vectors=len(order),
        cycles=run.clocks + BUS_CLOCKS,
        clips=[] if hardware.merged else clips.ravel().tolist(),
    )


@pytest.mark.parametrize(
    ("name", "units"), [*((name, 1) for name in SETS), ("coarse-adc", 3), ("sets-reordered", 2)]
)
def test_axi_unit(tmp_path, name, units):
    """Registers and streams do what they should, with pauses and without."""
    rng = seeded(61)
    hardware = HARDWARE[name]
    if units == 1:
        runs = [axi_run(rng, hardware) for _ in range(2)]
        settle = clip_settle_cycles(hardware.planes, hardware.clip_flags)
    else:
        runs = [array_run(rng, hardware, units) for _ in range(2)]
        settle = array_clip_settle_cycles(hardware.planes, hardware.clip_flags)
    manifest = generate(hardware, tmp_path / "design", [], axi_units=units)
    write_runs(
        tmp_path,
        runs,
        registers=manifest["axi"]["registers"],
        clip_settle=settle + 2,
        input_bits=hardware.input_bits,
        planes=hardware.planes,
        seed=SEED,
    )
    if SMALL == "verilator":
        use_verilator()
    log, results = tmp_path / "sim.log", tmp_path / "results.xml"
    runner = get_runner(SMALL)
    runner.build(
        sources=[tmp_path / "design" / name for name in manifest["axi"]["rtl"]],
        hdl_toplevel=manifest["axi"]["top"],
        build_args=["-Wno-fatal"] if SMALL == "verilator" else [],
        build_dir=tmp_path,
        timescale=("1ns", "1ps"),
        log_file=tmp_path / "build.log",
    )
    with _import_path(ROOT), contextlib.suppress(SystemExit):
        runner.test(
            hdl_toplevel=manifest["axi"]["top"],
            test_module="tests.rtl.tb_axi_unit",
            test_dir=tmp_path,
            results_xml=str(results),
            seed=SEED,
            log_file=log,
        )
    assert results.exists(), log.read_text()
    assert get_results(results) == (TESTS, 0), log.read_text()[-6000:]
