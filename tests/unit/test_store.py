"""Saved mappings come back as they were, and damaged ones are refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sim.mapping import (
    LayerCalibration,
    Quantisation,
    SeenImages,
    describe,
    load_mapping,
    load_parameters,
    load_seen,
    map_layer,
    map_matrix,
    save_mapping,
)
from sme_hw.errors import InputError

OPTIONS = [
    {},
    {"codec": "mixed", "row_bits": [5, 8, 6]},
    {"codec": "apot"},
    {"policy": "split", "squeeze": 5},
]


@pytest.fixture(params=OPTIONS, ids=str)
def layers(request):
    """Return a dense, a grouped and a depthwise layer."""
    rng = np.random.default_rng(2026)
    options = {"squeeze": 2, "policy": "minimal", "scale": "column", "grouping": "balanced"}
    parameters = load_parameters("tiny", **options | request.param)
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
            for kind in ("codes", "row_shifts", "sources", "row_tiles", "row_order", "code_steps"):
                np.testing.assert_array_equal(getattr(left, kind), getattr(right, kind))
                assert getattr(left, kind).dtype == getattr(right, kind).dtype


@pytest.fixture
def calibrated(layers):
    """Return the same layers with calibrations, but for the last one."""
    rng = np.random.default_rng(7)
    own = Quantisation(0.1, 3, 0, 255, rng.uniform(0.1, 1, 6))
    dense, grouped, depthwise = layers
    return [
        replace(dense, calibration=LayerCalibration(Quantisation(1 / 3, 0, 0, 200), np.ones(11))),
        replace(grouped, calibration=LayerCalibration(own, rng.normal(size=6))),
        depthwise,
    ]


def test_calibration_survives(calibrated, tmp_path):
    """Bit for bit; a layer without one still has none."""
    save_mapping(calibrated, tmp_path)
    again = load_mapping(tmp_path)
    assert again[2].calibration is None
    for before, after in zip(calibrated[:2], again[:2], strict=True):
        one, other = before.calibration, after.calibration
        np.testing.assert_array_equal(one.bias, other.bias)
        np.testing.assert_array_equal(one.quantisation.factors, other.quantisation.factors)
        assert one.quantisation.as_dict() == other.quantisation.as_dict()
    assert describe(again) == describe(calibrated)


INPUTS = [
    {"zero_point": 256},
    {"zero_point": -1},
    {"zero_point": "0"},
    {"low": -1},
    {"high": 256},
    {"low": 4},
    {"scale": 0},
    {"scale": -1.0},
    {"scale": float("nan")},
    {"scale": float("inf")},
    {"scale": "1"},
    {"scale": None},
]


@pytest.mark.parametrize("change", INPUTS, ids=str)
def test_damaged_input_scales_are_refused(calibrated, tmp_path, change):
    """What no calibration gives."""
    save_mapping(calibrated, tmp_path)
    text = tmp_path / "mapping.json"
    content = json.loads(text.read_text())
    content["layers"][1]["input"] |= change
    text.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"^the mapping in .* cannot be read: [^\n]*$"):
        load_mapping(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("factors", np.ones(5)),
        ("factors", np.ones((6, 1))),
        ("factors", np.zeros(6)),
        ("factors", np.full(6, np.inf)),
        ("factors", np.full(6, "1")),
        ("factors", None),
        ("bias", np.ones(5)),
        ("bias", np.ones(6, complex)),
        ("bias", np.full(6, np.nan)),
        ("bias", np.full(6, "1")),
        ("bias", None),
    ],
)
def test_damaged_calibrations_are_refused(calibrated, tmp_path, name, value):
    """Arrays of other shapes, what is no number, or nothing at all."""
    save_mapping(calibrated, tmp_path)
    path = tmp_path / "mapping.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    del arrays[f"1.{name}"]
    np.savez(path, **arrays, **({} if value is None else {f"1.{name}": value}))
    with pytest.raises(InputError, match=r"^the mapping in .* cannot be read: [^\n]*$"):
        load_mapping(tmp_path)


def test_seen_images_survive(layers, tmp_path):
    """For each data set; none by default; what cannot be is refused."""
    save_mapping(layers, tmp_path)
    assert load_seen(tmp_path) == []
    seen = [SeenImages(9, (0, 3, 8)), SeenImages(4, ())]
    save_mapping(layers, tmp_path, seen)
    assert load_seen(tmp_path) == seen
    path = tmp_path / "mapping.json"
    content = json.loads(path.read_text())
    for wrong in ([{"of": 9, "indices": [9]}], [{"of": 9}], [{"of": 9, "indices": [-1]}], 3, [{}]):
        path.write_text(json.dumps(content | {"seen_images": wrong}))
        with pytest.raises(InputError, match=r"^the mapping in .* cannot be read: [^\n]*$"):
            load_seen(tmp_path)


def test_report_of_figure_3():
    """Planes and their rows of the paper's figure 3, alone and beside a layer of other planes."""
    codes = np.array([[10, 12], [4, 1], [6, 2], [4, 6]], np.int16)
    figure = map_matrix(codes, load_parameters("tiny", weight_bits=4, input_bits=3))
    rows = {
        "rows": 4,
        "before": [1, 4, 3, 1],
        "after": [0, 4, 3, 2],
        "share_before": [0.25, 1, 0.75, 0.25],
        "share_after": [0, 1, 0.75, 0.5],
    }
    report = describe([figure, figure])
    assert report["layers"][0]["nonzero_rows"] == rows
    assert report["layers"][0]["planes"] == {"built": 3, "with_ones": 3}
    assert report["nonzero_rows"]["before"] == [2, 8, 6, 2]
    assert report["nonzero_rows"]["share_after"] == rows["share_after"]
    assert report["shifted_rows"] == 2
    ones = map_matrix(np.ones((5, 9), int), load_parameters("tiny", squeeze=2))
    report = describe([figure, ones])
    # One column of tiles is full, the other one holds a single column: rows count in both.
    assert report["layers"][1]["nonzero_rows"]["after"] == [0] * 7 + [10]
    assert report["layers"][1]["planes"] == {"built": 6, "with_ones": 1}
    assert report["nonzero_rows"] is None
    assert report["shifted_rows"] == 1


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
    for change in ({"format": 4}, {"format": 99}, {"parameters": {"rows": 8}}, {"layers": [{}]}):
        text.write_text(json.dumps(json.loads(description) | change))
        refused()
    content = json.loads(description)
    content["layers"][0]["columns"] = 12
    text.write_text(json.dumps(content))
    refused()
    text.write_text("{")
    refused()
    text.write_text(description)
    with np.load(arrays) as archive:
        saved = dict(archive)
    row_tiles = saved["0.0.row_tiles"]
    twice = row_tiles.copy()
    twice[0, 0] = twice[1, 0]
    beyond = np.where(row_tiles == 3, 19, row_tiles)
    for wrong in (twice, beyond, row_tiles[:, ::-1], row_tiles[:2]):
        np.savez(arrays, **saved | {"0.0.row_tiles": wrong})
        refused()
    hardware = layers[0].parameters.hardware
    codes, row_shifts, sources, places = (
        saved[key] for key in ("0.0.codes", "0.0.row_shifts", "0.0.sources", "1.placements")
    )
    largest = 2**hardware.planes - 1
    for kind, wrong in (
        ("0.0.sources", sources + 19),
        ("0.0.sources", sources - 19),
        ("0.0.sources", sources.astype(float)),
        ("0.0.sources", sources[1:]),
        ("0.0.codes", codes + np.int16(2 * largest + 1)),
        ("0.0.codes", codes - np.int16(2 * largest + 1)),
        ("0.0.codes", codes[:0]),
        ("0.0.row_shifts", row_shifts + np.uint8(hardware.max_shift + 1)),
        ("1.placements", places[:-1]),
        ("1.placements", places[1:]),
        ("1.placements", places[::-1]),
        ("1.placements", places * [1, 1, 1, 2]),
        ("1.placements", places - [0, 0, 1, 0]),
        ("1.placements", places * [1, 0, 1, 1]),
        ("1.placements", places[:, :3]),
        ("1.placements", places.astype(float)),
        ("1.placements", np.array([[0, 3, 0, 2]])),
    ):
        np.savez(arrays, **saved | {kind: wrong})
        refused()
    arrays.write_bytes(whole)
    text.write_text(description)
    assert len(load_mapping(tmp_path)) == 3
