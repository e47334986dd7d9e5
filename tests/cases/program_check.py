"""Cases of :class:`sme_hw.program_check.ProgramCheck`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.program_check import program_check
from sme_hw.params import HardwareParams, index_bits
from sme_hw.program import (
    GROUP_LAST_OFFSET,
    GROUP_SLOT_OFFSET,
    MODE_ENABLE,
    Control,
    Region,
    cell_limits,
    control_limits,
    entry_bits,
    region_entries,
)
from sme_hw.program_check import ProgramCheck

from .case import SEED, Case, Clocked, Expected, Values
from .hardware import HARDWARE
from .values import pipeline

__all__ = ["cases"]

SETS = ("slc", "no-shifts", "coarse-adc", "reordered", "sets", "sets-reordered", "sets-quick")

Write = tuple[int, int, int, int]

STOP: Write = (Region.CONTROL, 0, Control.MODE, 0)
"""Disables the unit, which clears the flag."""


def _group(entry: int, first: int, last: int, slot: int, weight_set: int = 0) -> Write:
    value = first | last << GROUP_LAST_OFFSET | slot << GROUP_SLOT_OFFSET
    return Region.GROUPS, weight_set, entry, value


def _wrong_writes(hardware: HardwareParams) -> list[Write]:
    """Return writes that each are wrong in one way, right at the border."""
    top = hardware.converted_bits - 1
    entries = region_entries(hardware)
    writes: list[Write] = [
        (7, 0, 0, 0),
        (Region.CONTROL, 0, len(Control), 0),
        *((kind, 0, entries[kind], 0) for kind in (Region.RCMR, Region.INDEX)),
        _group(hardware.slots, 0, top, 0),
        _group(0, 0, top, hardware.slots),
        _group(0, 0, top + 1, 0),
        # Wrong in upper bits only.
        _group(0, 1 << index_bits(hardware.converted_bits), top, 0),
        _group(0, 0, top, 1 << 15),
        (Region.CONTROL, 0, Control.ROW_LAST, 1 << 31),
    ]
    if top:
        writes.append(_group(0, top, top - 1, 0))
    writes += [(Region.CONTROL, 0, r, limit) for r, limit in control_limits(hardware).items()]
    sets = hardware.weight_sets
    if sets < 1 << hardware.set_bits:
        writes += [(kind, sets, entries[kind] - 1, 0) for kind in Region if entries[kind]]
    # What is wrong in one set is wrong in the last one.
    writes.append((Region.CONTROL, sets - 1, Control.GROUP_LAST, hardware.slots))
    writes.append(_group(0, 0, top + 1, 0, sets - 1))
    offset = 0
    for width, count in cell_limits(hardware):
        if count < 2**width:
            writes.append((Region.CELLS, 0, count << offset, 0))
        offset += width
    writes.append((Region.CELLS, 0, 1 << offset, 0))
    return writes


def _right_writes(hardware: HardwareParams) -> list[Write]:
    """Return writes right inside the borders, the tables of all sets written in turns."""
    top = hardware.converted_bits - 1
    slots, sets = hardware.slots, range(hardware.weight_sets)
    writes = [_group(g, min(g, top), top, slots - 1 - g, s) for g in range(slots) for s in sets]
    for s in sets:
        writes += [(Region.CONTROL, s, r, n - 1) for r, n in control_limits(hardware).items()]
    writes.append((Region.CONTROL, 0, Control.MODE, MODE_ENABLE))
    last, offset = 0, 0
    for width, count in cell_limits(hardware):
        last |= count - 1 << offset
        offset += width
    for region, entries in region_entries(hardware).items():
        if region in (Region.RCMR, Region.INDEX) and entries:
            writes += [(region, s, entries - 1, 0) for s in sets]
    writes += [(Region.CELLS, s, last, 0) for s in sets]
    return writes


def _overlaps(hardware: HardwareParams) -> list[Write]:
    """Return tables in which the second group has the slot of the first one."""
    if hardware.slots == 1:
        return []
    writes = [_group(0, 0, 0, 1), _group(1, 0, 0, 1), STOP, _group(0, 0, 0, 1), _group(1, 0, 0, 0)]
    if hardware.weight_sets > 1:
        # Another set's table between the two neither hides the overlap nor makes one.
        writes += [STOP, _group(0, 0, 0, 1), _group(0, 0, 0, 0, 1), _group(1, 0, 0, 1, 1)]
        writes += [_group(1, 0, 0, 1)]
    return writes


def _driven(write: Write, hardware: HardwareParams) -> dict[str, int]:
    """Return the ports of a write."""
    region, weight_set, entry, value = write
    too_large = 1 << entry_bits(hardware)
    ports = {"write__region": region, "write__entry": min(entry, too_large), "write__data": value}
    return ports | ({"write__set": weight_set} if hardware.weight_sets > 1 else {})


def _phase(hardware: HardwareParams) -> Clocked:
    rng = np.random.default_rng(SEED)
    writes: list[Write] = [STOP, *_right_writes(hardware), STOP, *_overlaps(hardware)]
    for write in _wrong_writes(hardware):
        # The flag stays through writes that are right, until the unit is disabled.
        right = [(Control.INPUT_LAST, 0), (Control.MODE, MODE_ENABLE)]
        writes += [STOP, write, *((Region.CONTROL, 0, *values) for values in right)]
    flags = program_check(writes, hardware)
    assert any(flags)
    stimuli: list[Values] = []
    responses: list[Expected] = []
    for write, before, flag in zip(writes, [False, *flags], flags, strict=False):
        while rng.random() < 0.3:
            # Without enable nothing counts, neither this write nor any other.
            early = writes[rng.integers(len(writes))] if rng.random() < 0.5 else write
            stimuli.append({"write__enable": 0, **_driven(early, hardware)})
            responses.append({"error": int(before)})
        stimuli.append({"write__enable": 1, **_driven(write, hardware)})
        responses.append({"error": int(flag)})
    # An overlong record raises the flag by itself.
    stop = _driven(STOP, hardware)
    for driven, flag in (
        (stop | {"write__enable": 1}, 0),
        ({"write__enable": 0, "overlong": 1}, 1),
        ({"overlong": 0}, 1),
        (stop | {"write__enable": 1}, 0),
    ):
        stimuli.append(driven)
        responses.append({"error": flag})
    return pipeline("writes", stimuli, responses, 2)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name in SETS:
        hardware = HARDWARE[name]
        yield Case(
            f"program_check-{name}",
            lambda hardware=hardware: ProgramCheck(hardware=hardware, data_bits=32),
            [_phase(hardware)],
        )
