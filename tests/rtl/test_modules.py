"""All cases of the hardware modules, in emitted Verilog under cocotb."""

import contextlib
from pathlib import Path

import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from rtl_gen.emit import emit_verilog
from rtl_gen.tb.run import _import_path, use_verilator
from tests.cases.case import SEED
from tests.cases.catalogue import CASES
from tests.ecp5 import ecp5_models
from tests.simulators import SMALL
from tests.support import flat_ports

ROOT = Path(__file__).parents[2]

TOP = "sme_case"

VERILATOR_TOO = (
    "group_scheduler-slc",
    "group_scheduler-sets-reordered",
    "shift_add-no-shifts",
    "compute_unit-mlc-free-shifts",
    "compute_unit-sets-reordered",
)
"""Cases that must also agree in the second simulator, whose rules differ."""

ECP5 = (
    *("array_macro-mlc-free-shifts", "block_memory-37x17", "block_memory-80x512"),
    *("compute_unit-slc", "compute_unit-tall", "crossbar_bank-mlc-free-shifts"),
    *("crossbar_bank-tall", "input_register-zero-skip", "result_buffer-narrow", "splice-slc"),
    *("splice-no-shifts", "shift_add-slc", "shift_add-four-lanes"),
)
"""Cases of modules, and sizes, in which the primitives of that target are used."""

RUNS = [
    *((name, SMALL, "portable") for name in CASES),
    *((name, "verilator", "portable") for name in VERILATOR_TOO if SMALL != "verilator"),
    *((name, SMALL, "ecp5") for name in ECP5),
]

BUILD_ARGS = {
    "icarus": [],
    # Yosys cuts and extends without being explicit about it, which Verilator warns of.
    "verilator": ["-Wno-fatal"],
}


@pytest.mark.rtl
@pytest.mark.parametrize(("name", "simulator", "target"), RUNS)
def test_verilog_matches_golden(tmp_path: Path, name: str, simulator: str, target: str) -> None:
    """Every output is as expected, in the clock in which it is expected."""
    case = CASES[name]
    component = case.component()
    (tmp_path / "case.json").write_text(case.to_json(flat_ports(component)))
    source = tmp_path / "design.v"
    text = emit_verilog(component, TOP, target)
    assert any(cell in text for cell in ("CCU2C", "DP16KD", "MULT18X18D")) == (target == "ecp5")
    source.write_text(text)
    sources = [source, *(ecp5_models(tmp_path) if target == "ecp5" else [])]
    if simulator == "verilator":
        use_verilator()
    log, results = tmp_path / "sim.log", tmp_path / "results.xml"
    print(f"seed {SEED}, log {log}")

    runner = get_runner(simulator)
    runner.build(
        sources=sources,
        hdl_toplevel=TOP,
        build_args=BUILD_ARGS[simulator],
        build_dir=tmp_path,
        timescale=("1ns", "1ps"),
        log_file=tmp_path / "build.log",
    )
    # The runner exits when a test failed; what the test said is in the log.
    with _import_path(ROOT), contextlib.suppress(SystemExit):
        runner.test(
            hdl_toplevel=TOP,
            test_module="tests.rtl.tb_case",
            test_dir=tmp_path,
            results_xml=str(results),
            seed=SEED,
            log_file=log,
        )
    assert results.exists(), log.read_text()
    assert get_results(results) == (len(case.stalls), 0), log.read_text()
