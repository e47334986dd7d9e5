"""A Vivado project for a Zynq: processors, interconnects, DMA, and a unit with AXI buses."""

import re
from importlib import resources

from rtl_gen.axi import axi_ports
from rtl_gen.axi_interfaces import CLOCK, RESET, Ports, clock_and_reset
from sme_hw.bus.axi_unit import INPUTS, INTERFACES, PROGRAM, REGISTERS, RESULTS
from sme_hw.bus.lanes import bus_lanes
from sme_hw.errors import InputError, ParameterError

from .board import Board
from .estimate import Design

__all__ = ["WRAPPER", "zynq_files"]

WRAPPER = "sme_zynq_unit"
"""Module around the unit that says which of its ports belong together."""

_BASE = 0x4000_0000
"""Address of the unit's registers for the processors; the DMAs follow, 64 KiB each."""

_DMA_BYTES_MAX = 128


def _wrapper(ports: Ports, unit: str) -> str:
    """Return Verilog with the ports of the unit, and attributes for Vivado's block designs."""
    attributes = {}
    for single in clock_and_reset(INTERFACES):
        known = f"xilinx.com:signal:{single.kind}:1.0 {single.port} {single.signal}"
        more = ", ".join(f"{key} {value}" for key, value in single.parameters.items())
        attributes[single.port] = (
            f'(* X_INTERFACE_INFO = "{known}" *)\n    (* X_INTERFACE_PARAMETER = "{more}" *)\n    '
        )
    declarations = []
    for port in ports:
        name, span = port["name"], f"[{port['width'] - 1}:0] " if port["width"] > 1 else ""
        declarations.append(f"{attributes.get(name, '')}{port['direction']} wire {span}{name}")
    text = ",\n    ".join(declarations)
    connections = ",\n        ".join(f".{port['name']}({port['name']})" for port in ports)
    return (
        f"module {WRAPPER}(\n    {text}\n);\n"
        f"    {unit} unit(\n        {connections}\n    );\nendmodule\n"
    )


def zynq_files(board: Board, part: str, design: Design, unit: str) -> dict[str, str]:
    """Return the files of a Vivado project but for the unit's Verilog.

    ``vivado -mode batch -source build.tcl`` builds it. The wrapper, the block design and the build
    were never run in Vivado here.

    Parameters
    ----------
    board : Board
    part : str
        Name of the device for Vivado.
    design : Design
        With an :class:`sme_hw.bus.axi_unit.AxiUnit`.
    unit : str
        Name of its module.

    Returns
    -------
    dict
        Text by file name.

    Raises
    ------
    InputError
        Its streams do not suit the DMA.
    """
    hardware = design.hardware
    if hardware.weight_sets > 1:
        raise ParameterError(
            "weight_sets", hardware.weight_sets, f"{board.name} has a DMA, which knows one set"
        )
    lanes = bus_lanes(hardware, design.units)
    for key, size in (
        ("inputs_per_beat", lanes.input_beat),
        ("results_per_beat", lanes.result_beat),
    ):
        if size & (size - 1) or size > _DMA_BYTES_MAX:
            allowed = f"a beat of 1, 2, 4 ... {_DMA_BYTES_MAX} bytes is needed for the DMA, not of"
            raise InputError(f"{key} is not possible on {board.name}: {allowed} {size}")
    ports = axi_ports(design.component)
    widths = {port["name"]: port["width"] for port in ports}
    values = {
        "part": part,
        "unit_file": f"{unit}.v",
        "wrapper": WRAPPER,
        "clock_mhz": f"{board.clock_hz / 1e6:g}",
        "registers": REGISTERS,
        "program": PROGRAM,
        "inputs": INPUTS,
        "results": RESULTS,
        "clock": CLOCK,
        "reset": RESET,
        "program_bits": str(widths[f"{PROGRAM}_tdata"]),
        "input_bits": str(widths[f"{INPUTS}_tdata"]),
        "result_bits": str(widths[f"{RESULTS}_tdata"]),
        "board_part": board.board_part,
        "unit_base": f"0x{_BASE:08x}",
        "program_base": f"0x{_BASE + 0x1_0000:08x}",
        "data_base": f"0x{_BASE + 0x2_0000:08x}",
    }
    template = (resources.files("rtl_gen") / "boards" / "zynq.tcl").read_text("utf-8")
    script = re.sub(r"@(\w+)@", lambda match: values[match[1]], template)
    timing = "".join(f"{line}\n" for line in board.timing)
    return {
        f"{WRAPPER}.v": _wrapper(ports, unit),
        "build.tcl": script,
        "timing.xdc": timing,
    }
