"""The format in which a tile is loaded: regions, entries and program words.

A program is a list of records on the program stream. A record is two header words, an address
(region in bits 31..28, first entry in bits 27..0) and the number of entries, followed by the words
of these entries, least significant word first. Every entry of a region has the same number of
words; an entry takes effect with its last word.
"""

from enum import IntEnum

import numpy as np

from .params import PROGRAM_BITS, HardwareParams
from .tile_image import EMPTY, TileImage, check_image

__all__ = [
    "Control",
    "Region",
    "cell_fields",
    "cell_limits",
    "control_limits",
    "decode_fields",
    "entry_words",
    "memory_map",
    "pack",
]

GROUP_LAST_OFFSET = 8
"""Bit position of the last bit-cycle in an entry of the group table; the first one is at 0."""

GROUP_SLOT_OFFSET = 16
"""Bit position of the slot in an entry of the group table."""


class Region(IntEnum):
    """What an address refers to."""

    CONTROL = 0
    GROUPS = 1
    DECODE = 2
    CELLS = 3


class Control(IntEnum):
    """Entries of the control region."""

    MODE = 0
    INPUT_LAST = 1
    COLUMN_LAST = 2
    RESULT_LAST = 3
    GROUP_LAST = 4


MODE_ENABLE = 1
"""Bit of ``Control.MODE``: input vectors are accepted."""

MODE_CLEAR = 2
"""Bit of ``Control.MODE``: the clip counters are set to zero; clears itself."""


