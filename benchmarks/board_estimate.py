"""Fit the estimate of boards to syntheses: ``python -m benchmarks.board_estimate``.

Needs the extra ``fpga``. Compute units of seeded random parameters are synthesised for every FPGA
family (``--measure N`` more of them; half a minute each) and kept beside this file; what
:mod:`rtl_gen.boards.estimate` weighs its terms with is fitted to all of them, and kept with
``--update``. Prints how far off the estimate is, on units that it was fitted to and, leaving each
of them out in turn, on others.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track
from scipy.optimize import nnls

from rtl_gen.boards.estimate import TERMS, WEIGHTS_FILE, terms
from rtl_gen.boards.families import FAMILIES, resources
from rtl_gen.boards.memories import MemoryShape, memories
from rtl_gen.boards.tools import find_tool
from rtl_gen.emit import emit_verilog
from rtl_gen.files import staged_file, write_json
from rtl_gen.generate import TOP
from sim.mapping import load_parameters
from sme_hw.compute_unit import ComputeUnit
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

from .command import run_command

__all__ = ["MEASURED", "SYNTHESIS", "fit", "measure", "random_options", "read", "unit"]

MEASURED = Path(__file__).parent / "baselines" / "board_estimate.json"
"""What was synthesised: family, options, and figures."""

SYNTHESIS = {
    "ice40": "synth_ice40",
    "ecp5": "synth_ecp5 -nowidelut",
    "xilinx7": "synth_xilinx -family xc7 -noiopad -noclkbuf -flatten",
}
"""Commands of Yosys for a unit without pins."""

_FITTED = ("LUT", "FF")


def random_options(rng: np.random.Generator) -> dict[str, Any]:
    """Return random options of a small unit, changes to the preset ``paper``."""
    size = int(rng.choice([8, 12, 16, 20, 24, 32, 40, 48]))
    options: dict[str, Any] = {"rows": size, "cols": size}
    options["adc_bits"] = ["lossless", 4, 5, 6][rng.integers(4)]
    options["cell_bits"] = 1 + int(rng.random() < 0.15)
    options["squeeze"] = int(rng.integers(5)) // options["cell_bits"] * options["cell_bits"]
    sometimes = {
        "rows_active": min(size, [4, 8, 9, 16][rng.integers(4)]),
        "grouping": "shift",
        "policy": "minimal",
        "emulation_lanes": 2,
        "adcs_per_crossbar": 2,
        "weight_sets": 2 + int(rng.integers(3)),
        "input_bits": [4, 12, 16][rng.integers(3)],
        "signed_inputs": True,
        "zero_skip": True,
        "inputs_per_beat": 2,
    }
    return options | {key: value for key, value in sometimes.items() if rng.random() < 0.25}


def measure(family: str, options: dict[str, Any], steps: str = "") -> dict[str, int]:
    """Return what a compute unit takes after synthesis.

    Parameters
    ----------
    family : str
    options : dict
        Changes to the preset ``paper``.
    steps : str
        More arguments for the synthesis, to end it early.
    """
    component = ComputeUnit(hardware=load_parameters("paper", **options).hardware)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.v").write_text(emit_verilog(component, TOP, FAMILIES[family].target))
        script = (
            f"read_verilog design.v; {SYNTHESIS[family]} {steps} -top {TOP}; "
            "tee -q -o stat.json stat -json"
        )
        command = [find_tool("yosys"), "-q", "-p", script]
        subprocess.run(command, cwd=folder, check=True, stderr=subprocess.DEVNULL)
        statistics = json.loads((folder / "stat.json").read_text())
    return resources(FAMILIES[family].cells, statistics["design"]["num_cells_by_type"])


def read() -> list[dict[str, Any]]:
    """Return all that was measured."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


@cache
def _memories(hardware: HardwareParams) -> Counter[MemoryShape]:
    return memories(ComputeUnit(hardware=hardware))


def unit(record: dict[str, Any]) -> tuple[HardwareParams, Counter[MemoryShape]]:
    """Return parameters and memories of a unit that was measured."""
    hardware = load_parameters("paper", **record["options"]).hardware
    return hardware, _memories(hardware)


def _terms(record: dict[str, Any]) -> list[float]:
    values = terms(*unit(record), record["family"])
    return [values[term] for term in TERMS]


def _relative(values: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return the weights with the least squared relative errors; none is negative."""
    weights, _ = nnls(values / measured[:, None], np.ones(len(measured)))
    return weights


def fit(records: list[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Return the weights for every family and figure, and lines that say how far off they are.

    Parameters
    ----------
    records : list of dict
        As of :func:`read`.
    """
    weights: dict[str, Any] = {}
    lines = []
    for family in FAMILIES:
        own = [record for record in records if record["family"] == family]
        values = np.array([_terms(record) for record in own])
        weights[family] = {}
        for figure in _FITTED:
            measured = np.array([record[figure] for record in own], float)
            found = _relative(values, measured)
            rounded = [float(f"{weight:.3g}") for weight in found]
            weights[family][figure] = dict(zip(TERMS, rounded, strict=True))
            inside = values @ np.array(rounded) / measured - 1
            others = [np.arange(len(own)) != k for k in range(len(own))]
            outside = np.array(
                [
                    values[k] @ _relative(values[keep], measured[keep]) / measured[k] - 1
                    for k, keep in enumerate(others)
                ]
            )
            lines.append(
                f"{family} {figure}, {len(own)} units: {100 * inside.min():+.1f} to "
                f"{100 * inside.max():+.1f} %, root of mean square "
                f"{100 * np.sqrt((inside**2).mean()):.1f} %; left out "
                f"{100 * outside.min():+.1f} to {100 * outside.max():+.1f} %, "
                f"{100 * np.sqrt((outside**2).mean()):.1f} %"
            )
    return weights, lines


def run(arguments: argparse.Namespace) -> None:
    """Measure, fit, print and keep."""
    records = read()
    known = {json.dumps([record["family"], record["options"]]) for record in records}
    rng = np.random.default_rng(arguments.seed)
    for _ in track(range(arguments.measure), description="units"):
        options = random_options(rng)
        try:
            load_parameters("paper", **options)
        except InputError:
            continue
        for family in FAMILIES:
            if json.dumps([family, options]) not in known:
                figures = measure(family, options)
                records.append({"family": family, "options": options, **figures})
    weights, lines = fit(records)
    print("\n".join(lines))
    if arguments.update:
        for path, content in ((MEASURED, records), (WEIGHTS_FILE, weights)):
            with staged_file(path) as temporary:
                write_json(temporary, content)


def main() -> int:
    """Run the command; exit codes are 0, and 2 for bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", type=int, default=0, help="synthesise so many more units")
    parser.add_argument("--seed", type=int, default=2026, help="of their parameters")
    parser.add_argument("--update", action="store_true", help="keep measurements and weights")
    return run_command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
