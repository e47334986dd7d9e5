"""Arrays into words: the program that loads tiles, and the beats of input vectors."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from .cycles import input_beats, row_beats
from .errors import InputError
from .params import PROGRAM_BITS, HardwareParams, ceil_div
from .program import (
    GROUP_LAST_OFFSET,
    GROUP_SLOT_OFFSET,
    MODE_CLEAR,
    MODE_ENABLE,
    REGION_OFFSET,
    SET_OFFSET,
    Control,
    Region,
    cell_fields,
    index_fields,
)
from .tile_image import EMPTY, TileImage, check_image

__all__ = [
    "control_record",
    "in_order",
    "input_lanes",
    "merge_cells",
    "pack",
    "pack_inputs",
    "record",
    "row_lanes",
    "tile_records",
]

T = TypeVar("T")


def record(region: int, entry: int, data: np.ndarray, weight_set: int = 0) -> np.ndarray:
    """Return one record that writes ``data``, shape (entries, words), as uint32 words."""
    head = [int(region) << REGION_OFFSET | weight_set << SET_OFFSET | entry, len(data)]
    return np.concatenate([np.array(head, np.uint32), data.astype(np.uint32).ravel()])


def _to_words(bits: np.ndarray) -> np.ndarray:
    """Pack bits, shape (..., n), least significant first, into words, shape (..., ceil(n/32))."""
    count = ceil_div(bits.shape[-1], PROGRAM_BITS) * PROGRAM_BITS
    padded = np.zeros((*bits.shape[:-1], count), np.uint8)
    padded[..., : bits.shape[-1]] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4")


def _cell_records(image: TileImage, hardware: HardwareParams, weight_set: int) -> list[np.ndarray]:
    """One record per plane, sign, ADC and slot, that holds the columns of that ADC in order."""
    g, a = hardware.group_rows, hardware.adcs_per_crossbar
    slots, steps = ceil_div(image.physical_rows, g), ceil_div(image.columns, a)
    # Unused rows of the last slot and unused columns of the last step are written as zeros.
    cells = np.zeros((2, hardware.planes, slots * g, steps * a), np.uint8)
    cells[:, :, : image.physical_rows, : image.columns] = image.cells
    bits = hardware.cell_bits
    levels = cells.transpose(1, 0, 2, 3).reshape(hardware.planes, 2, slots, g, steps, a)
    if hardware.merged:
        levels = merge_cells(levels, hardware)[np.newaxis, np.newaxis]
        bits = hardware.merged_bits
    ordered = levels.transpose(0, 1, 5, 2, 4, 3)  # plane, sign, adc, slot, step, row
    words = _to_words(
        np.concatenate([ordered >> b & 1 for b in range(bits)], axis=-1).astype(np.uint8)
    )
    widths = cell_fields(hardware)
    result = []
    for plane, sign, adc, slot in np.ndindex(words.shape[:4]):
        values = {"slot": slot, "adc": adc, "sign": sign, "plane": plane}
        entry = offset = 0
        for name, width in widths.items():
            entry |= values.get(name, 0) << offset
            offset += width
        result.append(record(Region.CELLS, entry, words[plane, sign, adc, slot], weight_set))
    return result


def merge_cells(levels: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Return the offset binary codes of signed weights.

    Parameters
    ----------
    levels : numpy.ndarray of uint8, shape (planes, 2, ...)
        Cell levels, positive crossbars first.
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of int64, shape (...)
        The weight that the cells make, plus ``2**(merged_bits - 1)``.
    """
    signed = levels[:, 0].astype(np.int64) - levels[:, 1]
    weights = np.tensordot(1 << np.array(hardware.plane_weight_bits, np.int64), signed, axes=1)
    return weights + (1 << hardware.merged_bits - 1)


def row_lanes(hardware: HardwareParams, physical_rows: int) -> np.ndarray:
    """Return which physical row each lane of each beat holds, :data:`EMPTY` for none.

    Shape (beats, inputs_per_beat). Every slot begins with a new beat.
    """
    g, lanes = hardware.group_rows, hardware.inputs_per_beat
    offsets = np.arange(hardware.slot_beats * lanes)
    rows = np.where(offsets < g, offsets + np.arange(hardware.slots)[:, np.newaxis] * g, EMPTY)
    rows = rows.reshape(-1, lanes)
    rows[rows >= physical_rows] = EMPTY
    return rows[: row_beats(hardware, physical_rows)]


def input_lanes(hardware: HardwareParams, inputs: int) -> np.ndarray:
    """Return which input each lane of each beat of the input stream holds, as :func:`row_lanes`.

    Where the hardware reorders rows, inputs follow one another without regard to slots.
    """
    if not hardware.input_index:
        return row_lanes(hardware, inputs)
    lanes = hardware.inputs_per_beat
    places = np.arange(input_beats(hardware, inputs) * lanes)
    return np.where(places < inputs, places, EMPTY).reshape(-1, lanes)


