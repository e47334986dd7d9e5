"""A script that packages a design with AXI ports as IP for Vivado's block designs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

__all__ = ["SCRIPT_FILE", "Interface", "find_interface", "package_script"]

SCRIPT_FILE = "package_ip.tcl"

_STREAM = "axis"
_REGISTERS = "aximm"
"""AXI4-Lite: for Vivado, a protocol of its memory-mapped AXI."""

_DRIVEN_BY_MASTER = {
    _STREAM: {"TVALID", "TDATA", "TSTRB", "TKEEP", "TLAST", "TID", "TDEST", "TUSER"},
    _REGISTERS: {
        *("AWADDR", "AWPROT", "AWVALID", "WDATA", "WSTRB", "WVALID", "BREADY"),
        *("ARADDR", "ARPROT", "ARVALID", "RREADY"),
    },
}
_DRIVEN_BY_SLAVE = {
    _STREAM: {"TREADY"},
    _REGISTERS: {
        *("AWREADY", "WREADY", "BRESP", "BVALID", "ARREADY", "RDATA", "RRESP", "RVALID"),
    },
}
_NEEDED = {
    _STREAM: {"TVALID", "TREADY", "TDATA"},
    _REGISTERS: _DRIVEN_BY_MASTER[_REGISTERS] - {"AWPROT", "ARPROT"} | _DRIVEN_BY_SLAVE[_REGISTERS],
}

_LEAST_RANGE = 4096
"""Bytes; Vivado does not give away less address space."""

Ports = Sequence[Mapping[str, Any]]
"""As :func:`rtl_gen.ports.describe_ports` returns them."""


@dataclass(frozen=True)
class Interface:
    """An AXI interface of a module.

    Parameters
    ----------
    name : str
    kind : str
        ``"axis"`` (AXI4-Stream) or ``"aximm"`` (AXI4-Lite).
    mode : str
        ``"slave"`` or ``"master"``.
    signals : mapping of str to str
        Ports by the names of AXI's signals, ``TDATA`` for example.
    address_bits : int
        Width of a byte address; 0 for a stream.
    """

    name: str
    kind: str
    mode: str
    signals: Mapping[str, str]
    address_bits: int


def find_interface(name: str, ports: Ports) -> Interface:
    """Return the interface whose ports are called ``name``, an underscore, and AXI's signal.

    Parameters
    ----------
    name : str
        For example ``s_axi`` or ``m_axis_result``.
    ports : sequence of mapping
        All ports of the module.

    Raises
    ------
    ValueError
        Signals are missing, unknown, or of the wrong direction.
    """
    found = {
        port["name"].removeprefix(f"{name}_").upper(): port
        for port in ports
        if port["name"].startswith(f"{name}_")
    }
    kind = _STREAM if "TVALID" in found else _REGISTERS
    if missing := _NEEDED[kind] - set(found):
        raise ValueError(f"{name} lacks {', '.join(sorted(missing))}")
    if unknown := set(found) - _DRIVEN_BY_MASTER[kind] - _DRIVEN_BY_SLAVE[kind]:
        raise ValueError(f"{name} has {', '.join(sorted(unknown))}, which AXI does not")
    valid = found["TVALID" if kind == _STREAM else "AWVALID"]
    mode = "slave" if valid["direction"] == "input" else "master"
    for signal, port in found.items():
        driven = (signal in _DRIVEN_BY_MASTER[kind]) == (mode == "master")
        if port["direction"] != ("output" if driven else "input"):
            raise ValueError(f"{port['name']} of a {mode} is an {port['direction']}")
    return Interface(
        name,
        kind,
        mode,
        {signal: port["name"] for signal, port in sorted(found.items())},
        found["AWADDR"]["width"] if kind == _REGISTERS else 0,
    )


def package_script(
    top: str,
    files: Sequence[str],
    ports: Ports,
    interfaces: Sequence[Interface],
    *,
    plain: Sequence[str] = (),
) -> str:
    """Return ``package_ip.tcl``: ``vivado -mode batch -source package_ip.tcl`` makes the IP.

    It lies beside the design; the IP is written to the folder ``ip`` there.

    Parameters
    ----------
    top : str
        The module to package. Its clock is ``clk``, its reset ``rst``, active high.
    files : sequence of str
        Verilog to package.
    ports : sequence of mapping
        All ports of the module.
    interfaces : sequence of Interface
    plain : sequence of str
        Ports that belong to no interface.

    Raises
    ------
    ValueError
        A port is left out, named twice, or not there.
    """
    named = ["clk", "rst", *plain, *(p for i in interfaces for p in i.signals.values())]
    if sorted(named) != sorted(port["name"] for port in ports):
        difference = set(named) ^ {port["name"] for port in ports}
        raise ValueError(f"ports of no or several interfaces: {', '.join(sorted(difference))}")
    release = ".".join(version("sme").split(".")[:2])
    lines = [
        f"# Packages {top} as IP: vivado -mode batch -source {SCRIPT_FILE}",
        "set here [file dirname [file normalize [info script]]]",
        "create_project -force package_ip [file join $here ip_project]",
        f"foreach name {{{' '.join(files)}}} {{ add_files -norecurse [file join $here $name] }}",
        f"set_property top {top} [current_fileset]",
        "update_compile_order -fileset sources_1",
        "ipx::package_project -root_dir [file join $here ip] -vendor sme -library user "
        "-taxonomy /UserIP -import_files -force",
        "set core [ipx::current_core]",
        f"set_property name {top} $core",
        f"set_property version {release} $core",
        f"set_property display_name {top} $core",
        "set_property description {Bit-sparse ReRAM-crossbar accelerator, emulated} $core",
        "",
        "# Interfaces are those below, not what was guessed from the names of ports.",
        "ipx::remove_all_bus_interface $core",
        "foreach map [ipx::get_memory_maps -of_objects $core] {",
        "    ipx::remove_memory_map [get_property name $map] $core",
        "}",
        "proc add_interface {core name type mode signals} {",
        "    set bus [ipx::add_bus_interface $name $core]",
        "    set_property abstraction_type_vlnv xilinx.com:${type}_rtl:1.0 $bus",
        "    set_property bus_type_vlnv xilinx.com:${type}:1.0 $bus",
        "    set_property interface_mode $mode $bus",
        "    foreach {logical physical} $signals {",
        "        set_property physical_name $physical [ipx::add_port_map $logical $bus]",
        "    }",
        "    return $bus",
        "}",
        "",
    ]
    for interface in interfaces:
        lines += _interface(interface)
    buses = ":".join(interface.name for interface in interfaces)
    lines += [
        "set bus [add_interface $core clk signal:clock slave {CLK clk}]",
        f"set_property value {buses} [ipx::add_bus_parameter ASSOCIATED_BUSIF $bus]",
        "set_property value rst [ipx::add_bus_parameter ASSOCIATED_RESET $bus]",
        "set bus [add_interface $core rst signal:reset slave {RST rst}]",
        "set_property value ACTIVE_HIGH [ipx::add_bus_parameter POLARITY $bus]",
        "",
        "ipx::create_xgui_files $core",
        "ipx::update_checksums $core",
        "ipx::check_integrity $core",
        "ipx::save_core $core",
        "close_project",
    ]
    return "\n".join(lines) + "\n"


def _interface(interface: Interface) -> list[str]:
    """Return the commands that add an interface and, if it has registers, their addresses."""
    width = max(map(len, interface.signals)) + 1
    name, kind, mode = interface.name, interface.kind, interface.mode
    signals = [f"    {signal:{width}}{port}" for signal, port in interface.signals.items()]
    lines = [f"set bus [add_interface $core {name} interface:{kind} {mode} {{", *signals, "}]"]
    if kind == _REGISTERS:
        size = max(_LEAST_RANGE, 1 << interface.address_bits)
        lines += [
            "set_property value AXI4LITE [ipx::add_bus_parameter PROTOCOL $bus]",
            f"set map [ipx::add_memory_map {name} $core]",
            f"set_property slave_memory_map_ref {name} $bus",
            "set block [ipx::add_address_block registers $map]",
            "set_property base_address 0 $block",
            f"set_property range {size} $block",
            "set_property width 32 $block",
            "set_property usage register $block",
        ]
    return [*lines, ""]
