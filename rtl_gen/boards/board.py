"""Boards: what stands on them, and what is built for them by default."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sme_hw.errors import InputError, ParameterError
from sme_hw.params import check_choice, check_int

from .families import FAMILIES, FIGURES, Family
from .pll import PllSettings, pll_settings

__all__ = ["LEVELS", "LINKS", "Board", "Pin", "boards", "load_board", "with_clock"]

# Not a resource of a package: a folder of this name in the user's own would be found first.
_FOLDER = Path(__file__).resolve().parents[2] / "constraints"

LINKS = ("uart", "axi")
"""How a host reaches the unit: a serial line, or the buses of processors on the same chip."""

LEVELS = ("low", "high", "ready")
"""What a pin of ours shows; ``ready``: 1 as soon as the unit is out of its reset."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLATFORM = re.compile(r"[A-Za-z_]\w*:[A-Za-z_]\w*")
_BOARD_PART = re.compile(r"[\w.:-]*")
_TABLES = {
    "": ("title", "platform", "family", "board_part", "timing"),
    "clock": ("resource", "input_MHz", "target_MHz"),
    "link": ("kind", "baud"),
    "unit": None,  # options of a preset
    "capacity": FIGURES,
    "pins": ("resource", "number", "site", "attributes", "level"),
}
_MHZ = 1_000_000


@dataclass(frozen=True)
class Pin:
    """A pin beside clock and link.

    Parameters
    ----------
    resource : str
        Name for amaranth-boards.
    number : int
    level : str
        One of :data:`LEVELS`.
    site : str
        Pin of the package; empty for a resource that amaranth-boards knows.
    attributes : dict
        Its electrical settings, if a site is given.
    """

    resource: str
    number: int
    level: str
    site: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Board:
    """A board.

    Parameters
    ----------
    name : str
        Name of its file.
    title : str
        For people.
    platform : str
        Module and class in the package amaranth_boards, as in ``arty_a7:ArtyA7_35Platform``.
    family : Family
    board_part : str
        What Vivado calls the board, if somebody installed its files; else empty.
    clock : str
        Resource with the input clock; empty where the processors on the chip give it.
    input_hz, target_hz : int
        Frequency of that clock, and the one that the unit should run at.
    link : str
        One of :data:`LINKS`.
    baud : int
        Of a serial line; else 0.
    options : dict
        ``preset`` and the options that differ from it.
    capacity : dict
        What the device has of each of :data:`rtl_gen.boards.families.FIGURES`.
    pins : tuple of Pin
    timing : tuple of str
        More lines for the file of constraints.
    """

    name: str
    title: str
    platform: str
    family: Family
    board_part: str
    clock: str
    input_hz: int
    target_hz: int
    link: str
    baud: int
    options: Mapping[str, Any]
    capacity: Mapping[str, int]
    pins: tuple[Pin, ...]
    timing: tuple[str, ...]

    @cached_property
    def pll(self) -> PllSettings | None:
        """How the clock is made; None if it is the input clock itself."""
        if self.input_hz == self.target_hz:
            return None
        return pll_settings(self.family.pll, self.input_hz, self.target_hz)

    @property
    def clock_hz(self) -> float:
        """Frequency of the unit's clock: the target, or the next lower one the PLL can make."""
        return float(self.pll.output_hz) if self.pll else float(self.input_hz)


