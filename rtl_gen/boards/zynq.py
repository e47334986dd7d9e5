"""A Vivado project for a Zynq: processors, interconnects, DMA, and a unit with AXI buses."""

import re
from importlib import resources

from amaranth.lib import wiring
from amaranth.lib.wiring import In

from sme_hw.bus.lanes import bus_lanes
from sme_hw.errors import InputError, ParameterError

from .board import Board
from .estimate import Design

__all__ = ["INTERFACES", "WRAPPER", "zynq_files"]

INTERFACES = ("s_axi", "s_axis_program", "s_axis_input", "m_axis_result")
"""Buses of the unit, as their ports begin."""

WRAPPER = "sme_zynq_unit"
"""Module around the unit that says which of its ports belong together."""

_BASE = 0x4000_0000
"""Address of the unit's registers for the processors; the DMAs follow, 64 KiB each."""

_DMA_BYTES_MAX = 128


def _wrapper(component: wiring.Component, unit: str) -> str:
    """Return Verilog with the ports of the unit, and attributes for Vivado's block designs."""
    clock = f"ASSOCIATED_BUSIF {':'.join(INTERFACES)}, ASSOCIATED_RESET rst"
    ports = [
        '(* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 clk CLK" *)\n'
        f'    (* X_INTERFACE_PARAMETER = "{clock}" *)\n    input wire clk',
        '(* X_INTERFACE_INFO = "xilinx.com:signal:reset:1.0 rst RST" *)\n'
        '    (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_HIGH" *)\n    input wire rst',
    ]
    names = ["clk", "rst"]
    for path, member, value in component.signature.flatten(component):
        names.append("__".join(map(str, path)))
        way = "input" if member.flow is In else "output"
        span = f"[{len(value) - 1}:0] " if len(value) > 1 else ""
        ports.append(f"{way} wire {span}{names[-1]}")
    text = ",\n    ".join(ports)
    connections = ",\n        ".join(f".{name}({name})" for name in names)
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
    values = {
        "part": part,
        "unit_file": f"{unit}.v",
        "wrapper": WRAPPER,
        "clock_mhz": f"{board.clock_hz / 1e6:g}",
        "input_bits": str(8 * lanes.input_beat),
        "result_bits": str(8 * lanes.result_beat),
        "board_part": board.board_part,
        "unit_base": f"0x{_BASE:08x}",
        "program_base": f"0x{_BASE + 0x1_0000:08x}",
        "data_base": f"0x{_BASE + 0x2_0000:08x}",
    }
    template = (resources.files("rtl_gen") / "boards" / "zynq.tcl").read_text("utf-8")
    script = re.sub(r"@(\w+)@", lambda match: values[match[1]], template)
    timing = "".join(f"{line}\n" for line in board.timing)
    return {
        f"{WRAPPER}.v": _wrapper(design.component, unit),
        "build.tcl": script,
        "timing.xdc": timing,
    }
