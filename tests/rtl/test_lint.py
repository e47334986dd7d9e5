"""Verilator's linter has nothing to say about generated Verilog but what ``design.vlt`` waives."""

import re
import subprocess
from dataclasses import replace
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path

import pytest
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.axi import AXI_DESIGN, axi_files
from rtl_gen.emit import emit_verilog
from rtl_gen.generate import TOP
from rtl_gen.lint import WAIVER_FILE, WAIVERS, waiver_file
from rtl_gen.tb.run import use_verilator
from rtl_gen.testbench import MODELS
from sim.mapping import load_parameters
from sme_hw.bus.uart_unit import UartUnit
from sme_hw.compute_unit import ComputeUnit
from sme_hw.params import HardwareParams
from tests.cases.hardware import HARDWARE
from tests.random_cases import random_hardware, random_mapping, seeded

pytestmark = pytest.mark.rtl

UNITS = [
    *(("tiny", "ecp5"), ("small", "portable"), ("paper", "portable"), ("paper", "ecp5")),
    *(("lossless", "ecp5"), ("random-0", "portable"), ("random-1", "ecp5")),
    ("random-2", "portable"),
]
"""Presets, or seeds of random parameters, and targets."""

TELLING = HARDWARE["reordered-zero-skip"]
"""Parameters with which every waiver is needed; nothing is computed for nothing."""

OF_LIBRARY = ("crc", "match_detected")
"""What Amaranth's CRC computes whether it is needed or not: here each is, in one of two modules."""

OPERATOR = re.compile(r" [-+*&|^?<>]{1,3} | [=!<>]= | = [-!~&|^]")


class Forgetful(wiring.Component):
    """A component that computes more than it needs."""

    a: In(4)
    b: In(4)
    sum: Out(4)

    def elaborate(self, platform: object) -> Module:
        """Add, and forget the rest."""
        m = Module()
        register = Signal(4)
        part = Signal(4)
        whole = Signal()
        conditional = Signal()
        m.d.sync += register.eq(self.a)
        m.d.comb += [
            self.sum.eq(self.a + self.b),
            part.eq(self.a - self.b),
            whole.eq(self.a == self.b),
        ]
        with m.If(self.a == 3):
            m.d.comb += conditional.eq(1)
        return m