def boards() -> list[str]:
    """Return the names of the boards that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_board(board: str) -> Board:
    """Return a board.

    Parameters
    ----------
    board : str
        Name of a board, or path of a TOML file like those in ``constraints``.

    Raises
    ------
    InputError
        There is no such board, or its file is not as it should be; the message names file, key,
        value, and what is allowed.
    """
    if board.endswith(".toml"):
        path = Path(board)
    elif board in boards():
        path = _FOLDER / f"{board}.toml"
    else:
        allowed = f"one of {', '.join(boards())} or the path of a .toml file is needed"
        raise ParameterError("board", board, allowed)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"board {path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"board {path} is no valid TOML: {error}") from None
    try:
        return _board(path.stem, content)
    except InputError as error:
        raise InputError(f"board {path}: {error}") from None


def with_clock(board: Board, megahertz: float) -> Board:
    """Return a board whose unit is to run at another clock.

    Raises
    ------
    ParameterError
        Its loop cannot make such a clock, or the serial line is too fast for it.
    """
    target = _hertz("clock", {"clock": megahertz})
    if board.link == "axi":
        return replace(board, input_hz=target, target_hz=target)
    changed = replace(board, target_hz=target)
    _baud({"baud": board.baud}, target)
    _ = changed.pll
    return changed


def _board(name: str, content: dict[str, Any]) -> Board:
    tables = {table: content.pop(table, {}) for table in ("clock", "link", "unit", "capacity")}
    pins = content.pop("pins", [])
    _check_keys("", content)
    for table, values in tables.items():
        _check_keys(table, values)
    if not isinstance(pins, list):
        raise ParameterError("pins", pins, "tables [[pins]] are needed")
    clock, link = tables["clock"], tables["link"]
    check_choice("family", content.get("family"), list(FAMILIES))
    check_choice("kind", link.get("kind"), LINKS)
    family = FAMILIES[content["family"]]
    uart = link["kind"] == "uart"
    if not uart and not family.vivado:
        raise ParameterError("kind", link["kind"], f"family {family.name} has no processors")
    target = _hertz("target_MHz", clock)
    timing = content.get("timing", [])
    if not isinstance(timing, list) or not all(isinstance(line, str) for line in timing):
        raise ParameterError("timing", timing, "a list of lines is needed")
    for key in FIGURES:
        check_int(key, tables["capacity"].get(key), 1, 10**7)
    board = Board(
        name=name,
        title=_text("title", content),
        platform=_text(
            "platform", content, _PLATFORM, "a module:Class of amaranth_boards is needed"
        ),
        family=family,
        board_part=_text("board_part", {"board_part": ""} | content, _BOARD_PART),
        clock=_text("resource", clock, _NAME) if uart else "",
        input_hz=_hertz("input_MHz", clock) if uart else target,
        target_hz=target,
        link=link["kind"],
        baud=_baud(link, target) if uart else 0,
        options={"preset": "paper"} | tables["unit"],
        capacity=tables["capacity"],
        pins=tuple(_pin(pin) for pin in pins),
        timing=tuple(timing),
    )
    unused = () if uart else (("resource", clock), ("input_MHz", clock), ("baud", link))
    for key, table in unused:
        if key in table:
            raise ParameterError(key, table[key], 'link kind = "axi" has no such key')
    # Whether there is a setting for its loop.
    _ = board.pll
    return board


def _check_keys(table: str, values: Any) -> None:
    """Refuse what is no table, and unknown keys."""
    where = f"[{table}]" if table else "the file"
    if not isinstance(values, dict):
        raise ParameterError(table, values, f"a table {where} is needed")
    known = _TABLES[table]
    for key, value in values.items():
        if known is not None and key not in known:
            raise ParameterError(key, value, f"{where} has only {', '.join(known)}")


def _text(
    key: str,
    table: Mapping[str, Any],
    form: re.Pattern[str] = re.compile(".+"),
    allowed: str = "a name is needed",
) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ParameterError(key, value, allowed)
    return value


def _hertz(key: str, table: Mapping[str, Any]) -> int:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1000:
        raise ParameterError(key, value, "a frequency from 1 to 1000 MHz is needed")
    return round(value * _MHZ)


def _baud(link: Mapping[str, Any], target_hz: int) -> int:
    baud: int = link.get("baud", 0)
    check_int("baud", baud, 1200, min(target_hz // 4, 12_000_000), ", four clocks a bit at least")
    return baud


def _pin(values: Any) -> Pin:
    _check_keys("pins", values)
    attributes, site = values.get("attributes", {}), values.get("site", "")
    if not isinstance(attributes, dict) or not isinstance(site, str):
        raise ParameterError("pins", values, "site is a name, attributes a table")
    if attributes and not site:
        raise ParameterError("attributes", attributes, "only pins with a site take them")
    check_choice("level", values.get("level"), LEVELS)
    check_int("number", values.get("number", 0), 0, 100)
    return Pin(
        resource=_text("resource", values, _NAME),
        number=values.get("number", 0),
        level=values["level"],
        site=site,
        attributes={key: str(value) for key, value in attributes.items()},
    )