def entry_words(hardware: HardwareParams, region: Region) -> int:
    """Return the program words of one entry of ``region``."""
    bits = {
        Region.CONTROL: PROGRAM_BITS,
        Region.GROUPS: PROGRAM_BITS,
        Region.DECODE: hardware.inputs_per_beat * hardware.decode_bits,
        Region.CELLS: hardware.group_rows * hardware.cell_bits,
    }[region]
    return max(1, -(-bits // PROGRAM_BITS))


def _bits(count: int) -> int:
    return (count - 1).bit_length()


def cell_fields(hardware: HardwareParams) -> dict[str, int]:
    """Return the bit fields of an entry number in the cell region, lowest first, with widths."""
    return {
        "column_step": _bits(hardware.column_steps),
        "slot": _bits(hardware.slots),
        "adc": _bits(hardware.adcs_per_crossbar),
        "sign": 1,
        "plane": _bits(hardware.planes),
    }


def cell_limits(hardware: HardwareParams) -> list[tuple[int, int]]:
    """Return width and number of values of each bit field of a cell entry, lowest first."""
    counts = (
        hardware.column_steps,
        hardware.slots,
        hardware.adcs_per_crossbar,
        2,
        hardware.planes,
    )
    return list(zip(cell_fields(hardware).values(), counts, strict=True))


def control_limits(hardware: HardwareParams) -> dict[Control, int]:
    """Return the number of values of each control register."""
    return {
        Control.MODE: 4,
        Control.INPUT_LAST: hardware.input_beats,
        Control.COLUMN_LAST: hardware.column_steps,
        Control.RESULT_LAST: hardware.result_beats,
        Control.GROUP_LAST: hardware.slots,
    }


def decode_fields(hardware: HardwareParams) -> dict[str, int]:
    """Return the bit fields of one input in the decode region, lowest first, with widths."""
    fields = {"shift_code": hardware.rcmr_bits}
    if hardware.input_index:
        fields |= {"row": hardware.row_index_bits - 1, "keep": 1}
    return fields


def memory_map(hardware: HardwareParams) -> list[dict[str, object]]:
    """Describe the regions for the manifest, as JSON values."""

    def region(kind: Region, entries: int, **more: object) -> dict[str, object]:
        return {
            "region": kind.name.lower(),
            "base": int(kind) << 28,
            "entries": entries,
            "words_per_entry": entry_words(hardware, kind),
            **more,
        }

    maps = [
        region(Region.CONTROL, len(Control), registers={c.name.lower(): int(c) for c in Control}),
        region(
            Region.GROUPS,
            hardware.slots,
            fields={
                "first_bit_cycle": [0, 8],
                "last_bit_cycle": [GROUP_LAST_OFFSET, 8],
                "slot": [GROUP_SLOT_OFFSET, 16],
            },
        ),
    ]
    if hardware.decode_bits:
        maps.append(
            region(
                Region.DECODE,
                hardware.input_beats,
                input_fields=decode_fields(hardware),
                shift_step=hardware.shift_step,
            )
        )
    widths = cell_fields(hardware)
    maps.append(region(Region.CELLS, 1 << sum(widths.values()), entry_fields=widths))
    return maps


def _record(region: Region, entry: int, data: np.ndarray) -> np.ndarray:
    """Return one record that writes ``data``, shape (entries, words)."""
    head = [int(region) << 28 | entry, len(data)]
    return np.concatenate([np.array(head, np.uint32), data.astype(np.uint32).ravel()])


def _to_words(bits: np.ndarray) -> np.ndarray:
    """Pack bits, shape (..., n), least significant first, into words, shape (..., ceil(n/32))."""
    count = -(-bits.shape[-1] // PROGRAM_BITS) * PROGRAM_BITS
    padded = np.zeros((*bits.shape[:-1], count), np.uint8)
    padded[..., : bits.shape[-1]] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4")


def _cell_records(image: TileImage, hardware: HardwareParams) -> list[np.ndarray]:
    """One record per plane, sign, ADC and slot, that holds the columns of that ADC in order."""
    g, a = hardware.group_rows, hardware.adcs_per_crossbar
    slots, steps = -(-image.physical_rows // g), -(-image.columns // a)
    # Unused rows of the last slot and unused columns of the last step are written as zeros.
    cells = np.zeros((2, hardware.planes, slots * g, steps * a), np.uint8)
    cells[:, :, : image.physical_rows, : image.columns] = image.cells
    cells = cells.reshape(2, hardware.planes, slots, g, steps, a)
    ordered = cells.transpose(1, 0, 5, 2, 4, 3)  # plane, sign, adc, slot, step, row
    bits = np.concatenate([ordered >> b & 1 for b in range(hardware.cell_bits)], axis=-1)
    words = _to_words(bits)
    widths = list(cell_fields(hardware).values())
    result = []
    for index in np.ndindex(words.shape[:4]):
        plane, sign, adc, slot = index
        entry = 0
        for value, width in zip((plane, sign, adc, slot, 0), reversed(widths), strict=True):
            entry = entry << width | value
        result.append(_record(Region.CELLS, entry, words[index]))
    return result


def _decode_words(image: TileImage, hardware: HardwareParams) -> np.ndarray:
    """Return the words of the squeeze-out index decode, shape (input beats, words)."""
    lanes = hardware.inputs_per_beat
    rows = np.flatnonzero(image.input_index != EMPTY)
    inputs = image.input_index[rows]
    fields = np.zeros(-(-image.inputs // lanes) * lanes, np.int64)
    fields[inputs] = image.row_shifts[rows] // hardware.shift_step
    if hardware.input_index:
        keep = 1 << hardware.row_index_bits - 1
        fields[inputs] |= (rows | keep) << hardware.rcmr_bits
    bits = fields[:, np.newaxis] >> np.arange(hardware.decode_bits) & 1
    return _to_words(bits.reshape(-1, lanes * hardware.decode_bits).astype(np.uint8))


def _control(entry: Control, value: int) -> np.ndarray:
    return _record(Region.CONTROL, entry, np.array([[value]]))


def pack(image: TileImage, hardware: HardwareParams) -> np.ndarray:
    """Return the program that loads ``image`` and enables the compute unit.

    The program stops the unit, loads everything, clears the clip counters and enables it.

    Parameters
    ----------
    image : TileImage
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of uint32, shape (words,)
    """
    check_image(image, hardware)
    slots, first, cycles = image.groups.T
    table = first | (first + cycles - 1) << GROUP_LAST_OFFSET | slots << GROUP_SLOT_OFFSET
    parts = [
        _control(Control.MODE, 0),
        _control(Control.INPUT_LAST, -(-image.inputs // hardware.inputs_per_beat) - 1),
        _control(Control.COLUMN_LAST, -(-image.columns // hardware.adcs_per_crossbar) - 1),
        _control(Control.RESULT_LAST, -(-image.columns // hardware.results_per_beat) - 1),
        _control(Control.GROUP_LAST, len(image.groups) - 1),
        _record(Region.GROUPS, 0, table[:, np.newaxis]),
    ]
    if hardware.decode_bits:
        parts.append(_record(Region.DECODE, 0, _decode_words(image, hardware)))
    parts += _cell_records(image, hardware)
    parts.append(_control(Control.MODE, MODE_ENABLE | MODE_CLEAR))
    return np.concatenate(parts)
