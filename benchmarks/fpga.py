"""Synthesise, place and route compute units: ``python -m benchmarks.fpga``.

Needs the extra ``fpga``. ``--check`` compares with the baseline, ``--update`` renews it.

LUT4 of an ECP5 are counted as nextpnr does, a carry cell as two; of a unit that is only
synthesised, without the cells that nextpnr adds to lead carries in and out. LUT4 of an iCE40 are
counted by Yosys, because nextpnr only knows logic cells: a LUT, a carry and a flip-flop. A binary
operation is an AND or its share of a popcount: a clock of all planes does 2 x rows operations for
each plane, sign, ADC and emulation lane.

A unit stands in :class:`SerialPins`: all its ports lie between registers, as in a larger design, so
that paths from and to them are in Fmax. It is kept apart during the synthesis, so that neither is
optimised into the other, and is not in the figures.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import track

from rtl_gen.boards.families import FAMILIES, resources
from rtl_gen.boards.tools import find_tool
from rtl_gen.emit import emit_verilog
from rtl_gen.files import check_writable, staged_file, write_json
from rtl_gen.generate import TOP
from sim.mapping import load_parameters
from sme_hw.compute_unit import ComputeUnit
from sme_hw.params import HardwareParams
from sme_hw.target import TARGETS

from . import baselines
from .command import run_command
from .serial_pins import SerialPins

__all__ = ["UNITS", "Device", "Unit", "critical_path", "measure", "utilisation"]

WRAPPER = TOP.removesuffix("_compute_unit")
"""Name to emit a wrapper under, so that the unit in it is called :data:`TOP`."""


@dataclass(frozen=True)
class Device:
    """An FPGA, and how its tools are called.

    Parameters
    ----------
    synthesis : str
        Command of Yosys.
    cells : dict of dict
        For each figure, how much a cell of Yosys (a pattern) adds to it.
    place : tuple of str
        nextpnr and its options.
    placed_cells : dict
        For each figure that is better taken from nextpnr, its kind of cell there, and the figure of
        :class:`SerialPins` that is in it.
    """

    synthesis: str
    cells: Mapping[str, Mapping[str, int]]
    place: tuple[str, ...]
    placed_cells: dict[str, tuple[str, str]]


def _cells(family: str, carry: str) -> dict[str, Mapping[str, int]]:
    """Return what cells of a family count as, with its carry cells apart."""
    cells = FAMILIES[family].cells
    figures = {"FF": cells["FF"], "block_RAM": cells["block_RAM"]}
    return {"LUT4": cells["LUT"], "carry": {carry: 1}, **figures}


ECP5 = Device(
    synthesis="synth_ecp5 -nowidelut",
    cells=_cells("ecp5", "CCU2C"),
    place=(
        *("nextpnr-ecp5", "--85k", "--speed", "6", "--package", "CABGA756"),
        *("--freq", "150", "--lpf-allow-unconstrained"),
    ),
    placed_cells={"LUT4": ("TRELLIS_COMB", "LUT4")},
)

ICE40_UP5K = Device(
    synthesis="synth_ice40",
    cells=_cells("ice40", "SB_CARRY"),
    place=(
        *("nextpnr-ice40", "--up5k", "--package", "sg48", "--freq", "48"),
        # With nearly all block RAMs in use, the first router may go on for ever.
        *("--router", "router2"),
    ),
    # A flip-flop of it shares its cell with a LUT.
    placed_cells={"logic_cells": ("ICESTORM_LC", "FF")},
)


@dataclass(frozen=True)
class Unit:
    """A compute unit to measure.

    Parameters
    ----------
    preset : str
    device : Device
    options : dict, optional
        What differs from the preset.
    placed : bool
        Whether it is placed and routed after the synthesis.
    target : str
        What its Verilog is emitted for (:mod:`sme_hw.target`).
    """

    preset: str
    device: Device
    options: dict[str, Any] = field(default_factory=dict)
    placed: bool = True
    target: str = TARGETS[0]

    @property
    def hardware(self) -> HardwareParams:
        """Parameters of the compute unit."""
        return load_parameters(self.preset, **self.options).hardware


UNITS = {
    # Ten planes of one bit.
    "paper": Unit("paper", ECP5, {"squeeze": 3}),
    "paper-ecp5": Unit("paper", ECP5, {"squeeze": 3}, target="ecp5"),
    "lossless": Unit("lossless", ECP5, {"squeeze": 3}),
    "lossless-ecp5": Unit("lossless", ECP5, {"squeeze": 3}, target="ecp5"),
    "small": Unit("small", ICE40_UP5K, {"squeeze": 3}),
    # The preset as it is, fourteen planes.
    "small-14": Unit("small", ICE40_UP5K),
    # For `make test`; with columns enough that there is a block RAM, and ADCs that can clip.
    "tiny": Unit("tiny", ECP5, {"squeeze": 3, "cols": 64, "adc_bits": 3}, placed=False),
}
"""What is measured."""


def synthesise(unit: Unit, folder: Path) -> dict[str, dict[str, int]]:
    """Write ``design.json`` for nextpnr; returns the number of cells of each kind by module."""
    wrapper = SerialPins(component=ComputeUnit(hardware=unit.hardware))
    verilog = emit_verilog(wrapper, WRAPPER, unit.target)
    (folder / "design.v").write_text(verilog)
    script = (
        f"read_verilog design.v; setattr -mod -set keep_hierarchy 1 {TOP}; "
        f"{unit.device.synthesis} -top {WRAPPER}; tee -q -o stat.json stat -json; "
        f"setattr -mod -unset keep_hierarchy {TOP}; flatten; write_json design.json"
    )
    subprocess.run([find_tool("yosys"), "-q", "-p", script], cwd=folder, check=True)
    modules = json.loads((folder / "stat.json").read_text())["modules"]
    return {name.lstrip("\\"): entry["num_cells_by_type"] for name, entry in modules.items()}


def utilisation(log: str) -> dict[str, tuple[int, int]]:
    """Return how many cells of each kind are used, and there, from what nextpnr prints."""
    lines = re.findall(r"(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", log)
    return {kind: (int(used), int(there)) for kind, used, there in lines}


def verilog_name(cell: str) -> str:
    """Return the name in the Verilog that the tools derived a cell's name from.

    They append what they made of it, in capital letters: ``a.sum_LUT4_Z_3`` belongs to ``a.sum``.
    """
    return re.split(r"_[A-Z]|\$[a-zA-Z]", cell, maxsplit=1)[0]


def critical_path(report: dict[str, Any]) -> dict[str, Any]:
    """Return the slowest path between flip-flops or memories from a report of nextpnr.

    Logic is all that is not routing: clock to output, LUTs and carries, setup. A hop is a
    connection that takes time; those inside a carry chain take none.
    """
    path = next(
        entry["path"]
        for entry in report["critical_paths"]
        if entry["from"] == entry["to"] != "<async>"
    )
    routing = [step["delay"] for step in path if step["type"] == "routing"]
    first, last = path[0]["from"], path[-1]["to"]
    total = sum(step["delay"] for step in path)
    names = dict.fromkeys(verilog_name(step["to"]["cell"]) for step in path)
    ends = (verilog_name(first["cell"]), verilog_name(last["cell"]))
    return {
        "from": f"{ends[0]}.{first['port']}",
        "to": f"{ends[1]}.{last['port']}",
        "through": [name for name in names if name and name not in ends],
        "total_ns": round(total, 2),
        "clock_to_output_ns": round(path[0]["delay"], 2),
        "logic_ns": round(total - sum(routing), 2),
        "routing_ns": round(sum(routing), 2),
        "hops": sum(delay > 0 for delay in routing),
    }


def place_and_route(device: Device, seed: int, folder: Path) -> tuple[str, dict[str, Any] | None]:
    """Return what nextpnr prints for ``design.json``, and its report if the design fits."""
    program, *options = device.place
    files = ["--json", "design.json", "--report", "report.json"]
    command = [find_tool(program), *options, *files, "--seed", str(seed), "--timing-allow-fail"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if any(used > there for used, there in utilisation(done.stderr).values()):
        return done.stderr, None
    if done.returncode:
        raise RuntimeError("\n".join([f"{program} failed", *re.findall("ERROR.*", done.stderr)]))
    return done.stderr, json.loads((folder / "report.json").read_text())


def speed(reports: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Return Fmax over the seeds of reports, and the critical path of the median one."""
    fmax = {}
    for seed, report in reports.items():
        (clock,) = report["fmax"].values()
        fmax[seed] = clock["achieved"]
    median = statistics.median_low(fmax.values())
    seed = next(seed for seed, value in fmax.items() if value == median)
    return {
        "fmax_MHz": round(median, 1),
        "fmax_MHz_by_seed": {str(seed): round(value, 1) for seed, value in fmax.items()},
        "critical_path": critical_path(reports[seed]),
    }


