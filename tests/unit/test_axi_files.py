"""What `sme generate --axi` writes beside a compute unit."""

import hashlib
import importlib.util
import json

import pytest

from sme_hw.bus.registers import fingerprint
from sme_hw.params import HardwareParams
from tests.command_line import assert_refused, run


@pytest.mark.parametrize("units", [1, 3])
def test_files_agree(tmp_path, capsys, units):
    """Manifest, header, table and class have the same registers; the wrapper has no unit."""
    folder = tmp_path / "design"
    code, out, _ = run(
        capsys, "generate", "--preset", "tiny", "--axi", str(units), "-o", str(folder)
    )
    assert code == 0
    manifest = json.loads((folder / "design.json").read_text())
    axi = manifest["axi"]
    assert all(name in out for name in [*axi["rtl"], *axi["files"]])
    wrapper = (folder / "design_axi.v").read_text()
    assert f"module {axi['top']}(" in wrapper
    assert "module sme_compute_unit(" not in wrapper
    assert wrapper.count("  sme_compute_unit ") == units
    assert manifest["sha256"]["design_axi.v"] == hashlib.sha256(wrapper.encode()).hexdigest()
    hardware = HardwareParams(**manifest["parameters"])
    assert axi["fingerprint"] == f"{fingerprint(hardware, units):016x}"
    assert axi["units"] == units
    assert bool(axi["memory_map"]) == (units > 1)
    header = (folder / "sme_registers.h").read_text()
    table = (folder / "registers.md").read_text()
    for register in axi["registers"]:
        assert f"#define SME_{register['name'].upper()} 0x{register['address']:02x}\n" in header
        assert f"| `{register['name']}` |" in table
    # The class stands by itself.
    spec = importlib.util.spec_from_file_location("alone", folder / "sme_registers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    registers = module.Registers(axi["registers"], {0: 0x31454D53}.__getitem__, None)
    assert registers.read("id") == 0x31454D53
    assert "m_axis_result_tdata" in (folder / "package_ip.tcl").read_text()


def test_refused(tmp_path, capsys):
    """More units than an array has."""
    options = ("generate", "--preset", "tiny", "--axi", "9", "-o", str(tmp_path / "x"))
    assert_refused(capsys, tmp_path, options, "9 is not in the range 0<=x<=8")
