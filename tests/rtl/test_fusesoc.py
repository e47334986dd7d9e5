"""`sme generate --fusesoc`: FuseSoC itself lints, simulates and sets up what was generated."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtl_gen.tb.run import use_verilator
from sme_cli.main import main
from tests.simulators import needs_icarus

FUSESOC = Path(sys.executable).parent / "fusesoc"

pytestmark = pytest.mark.rtl

OPTIONS = ["--preset", "tiny", "--adc-bits", "2", "--fusesoc"]


@pytest.fixture
def design(tmp_path: Path) -> Path:
    """Return the folder of a design with a core file, macros outside."""
    folder = tmp_path / "design"
    assert main(["generate", "-o", str(folder), *OPTIONS, "--macro", "blackbox"]) == 0
    return folder


def fusesoc(design: Path, target: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a target of the core in a folder; nothing of the user's settings is read or written."""
    use_verilator()
    folders = {
        f"XDG_{kind}_HOME": str(design.parent / kind) for kind in ("CONFIG", "DATA", "CACHE")
    }
    command = [str(FUSESOC), "--cores-root", str(design), "run", f"--target={target}", *options]
    return subprocess.run(
        [*command, "sme_compute_unit"],
        cwd=design.parent,
        env={**os.environ, **folders},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_lint(design: Path) -> None:
    """Verilator has nothing to say; what is wrong ends with an error."""
    done = fusesoc(design, "lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verilator -f" in done.stdout + done.stderr
    verilog = (design / "design.v").read_text()
    (design / "design.v").write_text(verilog.replace("  assign busy =", "  assign busy_ ="))
    done = fusesoc(design, "lint")
    assert done.returncode != 0
    assert "busy" in done.stdout + done.stderr


@needs_icarus
def test_sim(design: Path) -> None:
    """Every job comes out as expected; a wrong expectation of any kind ends with an error."""
    done = fusesoc(design, "sim")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS: 2 jobs, 96 words as expected" in done.stdout + done.stderr

    jobs, expected = design / "tb" / "jobs.hex", design / "tb" / "expected.hex"
    words = jobs.read_text().split()
    first = 3  # jobs, planes, settling clocks
    assert (
        words[first + 6 : first + 8] != ["00000000"] * 2
    )  # clocks are compared, and there are some
    for file, line, message in (
        (jobs, first + 7, "job 1: "),  # clocks
        (jobs, first + 8, "job 1, plane 0: "),  # clips
        (expected, 5, "line 6 of results.hex: not "),
    ):
        text = file.read_text()
        lines = text.split()
        lines[line] = f"{int(lines[line], 16) + 1:08x}"
        file.write_text("\n".join(lines) + "\n")
        done = fusesoc(design, "sim")
        assert done.returncode != 0
        assert message in done.stdout + done.stderr
        assert "FAIL: 1 differences" in done.stdout + done.stderr
        file.write_text(text)


def test_synth_is_set_up(design: Path) -> None:
    """Yosys gets the design with the stub, not the model."""
    done = fusesoc(design, "synth", "--setup")
    assert done.returncode == 0, done.stdout + done.stderr
    (script,) = (design.parent / "build").rglob("edalize_yosys_procs.tcl")
    text = script.read_text()
    assert "design.v" in text
    assert "design_macro_stub.v" in text
    assert "design_macro_model.v" not in text


def test_ecp5(tmp_path: Path) -> None:
    """The models of primitives are there for the linter."""
    folder = tmp_path / "design"
    assert main(["generate", "-o", str(folder), *OPTIONS, "--target", "ecp5"]) == 0
    done = fusesoc(folder, "lint")
    assert done.returncode == 0, done.stdout + done.stderr
