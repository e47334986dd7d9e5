"""The script that packages IP, run by a Tcl interpreter in which Vivado's commands note down."""

import re
from typing import Any

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.axi_interfaces import Interface, find_interface
from rtl_gen.emit import emit_verilog
from rtl_gen.ports import describe_ports
from rtl_gen.vivado_ip import package_script

INTERFACES = ("s_axi", "s_axis_program", "s_axis_input", "m_axis_result")
TOP = "axi_top"


def _stream(name: str, to_us: bool, **more: int) -> dict[str, Any]:
    ours, theirs = (In, Out) if to_us else (Out, In)
    widths = {"tvalid": 1, "tdata": 32, **more}
    return {
        **{f"{name}_{signal}": ours(width) for signal, width in widths.items()},
        f"{name}_tready": theirs(1),
    }


class AxiTop(wiring.Component):
    """A module with the ports of an AXI wrapper, and something that uses clock and reset."""

    def __init__(self) -> None:
        to_us = {
            **{f"{channel}{name}": bits for channel in ("aw", "ar") for name, bits in ADDRESS},
            "wdata": 32,
            "wstrb": 4,
            "wvalid": 1,
            "bready": 1,
            "rready": 1,
        }
        from_us = {
            "awready": 1,
            "wready": 1,
            "bresp": 2,
            "bvalid": 1,
            "arready": 1,
            "rdata": 32,
            "rresp": 2,
            "rvalid": 1,
        }
        super().__init__(
            {
                **{f"s_axi_{name}": In(bits) for name, bits in to_us.items()},
                **{f"s_axi_{name}": Out(bits) for name, bits in from_us.items()},
                **_stream("s_axis_program", True),
                **_stream("s_axis_input", True, tdest=2, tlast=1),
                **_stream("m_axis_result", False, tlast=1),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Register something."""
        m = Module()
        m.d.sync += self.interrupt.eq(self.s_axi_awvalid)
        return m


ADDRESS = (("addr", 14), ("prot", 3), ("valid", 1))


@pytest.fixture
def ports() -> list[dict[str, Any]]:
    """Return the ports of a module, which are those of its Verilog."""
    component = AxiTop()
    names = [path[0] for path, _, _ in component.signature.flatten(component)]
    described = describe_ports(component, dict.fromkeys(["clk", "rst", *names], ""))
    declared = re.findall(
        r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", emit_verilog(component, TOP), re.MULTILINE
    )
    in_verilog = {(name, direction, int(top or 0) + 1) for direction, top, name in declared}
    assert {(p["name"], p["direction"], p["width"]) for p in described} == in_verilog
    return described


def _interfaces(ports: list[dict[str, Any]]) -> list[Interface]:
    return [find_interface(name, ports) for name in INTERFACES]


class Vivado:
    """A Tcl interpreter with the commands of Vivado that the script needs."""

    def __init__(self) -> None:
        tkinter = pytest.importorskip("tkinter", reason="Python was built without Tcl")
        self.tcl = tkinter.Tcl()
        self.properties: dict[str, dict[str, str]] = {}
        self.done: list[str] = []
        self.tcl.eval("namespace eval ipx {}")
        things = ("bus_interface", "port_map", "bus_parameter", "memory_map", "address_block")
        for thing in things:
            suffix = ".map" if thing == "memory_map" else ""  # called like its interface
            self.tcl.createcommand(
                f"ipx::add_{thing}", lambda name, of, suffix=suffix: self._new(of, name + suffix)
            )
        self.tcl.createcommand("set_property", self._set)
        self.tcl.createcommand("ipx::current_core", lambda: "core")
        self.tcl.createcommand("ipx::get_memory_maps", lambda *_: "guessed")
        self.tcl.createcommand("get_property", lambda name, of: f"{name}-of-{of}")
        self.tcl.createcommand("current_fileset", lambda: "sources")
        for name in (
            *("create_project", "add_files", "update_compile_order", "close_project"),
            *("ipx::package_project", "ipx::remove_all_bus_interface", "ipx::remove_memory_map"),
            *("ipx::create_xgui_files", "ipx::update_checksums", "ipx::check_integrity"),
            "ipx::save_core",
        ):
            self.tcl.createcommand(name, lambda *words, name=name: self._note(name, *words))

    def _new(self, of: str, name: str) -> str:
        path = f"{of}/{name}"
        assert path not in self.properties
        self.properties[path] = {}
        return path

    def _set(self, name: str, value: str, of: str) -> None:
        self.properties.setdefault(of, {})[name] = value

    def _note(self, *words: str) -> None:
        self.done.append(" ".join(words))


def test_script_maps_every_port(ports):
    """Vivado is told about every interface, port, address range, clock and reset."""
    text = package_script(
        TOP, ["design.v", "more.v"], ports, _interfaces(ports), plain=["interrupt"]
    )
    vivado = Vivado()
    vivado.tcl.eval(text)
    found = vivado.properties
    mapped = {
        path: values["physical_name"] for path, values in found.items() if "physical_name" in values
    }
    assert sorted([*mapped.values(), "interrupt"]) == sorted(port["name"] for port in ports)
    for path, port in mapped.items():
        core, interface, signal = path.split("/")
        assert (core, port) in (
            ("core", f"{interface}_{signal.lower()}"),
            ("core", interface),  # clk, rst
        )
    modes = {path: v["interface_mode"] for path, v in found.items() if "interface_mode" in v}
    assert modes == {
        **{f"core/{name}": "slave" for name in ("s_axi", "s_axis_program", "s_axis_input")},
        "core/m_axis_result": "master",
        "core/clk": "slave",
        "core/rst": "slave",
    }
    kinds = {"s_axi": "aximm", "m_axis_result": "axis"}
    for name, kind in kinds.items():
        assert found[f"core/{name}"]["bus_type_vlnv"] == f"xilinx.com:interface:{kind}:1.0"
        abstraction = found[f"core/{name}"]["abstraction_type_vlnv"]
        assert abstraction == f"xilinx.com:interface:{kind}_rtl:1.0"
    assert found["core/clk/ASSOCIATED_BUSIF"]["value"] == ":".join(INTERFACES)
    assert found["core/clk/ASSOCIATED_RESET"]["value"] == "rst"
    assert found["core/rst/POLARITY"]["value"] == "ACTIVE_HIGH"
    assert found["core/s_axi"]["slave_memory_map_ref"] == "s_axi"
    assert found["core/s_axi.map/registers"]["range"] == str(2**14)
    assert found["sources"] == {"top": TOP}
    names = [line.split()[0] for line in vivado.done]
    assert names.count("add_files") == 2
    assert names.index("ipx::remove_all_bus_interface") > names.index("ipx::package_project")
    assert "ipx::remove_memory_map name-of-guessed core" in vivado.done
    assert names[-2:] == ["ipx::save_core", "close_project"]


def test_ports_left_out_are_named(ports):
    """No port is forgotten, none invented."""
    interfaces = _interfaces(ports)
    with pytest.raises(ValueError, match="several interfaces: interrupt"):
        package_script(TOP, ["design.v"], ports, interfaces)
    with pytest.raises(ValueError, match="m_axis_result_tdata"):
        package_script(TOP, ["design.v"], ports, interfaces[:-1], plain=["interrupt"])
    with pytest.raises(ValueError, match="irq"):
        package_script(TOP, ["design.v"], ports, interfaces, plain=["interrupt", "irq"])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("s_axi_bresp", None, "s_axi lacks BRESP"),
        ("s_axis_input_tlast", {"name": "s_axis_input_last"}, "s_axis_input has LAST"),
        ("m_axis_result_tready", {"direction": "output"}, "m_axis_result_tready of a master is an"),
        ("s_axis_program_tdata", {"direction": "output"}, "s_axis_program_tdata of a slave is an"),
    ],
)
def test_wrong_interfaces_are_named(ports, name, change, message):
    """Missing or unknown signals and wrong directions."""
    changed = [
        {**port, **(change or {})} if port["name"] == name else port
        for port in ports
        if change is not None or port["name"] != name
    ]
    with pytest.raises(ValueError, match=message):
        _interfaces(changed)
