"""The Vivado project of a Zynq: its Verilog in Yosys, its script in a Tcl with stand-ins."""

import re
import subprocess

import pytest

from rtl_gen.boards.board import load_board
from rtl_gen.boards.tools import find_tool
from rtl_gen.boards.unit import board_design
from rtl_gen.boards.zynq import WRAPPER, zynq_files
from rtl_gen.emit import emit_verilog
from sim.mapping import load_parameters
from sme_hw.bus.axi_unit import INTERFACES
from sme_hw.errors import InputError

UNIT = "sme_axi_unit"
BOARD = load_board("arty_z7_20")

# Commands of Vivado that only note that they were called, and those that return something.
STUBS = """
set noted {}
set bd_cells {}
proc unknown {name args} { error "no command $name" }
proc note {name arguments} { global noted; lappend noted [list $name {*}$arguments] }
foreach name {create_project add_files update_compile_order create_bd_design set_property
    apply_bd_automation make_bd_intf_pins_external assign_bd_address validate_bd_design
    save_bd_design launch_runs wait_on_run open_run report_utilization report_timing_summary
    write_hw_platform connect_bd_net connect_bd_intf_net} {
    proc $name args "note $name \\$args"
}
proc create_bd_cell args { global bd_cells; lappend bd_cells [lindex $args end]
    note create_bd_cell $args }
proc get_bd_cells name { global bd_cells
    if {$name ni $bd_cells} { error "no cell $name" }; return $name }
proc get_bd_pins name { get_bd_cells [lindex [split $name /] 0]; return $name }
proc get_bd_intf_pins name { get_bd_pins $name }
proc get_bd_addr_spaces name { get_bd_pins $name }
proc get_bd_addr_segs args { return [lindex $args end] }
proc get_files name { return $name }
proc make_wrapper args { note make_wrapper $args }
proc current_project {} { return project }
proc current_fileset {} { return sources_1 }
proc get_runs name { return $name }
proc get_timing_paths args { return path }
proc get_property {name of} { if {$name eq "SLACK"} { return $::slack }; return "100%" }
proc get_board_parts args { return $::parts }
proc exit code { error "exit $code" }
rename file {}
proc file args { note file $args }
rename glob {}
proc glob args { return found.bit }
"""


def design(**options):
    """Return a small unit with AXI buses."""
    return board_design(BOARD, load_parameters("tiny", squeeze=3, **options).hardware, 1)


def files(**options):
    """Return the files of the project around it."""
    return zynq_files(BOARD, "xc7z020clg400-1", design(**options), UNIT)


def notes(script, *, slack="0.5", parts=""):
    """Run the script; returns what was called, and what it printed last."""
    tkinter = pytest.importorskip("tkinter", reason="Python was built without Tcl")
    tcl = tkinter.Tcl()
    tcl.eval(STUBS)
    tcl.eval(f"set slack {slack}; set parts {{{parts}}}; proc puts text {{ set ::said $text }}")
    tcl.eval(script)
    split = tcl.splitlist
    return [split(call) for call in split(tcl.eval("set noted"))], tcl.eval("set said")


def test_wrapper_has_all_ports_of_the_unit(tmp_path):
    """Yosys joins wrapper and unit: no port is missing, too many, or of another width."""
    (tmp_path / "unit.v").write_text(emit_verilog(design().component, UNIT))
    (tmp_path / "wrapper.v").write_text(files()[f"{WRAPPER}.v"])
    script = (
        f"read_verilog unit.v wrapper.v; hierarchy -check -top {WRAPPER}; proc; flatten; "
        f"check -assert; select -assert-none t:{UNIT}; write_json ports.json"
    )
    done = subprocess.run(
        [find_tool("yosys"), "-p", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert "Resizing" not in done.stdout
    unit = (tmp_path / "unit.v").read_text()
    ports = set(re.search(rf"module {UNIT}\(([^)]*)\)", unit)[1].replace("\n", "").split(", "))
    wrapper = files()[f"{WRAPPER}.v"]
    assert ports == set(re.findall(r"\.(\w+)\(\1\)", wrapper))
    for name in INTERFACES:
        assert any(port.startswith(f"{name}_t") or port == f"{name}_awaddr" for port in ports)


def test_script_connects_everything():
    """Cells that are there, one driver for each bus, a clock and a reset for each cell."""
    calls, said = notes(files()["build.tcl"])
    assert said == "slack at 100 MHz: 0.5 ns"
    cells = {call[-1] for call in calls if call[0] == "create_bd_cell"}
    buses = [call[1:] for call in calls if call[0] == "connect_bd_intf_net"]
    ends = [end for pair in buses for end in pair]
    assert len(set(ends)) == len(ends)
    assert {f"unit/{name}" for name in INTERFACES} <= set(ends)
    nets = [call[1:] for call in calls if call[0] == "connect_bd_net"]
    clocked = {pin.split("/")[0] for pin in nets[0]}
    assert nets[0][0] == "processors/FCLK_CLK0"
    assert clocked == cells - {"interrupts"}
    pins = [pin for net in nets for pin in net[1:]]
    assert len(set(pins)) == len(pins)
    properties = " ".join(" ".join(call) for call in calls if call[0] == "set_property")
    assert "CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ 100 " in " ".join(properties.split())
    assert "CONFIG.c_m_axis_mm2s_tdata_width 8" in properties
    assert "CONFIG.c_s_axis_s2mm_tdata_width 32" in properties
    addresses = [call[2] for call in calls if call[0] == "assign_bd_address" and len(call) > 1]
    assert addresses == ["0x40000000", "0x40010000", "0x40020000"]
    added = next(call for call in calls if call[0] == "add_files")
    assert added[1] == f"{UNIT}.v {WRAPPER}.v"


def test_script_uses_board_files():
    """Where Vivado knows the board, its memory is set up by that; else the user is warned."""
    part = "digilentinc.com:arty-z7-20:part0:1.1"
    calls, _ = notes(files()["build.tcl"], parts=part)
    assert ("set_property", "board_part", part, "project") in calls
    names = [call[0] for call in calls]
    assert "apply_bd_automation" in names
    assert "make_bd_intf_pins_external" not in names


def test_script_fails_if_it_is_too_slow():
    """Exit code 1, as `sme build` has."""
    with pytest.raises(Exception, match="exit 1"):
        notes(files()["build.tcl"], slack="-0.1")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight_sets": 2}, "weight_sets = 2 is not possible: arty_z7_20 has a DMA"),
        ({"inputs_per_beat": 3}, "inputs_per_beat is not possible on arty_z7_20: a beat of 1, 2"),
        (
            {"results_per_beat": 3, "adcs_per_crossbar": 3},
            "results_per_beat is not possible on arty_z7_20: a beat of 1, 2, 4 ... 128 bytes",
        ),
    ],
)
def test_what_the_dma_cannot_do(options, words):
    """Streams that it has no form for are refused."""
    with pytest.raises(InputError) as refused:
        files(**options)
    assert words in str(refused.value)
