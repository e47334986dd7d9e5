"""The demo: from training to the RTL, with a summary and a picture."""

import json

import pytest

from sme_cli.main import main

pytestmark = pytest.mark.rtl


def test_demo(tmp_path, capsys):
    """All parts are there, and the RTL equals the golden model."""
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert summary["equal"]
    assert summary["mismatches"] == 0
    assert summary["images"] >= 100
    accuracy, crossbars = summary["accuracy_percent"], summary["crossbars"]
    assert set(accuracy) == {"float", "quantised", "squeezed", "rtl", "plain"}
    assert min(accuracy.values()) > 90
    assert crossbars["squeezed"] <= crossbars["sliced"] <= crossbars["conventional"]
    assert (tmp_path / "demo" / "bit_planes.png").read_bytes()[:4] == b"\x89PNG"
    assert "0 mismatches" in capsys.readouterr().out
