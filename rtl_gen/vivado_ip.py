"""A script that packages a design with AXI ports as IP for Vivado's block designs."""

from collections.abc import Sequence
from importlib.metadata import version

from .axi_interfaces import CLOCK, MEMORY_MAPPED, RESET, Interface, Ports, clock_and_reset

__all__ = ["SCRIPT_FILE", "package_script"]

SCRIPT_FILE = "package_ip.tcl"

_LEAST_RANGE = 4096
"""Bytes; Vivado does not give away less address space."""


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
        The module to package.
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
    named = [CLOCK, RESET, *plain, *(p for i in interfaces for p in i.signals.values())]
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
    for single in clock_and_reset([interface.name for interface in interfaces]):
        kind, connection = f"signal:{single.kind}", f"{{{single.signal} {single.port}}}"
        lines.append(f"set bus [add_interface $core {single.port} {kind} slave {connection}]")
        lines += [
            f"set_property value {value} [ipx::add_bus_parameter {key} $bus]"
            for key, value in single.parameters.items()
        ]
    lines += [
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
    if kind == MEMORY_MAPPED:
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
