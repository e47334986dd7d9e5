"""Descriptions of boards: those that come with the package, and what users get wrong."""

import pytest

from rtl_gen.boards.board import boards, load_board
from sme_hw.errors import InputError

GOOD = """
title = "A board"
platform = "icebreaker:ICEBreakerPlatform"
family = "ice40"
timing = []

[clock]
resource = "clk12"
input_MHz = 12
target_MHz = 20

[link]
kind = "uart"
baud = 115_200

[unit]
preset = "tiny"

[capacity]
LUT = 5280
FF = 5280
block_RAM = 30

[[pins]]
resource = "led_g"
level = "ready"
"""


@pytest.mark.parametrize("name", boards())
def test_boards_that_come_along(name):
    """Each has a clock that is not above its target, and a rate its serial line can have."""
    board = load_board(name)
    assert board.name == name
    assert 0.9 * board.target_hz <= board.clock_hz <= board.target_hz
    assert (board.link == "uart") == (board.baud > 0) == bool(board.clock)
    if board.baud:
        assert board.clock_hz / board.baud >= 4


def test_own_file_works_like_a_name(tmp_path):
    """A path takes the place of a name."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    board = load_board(str(path))
    assert (board.name, board.title, board.options["preset"]) == ("mine", "A board", "tiny")
    assert 19_500_000 < board.clock_hz <= 20_000_000
    (pin,) = board.pins
    assert (pin.resource, pin.number, pin.level, pin.site) == ("led_g", 0, "ready", "")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[clock]", "[clock", "is no valid TOML"),
        ('family = "ice40"', 'family = "ice50"', "family = 'ice50' is not possible: one of ice40"),
        ('family = "ice40"', "", "family = None is not possible: one of ice40, ecp5, xilinx7"),
        ('title = "A board"', "title = 3", "title = 3 is not possible: a name is needed"),
        ("icebreaker:ICE", "os.path:ICE", "platform = 'os.path:ICEBreakerPlatform' is not poss"),
        ("input_MHz = 12", "input_MHz = 9", "input_MHz = 9.0 is not possible: SB_PLL40 takes 10"),
        ("input_MHz = 12", "input_MHz = '12'", "input_MHz = '12' is not possible: a frequency"),
        ("target_MHz = 20", "target_MHz = 15", "target_MHz = 15.0 is not possible: SB_PLL40 makes"),
        ("target_MHz = 20", "target_MHz = nan", "target_MHz = nan is not possible: a frequency"),
        (
            "baud = 115_200",
            "baud = 6_000_000",
            "baud = 6000000 is not possible: an integer in 1200",
        ),
        ("baud = 115_200", "", "baud = 0 is not possible: an integer in 1200..5000000"),
        ('kind = "uart"', 'kind = "usb"', "kind = 'usb' is not possible: one of uart, axi"),
        ('kind = "uart"', 'kind = "axi"', "kind = 'axi' is not possible: family ice40 has no"),
        ("FF = 5280", "", "FF = None is not possible: an integer in 1..10000000"),
        (
            "FF = 5280",
            "FF = 1\nDSP = 1",
            "DSP = 1 is not possible: [capacity] has only LUT, FF, bl",
        ),
        ("timing = []", "timing = [1]", "timing = [1] is not possible: a list of lines"),
        ("timing = []", "speed = 6", "speed = 6 is not possible: the file has only title, plat"),
        ("[[pins]]", "[pins]", "is not possible: tables [[pins]] are needed"),
        (
            'level = "ready"',
            'level = "on"',
            "level = 'on' is not possible: one of low, high, ready",
        ),
        ('level = "ready"', 'level = "low"\nnumber = -1', "number = -1 is not possible"),
        ('"led_g"', '"led g"', "resource = 'led g' is not possible: a name is needed"),
        (
            'level = "ready"',
            'level = "low"\nattributes = {A = 1}',
            "attributes = {'A': 1} is not possible: only pins with a site take them",
        ),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, words):
    """One line says which file, key and value, and what would do."""
    assert old in GOOD
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError) as refused:
        load_board(str(path))
    assert words in str(refused.value)
    assert f"board {path}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_unknown_board(tmp_path):
    """Names that there are not, and files."""
    with pytest.raises(InputError, match="board = 'breaker' is not possible: one of arty_a7_35, "):
        load_board("breaker")
    with pytest.raises(InputError, match=r"no\.toml cannot be read"):
        load_board(str(tmp_path / "no.toml"))
