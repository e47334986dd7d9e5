"""What the program of a tile array has beside the records of :mod:`sme_hw.program`.

Records of the other regions go to the units that the last record of ``ArrayRegion.UNITS`` chose;
after reset, to all. That record has no entries: its entry number is the mask of the units.

``ArrayRegion.ROUTES`` has one word per packet and weight set. The entries of a set are its input
packets from number 0 on, and its result packets from number 0 on (``ROUTE_RESULTS``); the last of
either is marked (``ROUTE_FINAL``). They are written in this order: numbers without a gap, no unit
twice among the input packets nor among the result packets, and in the end the same units in both.

The mode (``Control.MODE``) is the array's, too, and is always written to all units: the array lets
vectors in from when it is enabled, and every set with routes must then have all of them.
"""

from enum import IntEnum

from amaranth import unsigned
from amaranth.lib import data

from .params import HardwareParams, check_int, index_bits
from .program import REGION_OFFSET

__all__ = [
    "ROUTE_FINAL",
    "ROUTE_LAST_BEAT_OFFSET",
    "ROUTE_RESULTS",
    "UNITS_MAX",
    "ArrayRegion",
    "Route",
    "array_memory_map",
    "check_units",
]

UNITS_MAX = 8
"""Units of an array at most: as many packets can be numbered in the program of any hardware."""

ROUTE_LAST_BEAT_OFFSET = 8
"""Bit position of an input packet's last beat in an entry of the routes; its units are at 0."""

ROUTE_RESULTS = 1 << 30
"""Bit of an entry of the routes: it is about a result packet."""

ROUTE_FINAL = 1 << 31
"""Bit of an entry of the routes: no packet of its kind follows."""


class ArrayRegion(IntEnum):
    """What an address refers to that only an array has; the other regions are the units'."""

    ROUTES = 14
    UNITS = 15


class Route(data.StructLayout):
    """Where a packet goes to, or comes from.

    Fields
    ------
    units : units
        One bit for each unit.
    last_beat : range(input_beats)
        Index of an input packet's last beat.
    final : 1
        The vector's last packet.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        super().__init__(
            {
                "units": unsigned(units),
                "last_beat": unsigned(index_bits(hardware.input_beats)),
                "final": unsigned(1),
            }
        )


def check_units(units: int) -> None:
    """Raise :class:`sme_hw.errors.ParameterError` unless an array can have so many units."""
    check_int("units", units, 1, UNITS_MAX)


def array_memory_map(units: int) -> list[dict[str, object]]:
    """Describe the array's own regions for the manifest, as :func:`sme_hw.program.memory_map`."""
    return [
        {
            "region": "routes",
            "base": int(ArrayRegion.ROUTES) << REGION_OFFSET,
            "entries": units,
            "words_per_entry": 1,
            "fields": {
                "units": [0, units],
                "last_beat": [ROUTE_LAST_BEAT_OFFSET, 16],
                "results": [30, 1],
                "final": [31, 1],
            },
        },
        {
            "region": "units",
            "base": int(ArrayRegion.UNITS) << REGION_OFFSET,
            "entries": 0,
            "entry_fields": {"units": units},
        },
    ]
