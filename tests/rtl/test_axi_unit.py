"""The AXI4 wrapper under cocotbext-axi."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from rtl_gen.emit import emit_verilog
from rtl_gen.tb.run import _import_path, use_verilator
from sim.cosim.jobs import make_job
from sim.golden.bus_unit import input_bytes, result_bytes
from sme_hw.bus.axi_unit import AxiUnit
from sme_hw.bus.registers import as_json, register_map
from sme_hw.cycles import clip_settle_cycles
from sme_hw.pack import in_order, pack
from tests.cases.case import SEED
from tests.cases.hardware import HARDWARE, random_image, random_inputs
from tests.random_cases import seeded
from tests.rtl.axi_bench import AxiRun, write_runs
from tests.simulators import SMALL

pytestmark = pytest.mark.rtl

ROOT = Path(__file__).parents[2]
TOP = "sme_axi_unit"
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
    vectors = in_order(order, [input_bytes(values, hardware) for values in inputs])
    results = in_order(order, [result_bytes(part, hardware) for part in job.results])
    return AxiRun(
        program=pack(images, hardware).astype("<u4").tobytes().hex(),
        inputs=[(int(s), data.hex()) for s, data in zip(order, vectors, strict=True)],
        results=b"".join(results).hex(),
        vectors=len(order),
        cycles=job.cycles + BUS_CLOCKS,
        clips=[] if hardware.merged else job.clips.tolist(),
    )


@pytest.mark.parametrize("name", SETS)
def test_axi_unit(tmp_path, name):
    """Registers and streams do what they should, with pauses and without."""
    rng = seeded(61)
    hardware = HARDWARE[name]
    write_runs(
        tmp_path,
        [axi_run(rng, hardware) for _ in range(2)],
        registers=as_json(register_map(hardware, 1)),
        clip_settle=clip_settle_cycles(hardware.planes, hardware.clip_flags) + 2,
        input_bits=hardware.input_bits,
        seed=SEED,
    )
    source = tmp_path / "design.v"
    source.write_text(emit_verilog(AxiUnit(hardware=hardware, units=1), TOP))
    if SMALL == "verilator":
        use_verilator()
    log, results = tmp_path / "sim.log", tmp_path / "results.xml"
    runner = get_runner(SMALL)
    runner.build(
        sources=[source],
        hdl_toplevel=TOP,
        build_args=["-Wno-fatal"] if SMALL == "verilator" else [],
        build_dir=tmp_path,
        timescale=("1ns", "1ps"),
        log_file=tmp_path / "build.log",
    )
    with _import_path(ROOT), contextlib.suppress(SystemExit):
        runner.test(
            hdl_toplevel=TOP,
            test_module="tests.rtl.tb_axi_unit",
            test_dir=tmp_path,
            results_xml=str(results),
            seed=SEED,
            log_file=log,
        )
    assert results.exists(), log.read_text()
    assert get_results(results) == (TESTS, 0), log.read_text()[-6000:]