def measure(unit: Unit, seeds: Sequence[int] = (1,)) -> dict[str, Any]:
    """Return the figures of one unit, for ``--json`` and the baseline.

    One that does not fit has no Fmax, but ``short_of``, with its wrapper in it.
    """
    device, hardware = unit.device, unit.hardware
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        modules = synthesise(unit, folder)
        figures: dict[str, Any] = resources(device.cells, modules[TOP])
        if unit.placed:
            reports = {}
            for seed in seeds:
                log, report = place_and_route(device, seed, folder)
                used = utilisation(log)
                if report is None:
                    break
                reports[seed] = report
            wrapper = resources(device.cells, modules[WRAPPER])
            for key, (kind, wrapped) in device.placed_cells.items():
                figures[key] = used[kind][0] - wrapper[wrapped]
            figures |= speed(reports) if reports else {"short_of": _short_of(used)}
    conversions = hardware.clip_flags * hardware.planes
    operations = 2 * hardware.rows * conversions
    figures["operations_per_clock"] = operations
    figures["LUT4_per_operation"] = round(figures["LUT4"] / operations, 3)
    return figures


def _short_of(used: dict[str, tuple[int, int]]) -> dict[str, str]:
    return {kind: f"{have} of {there}" for kind, (have, there) in used.items() if have > there}