def pack_inputs(inputs: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Return vectors as beats of the input stream; lanes that hold no input are 0.

    Parameters
    ----------
    inputs : numpy.ndarray of integers, shape (vectors, inputs)
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of int64, shape (vectors, beats, inputs_per_beat)
    """
    lanes = input_lanes(hardware, inputs.shape[1])
    return np.where(lanes == EMPTY, 0, inputs[:, lanes].astype(np.int64))


def _rcmr_words(image: TileImage, hardware: HardwareParams, rows: np.ndarray) -> np.ndarray:
    """Return the words of the RCMR, shape (beats, words)."""
    codes = np.where(rows == EMPTY, 0, image.row_shifts[rows] // hardware.shift_step)
    bits = codes[..., np.newaxis] >> np.arange(hardware.rcmr_bits) & 1
    return _to_words(bits.reshape(len(rows), -1).astype(np.uint8))


def _index_words(image: TileImage, hardware: HardwareParams, rows: np.ndarray) -> np.ndarray:
    """Return the words of the input index, shape (beats, words)."""
    sources = np.where(rows == EMPTY, EMPTY, image.input_index[rows])
    beat, lane = np.divmod(np.maximum(sources, 0), hardware.inputs_per_beat)
    values = {"beat": beat, "lane": lane, "keep": sources != EMPTY}
    bits = [
        values[name][..., np.newaxis] >> np.arange(width) & 1
        for name, width in index_fields(hardware).items()
    ]
    return _to_words(np.concatenate(bits, axis=-1).reshape(len(rows), -1).astype(np.uint8))


def control_record(entry: Control, value: int, weight_set: int = 0) -> np.ndarray:
    """Return the record that writes one control register, as uint32 words."""
    return record(Region.CONTROL, entry, np.array([[value]]), weight_set)


def tile_records(image: TileImage, hardware: HardwareParams, weight_set: int) -> list[np.ndarray]:
    """Return the records that load one tile into a weight set, each as uint32 words."""
    rows = row_lanes(hardware, image.physical_rows)
    slots, first, cycles = image.groups.T
    table = first | (first + cycles - 1) << GROUP_LAST_OFFSET | slots << GROUP_SLOT_OFFSET
    limits = {
        Control.INPUT_LAST: input_beats(hardware, image.inputs) - 1,
        Control.ROW_LAST: len(rows) - 1,
        Control.COLUMN_LAST: ceil_div(image.columns, hardware.adcs_per_crossbar) - 1,
        Control.RESULT_LAST: ceil_div(image.columns, hardware.results_per_beat) - 1,
        Control.GROUP_LAST: len(image.groups) - 1,
    }
    parts = [control_record(entry, value, weight_set) for entry, value in limits.items()]
    tables = {Region.GROUPS: table[:, np.newaxis]}
    if hardware.rcmr_bits:
        tables[Region.RCMR] = _rcmr_words(image, hardware, rows)
    if hardware.input_index:
        tables[Region.INDEX] = _index_words(image, hardware, rows)
    parts += [record(region, 0, words, weight_set) for region, words in tables.items()]
    return parts + _cell_records(image, hardware, weight_set)


def pack(images: TileImage | Sequence[TileImage], hardware: HardwareParams) -> np.ndarray:
    """Return the program that loads tiles and enables the compute unit.

    The program stops the unit, loads everything, clears the clip counters and enables it.

    Parameters
    ----------
    images : TileImage or sequence of TileImage
        One for each weight set, from set 0; sets without an image must not be used.
    hardware : HardwareParams

    Returns
    -------
    numpy.ndarray of uint32, shape (words,)

    Raises
    ------
    InputError
        There are no images, or more than weight sets, or one of them cannot be computed rightly;
        its set is named where there are several.
    """
    tiles = [images] if isinstance(images, TileImage) else list(images)
    if not 1 <= len(tiles) <= hardware.weight_sets:
        raise InputError(
            f"{len(tiles)} tiles do not fit: weight_sets = {hardware.weight_sets} hold 1.."
            f"{hardware.weight_sets}"
        )
    parts = [control_record(Control.MODE, 0)]
    for weight_set, image in enumerate(tiles):
        try:
            check_image(image, hardware)
        except InputError as error:
            if hardware.weight_sets == 1:
                raise
            raise InputError(f"set {weight_set}: {error}") from None
        parts += tile_records(image, hardware, weight_set)
    parts.append(control_record(Control.MODE, MODE_ENABLE | MODE_CLEAR))
    return np.concatenate(parts)


def in_order(order: Iterable[int], parts: Sequence[Iterable[T]]) -> list[T]:
    """Return what belongs to vectors in the order of these vectors.

    Parameters
    ----------
    order : iterable of int
        Set of every vector.
    parts : sequence of iterables
        For each set, one element per vector of that set.

    Examples
    --------
    >>> in_order([1, 0, 1], ["a", "bc"])
    ['b', 'a', 'c']
    """
    rest = [iter(part) for part in parts]
    return [next(rest[weight_set]) for weight_set in order]
