"""The compute unit on AXI4: wrapper, registers for software, and a script that packages it."""

from typing import Any

from amaranth.lib import wiring

from sme_hw.array_program import array_memory_map
from sme_hw.bus.axi_unit import INPUTS, INTERFACES, PROGRAM, REGISTERS, RESULTS, AxiUnit
from sme_hw.bus.lanes import bus_lanes
from sme_hw.bus.registers import as_json, fingerprint, register_map
from sme_hw.compute_unit import ComputeUnit
from sme_hw.params import HardwareParams

from .axi_interfaces import CLOCK, RESET, find_interface
from .emit import emit_without
from .ports import describe_ports
from .registers import register_files
from .vivado_ip import SCRIPT_FILE, package_script

__all__ = ["AXI_DESIGN", "AXI_TOP", "axi_files", "axi_ports"]

AXI_TOP = "sme_axi_unit"
AXI_DESIGN = "design_axi.v"
"""The wrapper alone: it instantiates the unit of ``design.v``."""

_MEANINGS = {
    CLOCK: "clock of all interfaces",
    RESET: "synchronous reset, active high",
    REGISTERS: "AXI4-Lite: the registers",
    PROGRAM: "AXI4-Stream: program words, see memory_map",
    INPUTS: "AXI4-Stream: input vectors in row order, lanes.input_bytes each; tdest is the "
    "weight set",
    RESULTS: "AXI4-Stream: results in column order, lanes.result_bytes each; tlast ends a "
    "packet of result_packet vectors",
}


def axi_ports(component: wiring.Component) -> list[dict[str, Any]]:
    """Return the ports of the wrapper, as :func:`rtl_gen.ports.describe_ports` does.

    Parameters
    ----------
    component : AxiUnit
    """
    # Signals of an interface mean what AXI says; what the interface is for stands with each.
    meanings = _MEANINGS | {
        name: next(_MEANINGS[prefix] for prefix in INTERFACES if name.startswith(f"{prefix}_"))
        for name in component.signature.members
    }
    return describe_ports(component, meanings)


def axi_files(
    hardware: HardwareParams, units: int, design: str, target: str
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what is written for AXI4 beside a compute unit, and its entry of the manifest.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Compute units behind the bus.
    design : str
        Name of the file with the compute unit.
    target : str
        What Verilog is emitted for (:mod:`sme_hw.target`).

    Returns
    -------
    files : dict of str to str
        Texts by their files' names.
    dict
        Plain JSON values.
    """
    component = AxiUnit(hardware=hardware, units=units)
    verilog, _ = emit_without(ComputeUnit, component, AXI_TOP, target, prefix="sme")
    registers, lanes = register_map(hardware, units), bus_lanes(hardware, units)
    ports = axi_ports(component)
    rtl = [design, AXI_DESIGN]
    interfaces = [find_interface(name, ports) for name in INTERFACES]
    files = {
        AXI_DESIGN: verilog,
        **register_files(registers, AXI_TOP),
        SCRIPT_FILE: package_script(AXI_TOP, rtl, ports, interfaces),
    }
    return files, {
        "top": AXI_TOP,
        "rtl": rtl,
        "files": [name for name in files if name != AXI_DESIGN],
        "units": units,
        "fingerprint": f"{fingerprint(hardware, units):016x}",
        "lanes": {
            "input_bytes": lanes.input_lane,
            "result_bytes": lanes.result_lane,
            "input_beat_bytes": lanes.input_beat,
            "result_beat_bytes": lanes.result_beat,
        },
        "registers": as_json(registers),
        "memory_map": array_memory_map(units) if units > 1 else [],
        "ports": ports,
    }
