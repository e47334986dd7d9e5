"""Saved mappings come back as they were, and damaged ones are refused."""

import json

import numpy as np
import pytest

from sim.mapping import load_mapping, load_parameters, map_layer, map_matrix, save_mapping
from sme_hw.errors import InputError


@pytest.fixture
def layers():
    """Return a dense, a grouped and a depthwise layer."""
    rng = np.random.default_rng(2026)
    parameters = load_parameters("tiny", squeeze=2, policy="minimal", scale="column")
    return [
        map_matrix(rng.normal(size=(19, 11)), parameters, name="dense"),
        map_layer("grouped", rng.normal(size=(6, 2, 3, 3)), parameters, groups=3),
        map_layer("depthwise", rng.normal(size=(5, 1, 2, 1)), parameters, groups=5),
    ]


def test_round_trip(layers, tmp_path):
    """Every array, count and error survives."""
    save_mapping(layers, tmp_path / "mapping")
    again = load_mapping(tmp_path / "mapping")
    assert sorted(p.name for p in tmp_path.rglob("*")) == [
        "mapping",
        "mapping.json",
        "mapping.npz",
    ]
    for before, after in zip(layers, again, strict=True):
        for key in ("name", "shape", "groups", "parameters", "codec", "counts", "errors"):
            assert getattr(before, key) == getattr(after, key)
        for left, right in zip(before.matrices, after.matrices, strict=True):
            assert left.placement == right.placement
            for kind in ("codes", "row_shifts", "code_steps"):
                np.testing.assert_array_equal(getattr(left, kind), getattr(right, kind))
                assert getattr(left, kind).dtype == getattr(right, kind).dtype


def test_damage_is_refused(layers, tmp_path):
    """Truncated, missing, foreign or contradictory files give one clear error."""
    save_mapping(layers, tmp_path)
    arrays, text = tmp_path / "mapping.npz", tmp_path / "mapping.json"
    whole, description = arrays.read_bytes(), text.read_text()

    def refused():
        with pytest.raises(InputError, match=r"cannot be read") as caught:
            load_mapping(tmp_path)
        assert "\n" not in str(caught.value)

    arrays.write_bytes(whole[: len(whole) // 2])
    refused()
    arrays.unlink()
    refused()
    arrays.write_bytes(whole)
    for change in ({"format": 99}, {"parameters": {"rows": 8}}, {"layers": [{}]}):
        text.write_text(json.dumps(json.loads(description) | change))
        refused()
    content = json.loads(description)
    content["layers"][0]["columns"] = 12
    text.write_text(json.dumps(content))
    refused()
    text.write_text("{")
    refused()
    text.write_text(description)
    assert len(load_mapping(tmp_path)) == 3
