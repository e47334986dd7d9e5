"""Parameters: presets, derived widths, and errors that name key, value and what is allowed."""

import re

import pytest

from sim.mapping import OPTIONS, Parameters, load_parameters, presets
from sme_hw.errors import InputError, ParameterError


def test_presets_are_those_documented():
    """The four presets differ from paper only where they say."""
    assert presets() == ["paper", "lossless", "small", "tiny"]
    paper = load_parameters("paper").as_dict()
    assert (paper["rows"], paper["cols"], paper["adc_bits"], paper["rows_active"]) == (
        128,
        128,
        6,
        "all",
    )
    assert (paper["weight_bits"], paper["window"], paper["squeeze"], paper["input_bits"]) == (
        8,
        3,
        1,
        8,
    )
    changed = {"lossless": {"adc_bits"}, "tiny": {"rows", "cols"}, "small": {"rows", "cols"}}
    for name, keys in changed.items():
        values = load_parameters(name).as_dict()
        assert {key for key in OPTIONS if values[key] != paper[key]} == keys


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rows", 3),
        ("rows", 513),
        ("rows", True),
        ("rows", 8.0),
        ("cols", 0),
        ("cell_bits", 3),
        ("input_bits", 17),
        ("input_bits", 0),
        ("signed_inputs", 1),
        ("adc_bits", 13),
        ("adc_bits", 0),
        ("adc_bits", "exact"),
        ("adc_bits", (6, 6)),
        ("adc_bits", (1, 2, 3, 4, 5, 6, 13)),
        ("adc_lsb", 9),
        ("adcs_per_crossbar", 129),
        ("weight_sets", 0),
        ("weight_sets", 5),
        ("weight_sets", 2.0),
        ("weight_sets", True),
        ("rows_active", 129),
        ("rows_active", "some"),
        ("inputs_per_beat", 0),
        ("results_per_beat", 129),
        ("codec", "int4"),
        ("weight_bits", 9),
        ("weight_bits", 1),
        ("window", 0),
        ("window", 9),
        ("scale", "row"),
        ("policy", "hope"),
        ("squeeze", 8),
        ("squeeze", -1),
        ("row_bits", 8),
        ("row_bits", "some"),
    ],
)
def test_value_out_of_range_is_named(key, value):
    """The message holds the key, the value, and what is allowed."""
    with pytest.raises(ParameterError, match=re.escape(repr(value))) as caught:
        load_parameters("paper", **{key: value})
    assert key in str(caught.value)
    assert caught.value.allowed


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"cell_bits": 2, "squeeze": 1}, "squeeze"),
        ({"cell_bits": 2, "squeeze": 8, "weight_bits": 7}, "squeeze"),
        ({"weight_bits": 3, "squeeze": 3}, "squeeze"),
        ({"weight_bits": 4, "window": 5, "squeeze": 0}, "window"),
        ({"adc_bits": "lossless", "adc_lsb": 1}, "adc_lsb"),
        ({"adcs_per_crossbar": 6, "results_per_beat": 4}, "results_per_beat"),
    ],
)
def test_contradiction_is_named(overrides, key):
    """Values that are fine alone but not together are refused."""
    with pytest.raises(ParameterError) as caught:
        load_parameters("paper", **overrides)
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("row_bits", "weight_bits"),
    [(4, 8), (9, 8), (8, 7), ([5, 4], 8), ([5, 9], 8), ([], 8), ([6, True], 8), (5.0, 8), (4, 4)],
)
def test_row_bits(row_bits, weight_bits):
    """Codec mixed takes 5..weight_bits, one number or several, or "all"; others only "all"."""
    given = tuple(row_bits) if isinstance(row_bits, list) else row_bits
    with pytest.raises(ParameterError, match=re.escape(f"row_bits = {given!r}")) as caught:
        load_parameters(codec="mixed", weight_bits=weight_bits, window=1, row_bits=row_bits)
    assert f"5..weight_bits = {weight_bits}" in caught.value.allowed
    with pytest.raises(ParameterError, match="only codec mixed"):
        load_parameters(codec="int8", row_bits=row_bits)
    assert load_parameters(codec="mixed", weight_bits=weight_bits, window=1)


def test_planes_and_shifts_follow_from_the_mapping():
    """Only remaining planes are built; the RCMR is as wide as the policy needs."""
    cases = [
        ("paper", 3, 5, 3, 3, 1),
        ("minimal", 3, 5, 3, 1, 2),
        ("rounded", 7, 1, 7, 1, 3),
        ("plain", 3, 5, 0, 1, 0),
        ("paper", 0, 8, 0, 1, 0),
    ]
    for policy, squeeze, planes, max_shift, step, rcmr_bits in cases:
        hardware = load_parameters("paper", policy=policy, squeeze=squeeze).hardware
        assert (hardware.planes, hardware.max_shift, hardware.shift_step) == (
            planes,
            max_shift,
            step,
        )
        assert hardware.rcmr_bits == rcmr_bits


@pytest.mark.parametrize(
    ("rows", "rows_active", "cell_bits", "bits"),
    [
        (128, "all", 1, 8),
        (128, "all", 2, 9),
        (127, "all", 1, 7),
        (128, 9, 1, 4),
        (512, "all", 2, 11),
    ],
)
def test_lossless_bits(rows, rows_active, cell_bits, bits):
    """SPEC section 5: ceil(log2(G (2**cell_bits - 1) + 1))."""
    hardware = load_parameters(
        "lossless", rows=rows, rows_active=rows_active, cell_bits=cell_bits, squeeze=0
    ).hardware
    assert set(hardware.plane_adc_bits) == {bits}


def test_preset_files(tmp_path):
    """A preset of one's own extends another one; mistakes in it are named."""
    preset = tmp_path / "mine.toml"
    preset.write_text(
        'extends = "tiny"\n[hardware]\nadc_bits = [1,2,3,4,5,6,7]\n'
        '[mapping]\ncodec = "mixed"\nrow_bits = [5,8]\n'
    )
    parameters = load_parameters(str(preset))
    assert parameters.mapping.row_bits == (5, 8)
    assert parameters.as_dict()["row_bits"] == [5, 8]
    assert Parameters.build(parameters.as_dict()) == parameters
    hardware = parameters.hardware
    assert hardware.plane_adc_bits == (1, 2, 3, 4, 5, 6, 7)
    assert hardware.rows == 8
    mistakes = {
        "no TOML [": "no valid TOML",
        "[hardware]\nrow = 8\n": "row",
        "rows = 8\n": "rows",
        "hardware = 3\n": "hardware",
        'extends = "papre"\n': "papre",
        "[hardware]\nrows = 8\n": "lacks cols",
    }
    for text, word in mistakes.items():
        preset.write_text(text)
        with pytest.raises(InputError, match=word):
            load_parameters(str(preset))
    with pytest.raises(InputError, match="cannot be read"):
        load_parameters(str(tmp_path / "absent.toml"))
    with pytest.raises(ParameterError, match=r"papre.*paper, lossless"):
        load_parameters("papre")
    with pytest.raises(ParameterError, match="colums"):
        load_parameters("paper", colums=3)
