"""What `sme search` saves runs in emitted Verilog, as the golden model says."""

import json
from pathlib import Path

import pytest

from sme_cli.main import main
from tests.network_cases import copy_networks

pytestmark = pytest.mark.rtl


def test_saved_mapping(tmp_path, monkeypatch):
    """Two layers of a network, each with the crossbars that the search gave it."""
    monkeypatch.chdir(tmp_path)
    copy_networks(tmp_path)
    data = ("plain.onnx", "--data", "plain.npz", "--normalise", "unit")
    images = ("--calibration-images", "8", "--validation-images", "4")
    small = ("--rows", "4", "--cols", "4", "--rows-active", "2")
    one = ("--trials", "1", "--candidate", "policy=split,squeeze=7", "--max-divergence", "1")
    assert main(["search", *data, *images, *small, *one, "-o", "m"]) == 0
    layers = ("--layers", "hidden*", "--layers", "classifier*")
    assert main(["cosim", *data, "--mapping", "m", *layers, "--json", "r.json"]) == 0
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert [layer["name"] for layer in report["layers"]] == ["hidden.weight", "classifier.weight"]
    assert report["equal"]