def messages(folder: Path, *files: str, target: str = "portable", top: str = TOP) -> list[str]:
    """Return what the linter says about ``design.v`` with other files before it."""
    use_verilator()
    models = [str(resources.files("rtl_gen") / "tb" / name) for name in MODELS[target]]
    command = ["verilator", "--lint-only", "-Wall", "--top-module", top]
    done = subprocess.run(
        [*command, *files, "design.v", *models],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found = re.findall(r"^%(?:Warning|Error).*", done.stderr, re.MULTILINE)
    assert (done.returncode == 0) == (not found), done.stderr
    return [message for message in found if "Exiting due to" not in message]


def random_unit(seed: int) -> HardwareParams:
    """Return random parameters of a small unit."""
    rng = seeded(seed)
    size = {"rows": int(rng.integers(4, 20)), "cols": int(rng.integers(4, 12))}
    options = random_hardware(rng, random_mapping(rng, **size))
    per_beat = min(options.inputs_per_beat, options.active_rows)
    options = replace(options, inputs_per_beat=per_beat)
    return load_parameters("paper", **options.as_dict()).hardware


@pytest.mark.parametrize(("name", "target"), UNITS)
def test_lint_is_clean(tmp_path: Path, name: str, target: str) -> None:
    """Presets and random parameters, for every target."""
    kind, _, seed = name.partition("-")
    hardware = random_unit(int(seed)) if kind == "random" else load_parameters(name).hardware
    (tmp_path / "design.v").write_text(emit_verilog(ComputeUnit(hardware=hardware), TOP, target))
    (tmp_path / WAIVER_FILE).write_text(waiver_file(target))
    assert messages(tmp_path, WAIVER_FILE, target=target) == []


def computed_for_nothing(folder: Path, found: list[str]) -> list[str]:
    """Return registers and results of operators that nothing uses, by messages of the linter."""
    nothing = []
    for message in found:
        place = re.search(r"UNUSEDSIGNAL: (\S*design\S*\.v):(\d+):\d+: Signal is", message)
        if not place:
            continue
        lines = (folder / place[1]).read_text().splitlines()
        number = int(place[2]) - 1
        kind, *_, name = lines[number].partition(";")[0].split()
        if re.fullmatch(r"\\\$\d+", name):
            continue  # no signal: all states of a machine are compared with the one it is in
        start = max(n for n in range(number) if lines[n].startswith("module "))
        module = lines[start : lines.index("endmodule", number)]
        values = [line for line in module if line.startswith(f"  assign {name} ")]
        # Of parts of results: are these declared, computed, and used here, but nowhere else?
        results = [result for line in values for result in re.findall(r"\\\$\d+ ", line)]
        elsewhere = any(sum(result in line for line in module) > 3 for result in results)
        alone = bool(results) and not elsewhere
        if kind == "reg" or any(map(OPERATOR.search, values)) or alone:
            nothing.append(name)
    return nothing


@pytest.mark.parametrize(("name", "units"), [("reordered-zero-skip", 1), ("sets-reordered", 3)])
def test_lint_of_buses_is_clean(tmp_path: Path, name: str, units: int) -> None:
    """Units behind AXI4, and on a serial line, of which only names are unused."""
    hardware = HARDWARE[name]
    (tmp_path / WAIVER_FILE).write_text(waiver_file("portable"))
    (tmp_path / "design.v").write_text(emit_verilog(ComputeUnit(hardware=hardware), TOP))
    files, entry = axi_files(hardware, units, "design.v", "portable")
    (tmp_path / AXI_DESIGN).write_text(files[AXI_DESIGN])
    assert messages(tmp_path, WAIVER_FILE, AXI_DESIGN, top=entry["top"]) == []
    found = messages(tmp_path, AXI_DESIGN, top=entry["top"])
    assert computed_for_nothing(tmp_path, found) == []
    serial = UartUnit(hardware=hardware, units=units, divisor=8, frame_bytes=64)
    (tmp_path / "design.v").write_text(emit_verilog(serial, "sme_uart_unit"))
    assert messages(tmp_path, WAIVER_FILE, top="sme_uart_unit") == []
    found = messages(tmp_path, top="sme_uart_unit")
    assert sorted(computed_for_nothing(tmp_path, found)) == sorted(OF_LIBRARY)


@pytest.fixture(scope="module")
def verilog() -> str:
    """Return a design in which every waiver is needed."""
    return emit_verilog(ComputeUnit(hardware=TELLING), TOP, "ecp5")


def test_every_waiver_is_needed(tmp_path: Path, verilog: str) -> None:
    """Without waivers, there is a message for each; and no message without one."""
    (tmp_path / "design.v").write_text(verilog)
    found = [
        re.fullmatch(r"%Warning-(\w+): (\S+?):\d+:\d+: (.*)", message)
        for message in messages(tmp_path, target="ecp5")
    ]
    needed = set()
    for message in found:
        assert message
        rule, file, text = message.groups()
        fitting = {
            (number, match)
            for number, waiver in enumerate(WAIVERS)
            for match in waiver.matches or ["*"]
            if rule == waiver.rule and fnmatch(file, waiver.file) and fnmatch(text, match)
        }
        assert fitting, message[0]
        needed |= fitting
    assert needed == {
        (number, match)
        for number, waiver in enumerate(WAIVERS)
        for match in waiver.matches or ["*"]
    }


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("WIDTHTRUNC", r"  assign (\w+) = (\w+)\[1\];", r"  assign \1 = \2[1:0];"),
        ("UNDRIVEN", r"  assign busy = .*;\n", ""),
        ("UNOPTFLAT", r"  assign busy = (.*);", r"  assign busy = busy ^ \1;"),
        ("LATCH", r"    \\\$\w+  = \w+;\n(    if )", r"\1"),
        ("CASEINCOMPLETE", r" +default: ;\n", ""),
        ("PINMISSING", r"    \.clk\(clk\),\n", ""),
    ],
)
def test_new_warnings_are_seen(tmp_path: Path, verilog: str, rule: str, old: str, new: str) -> None:
    """Waivers do not hide what is wrong."""
    planted = re.sub(old, new, verilog, count=1)
    assert planted != verilog
    (tmp_path / "design.v").write_text(planted)
    (tmp_path / WAIVER_FILE).write_text(waiver_file("ecp5"))
    found = messages(tmp_path, WAIVER_FILE, target="ecp5")
    assert any(message.startswith(f"%Warning-{rule}") for message in found), found


def test_only_names_are_unused(tmp_path: Path, verilog: str) -> None:
    """What the linter calls unused is another name of something, or a port."""
    (tmp_path / "design.v").write_text(verilog)
    assert computed_for_nothing(tmp_path, messages(tmp_path, target="ecp5")) == []


def test_forgotten_signals_are_found(tmp_path: Path) -> None:
    """Signals that are computed for nothing, however they are."""
    (tmp_path / "design.v").write_text(emit_verilog(Forgetful(), TOP))
    found = computed_for_nothing(tmp_path, messages(tmp_path))
    assert sorted(found) == ["conditional", "part", "register", "whole"]