def text(name: str, figures: dict[str, Any]) -> str:
    """Return the lines to print for a unit."""
    cells = f", {figures['logic_cells']:,} logic cells" if "logic_cells" in figures else ""
    line = (
        f"{name}: {figures['LUT4']:,} LUT4 ({figures['LUT4_per_operation']} an operation), "
        f"{figures['carry']:,} carry cells, {figures['FF']:,} FF{cells}, "
        f"{figures['block_RAM']} block RAMs"
    )
    for kind, count in figures.get("short_of", {}).items():
        line += f"\n  does not fit: {kind} {count}"
    if "fmax_MHz" in figures:
        by_seed = figures["fmax_MHz_by_seed"].values()
        line += f", {figures['fmax_MHz']} MHz"
        if len(by_seed) > 1:
            line += f" (median of {len(by_seed)} seeds, {min(by_seed)} to {max(by_seed)})"
        path = figures["critical_path"]
        line += (
            f"\n  critical path {path['total_ns']} ns: {path['from']} -> {path['to']}"
            f"\n    logic {path['logic_ns']} (clock to output {path['clock_to_output_ns']}), "
            f"routing {path['routing_ns']}, hops {path['hops']}"
        )
        if path["through"]:
            line += f"\n    through {', '.join(path['through'])}"
    return line


def _units(argument: str) -> dict[str, Unit]:
    names = argument.split(",")
    unknown = [name for name in names if name not in UNITS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(UNITS)}")
    return {name: UNITS[name] for name in names}


def _seeds(argument: str) -> list[int]:
    return [int(seed) for seed in argument.split(",")]


def run(arguments: argparse.Namespace) -> int:
    """Measure units, print and keep them; returns the exit code."""
    check_writable(arguments.json)
    placing = {unit.device.place[0] for unit in arguments.units.values() if unit.placed}
    for program in ("yosys", *sorted(placing)):
        find_tool(program)
    measured = {}
    for name, unit in track(arguments.units.items(), description="units"):
        measured[name] = measure(unit, arguments.seeds)
        print(text(name, measured[name]), flush=True)
    if arguments.json:
        with staged_file(arguments.json) as temporary:
            write_json(temporary, measured)
    if arguments.update:
        baselines.update(measured)
    if not arguments.check:
        return 0
    baseline = baselines.read()
    lines = [
        line for name in measured for line in baselines.deviations(name, measured[name], baseline)
    ]
    print("\n".join(lines) or "as in the baseline")
    return 1 if lines else 0


def main() -> int:
    """Run the command; exit codes are 0, 1 for a deviation, and 2 for bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--units", type=_units, default=UNITS, help=f"some of {','.join(UNITS)}; all by default"
    )
    parser.add_argument(
        "--seeds", type=_seeds, default=[1], help="of place and route, such as 1,2,3; 1 by default"
    )
    parser.add_argument("--json", help="write the figures to this file")
    baseline = parser.add_mutually_exclusive_group()
    baseline.add_argument("--check", action="store_true", help="compare with the baseline")
    baseline.add_argument("--update", action="store_true", help="renew the baseline")
    return run_command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
