"""The format in which a tile is loaded: regions, entries and program words.

A program is a list of records on the program stream. A record is two header words, an address
(region in bits 31..28, first entry in bits 27..0) and the number of entries, followed by the words
of these entries, least significant word first. Every entry of a region has the same number of
words; an entry takes effect with its last word.

Where several weight sets are built, every set has all entries but ``Control.MODE``, which is
common; the set stands in the upper bits of an entry's number, from bit 26.
"""

from enum import IntEnum

from .params import PROGRAM_BITS, HardwareParams, ceil_div, index_bits

__all__ = [
    "GROUP_LAST_OFFSET",
    "GROUP_SLOT_OFFSET",
    "MODE_CLEAR",
    "MODE_ENABLE",
    "REGION_OFFSET",
    "SET_OFFSET",
    "Control",
    "Region",
    "cell_counts",
    "cell_fields",
    "cell_limits",
    "cell_word_bits",
    "control_limits",
    "entry_bits",
    "entry_words",
    "index_fields",
    "input_fields",
    "memory_map",
    "region_entries",
]

REGION_OFFSET = 28
"""Bit position of the region in an address word; an entry's number is below."""

SET_OFFSET = 26
"""Bit position of the weight set in an entry's number."""

GROUP_LAST_OFFSET = 8
"""Bit position of the last bit-cycle in an entry of the group table; the first one is at 0."""

GROUP_SLOT_OFFSET = 16
"""Bit position of the slot in an entry of the group table."""


class Region(IntEnum):
    """What an address refers to."""

    CONTROL = 0
    GROUPS = 1
    RCMR = 2
    INDEX = 3
    CELLS = 4


class Control(IntEnum):
    """Entries of the control region."""

    MODE = 0
    INPUT_LAST = 1
    ROW_LAST = 2
    COLUMN_LAST = 3
    RESULT_LAST = 4
    GROUP_LAST = 5


MODE_ENABLE = 1
"""Bit of ``Control.MODE``: input vectors are accepted."""

MODE_CLEAR = 2
"""Bit of ``Control.MODE``: the clip counters are set to zero; clears itself."""


def entry_words(hardware: HardwareParams, region: Region) -> int:
    """Return the program words of one entry of ``region``."""
    bits = {
        Region.CONTROL: PROGRAM_BITS,
        Region.GROUPS: PROGRAM_BITS,
        Region.RCMR: hardware.inputs_per_beat * hardware.rcmr_bits,
        Region.INDEX: hardware.inputs_per_beat * sum(index_fields(hardware).values()),
        Region.CELLS: cell_word_bits(hardware),
    }[region]
    return max(1, ceil_div(bits, PROGRAM_BITS))


def _bits(count: int) -> int:
    return (count - 1).bit_length()


def cell_counts(hardware: HardwareParams) -> dict[str, int]:
    """Return what numbers an entry of the cell region, lowest first, with its number of values."""
    counts = {
        "column_step": hardware.column_steps,
        "slot": hardware.slots,
        "adc": hardware.adcs_per_crossbar,
    }
    # Where planes and signs are merged, an entry holds them all.
    return counts if hardware.merged else counts | {"sign": 2, "plane": hardware.planes}


def cell_word_bits(hardware: HardwareParams) -> int:
    """Return the bits of an entry of the cell region."""
    return hardware.group_rows * (hardware.merged_bits if hardware.merged else hardware.cell_bits)


def cell_fields(hardware: HardwareParams) -> dict[str, int]:
    """Return the bit fields of an entry number in the cell region, lowest first, with widths."""
    return {name: _bits(count) for name, count in cell_counts(hardware).items()}


def cell_limits(hardware: HardwareParams) -> list[tuple[int, int]]:
    """Return width and number of values of each bit field of a cell entry, lowest first."""
    return [(_bits(count), count) for count in cell_counts(hardware).values()]


def control_limits(hardware: HardwareParams) -> dict[Control, int]:
    """Return the number of values of each control register."""
    return {
        Control.MODE: 4,
        Control.INPUT_LAST: hardware.input_beats,
        Control.ROW_LAST: hardware.row_beats,
        Control.COLUMN_LAST: hardware.column_steps,
        Control.RESULT_LAST: hardware.result_beats,
        Control.GROUP_LAST: hardware.slots,
    }


def region_entries(hardware: HardwareParams) -> dict[Region, int]:
    """Return the number of entries of each region; 0 where the hardware has none."""
    return {
        Region.CONTROL: len(Control),
        Region.GROUPS: hardware.slots,
        Region.RCMR: hardware.row_beats if hardware.rcmr_bits else 0,
        Region.INDEX: hardware.row_beats if hardware.input_index else 0,
        Region.CELLS: 1 << sum(cell_fields(hardware).values()),
    }


def entry_bits(hardware: HardwareParams) -> int:
    """Return the bits that number the entries of any region."""
    return max(index_bits(entries) for entries in region_entries(hardware).values())


def index_fields(hardware: HardwareParams) -> dict[str, int]:
    """Return the bit fields of a physical row in the input index, lowest first, with widths.

    They are empty where rows are not reordered.
    """
    if not hardware.input_index:
        return {}
    lane_bits = (hardware.inputs_per_beat - 1).bit_length()
    lane = {"lane": lane_bits} if lane_bits else {}
    return {"beat": index_bits(hardware.input_beats)} | lane | {"keep": 1}


def input_fields(hardware: HardwareParams) -> dict[str, int]:
    """Return the bit fields of a beat of the input stream, lowest first, with widths."""
    fields = {"inputs": hardware.inputs_per_beat * hardware.input_bits}
    return fields | ({"set": hardware.set_bits} if hardware.set_bits else {})


def memory_map(hardware: HardwareParams) -> list[dict[str, object]]:
    """Describe the regions for the manifest, as JSON values.

    With several weight sets, the entries are those of one set; the next set's are ``set_stride``
    further on.
    """
    sets = {"set_stride": 1 << SET_OFFSET} if hardware.set_bits else {}
    more: dict[Region, dict[str, object]] = {
        Region.CONTROL: {"registers": {c.name.lower(): int(c) for c in Control}},
        Region.GROUPS: {
            "fields": {
                "first_bit_cycle": [0, 8],
                "last_bit_cycle": [GROUP_LAST_OFFSET, 8],
                "slot": [GROUP_SLOT_OFFSET, 16],
            }
        },
        Region.RCMR: {"row_bits": hardware.rcmr_bits, "shift_step": hardware.shift_step},
        Region.INDEX: {"row_fields": index_fields(hardware)},
        Region.CELLS: {
            "entry_fields": cell_fields(hardware),
            "row_bits": cell_word_bits(hardware) // hardware.group_rows,
            "content": "offset binary weights" if hardware.merged else "cell levels",
        },
    }
    return [
        {
            "region": kind.name.lower(),
            "base": int(kind) << REGION_OFFSET,
            "entries": entries,
            "words_per_entry": entry_words(hardware, kind),
            **sets,
            **more[kind],
        }
        for kind, entries in region_entries(hardware).items()
        if entries
    ]
