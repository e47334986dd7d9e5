"""Cases of :class:`sme_hw.program_check.ProgramCheck`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.program_check import program_check
from sme_hw.params import HardwareParams
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

SETS = ("slc", "no-shifts", "coarse-adc", "reordered")

Write = tuple[int, int, int]

STOP: Write = (Region.CONTROL, Control.MODE, 0)
"""Disables the unit, which clears the flag."""


def _group(entry: int, first: int, last: int, slot: int) -> Write:
    value = first | last << GROUP_LAST_OFFSET | slot << GROUP_SLOT_OFFSET
    return Region.GROUPS, entry, value


def _wrong_writes(hardware: HardwareParams) -> list[Write]:
    """Return writes that each are wrong in one way, right at the border."""
    top = hardware.converted_bits - 1
    entries = region_entries(hardware)
    writes: list[Write] = [
        (7, 0, 0),
        (Region.CONTROL, len(Control), 0),
        *((kind, entries[kind], 0) for kind in (Region.RCMR, Region.INDEX)),
        _group(hardware.slots, 0, top, 0),
        _group(0, 0, top, hardware.slots),
        _group(0, 0, top + 1, 0),
        _group(0, top, top - 1, 0),
    ]
    writes += [(Region.CONTROL, r, limit) for r, limit in control_limits(hardware).items()]
    offset = 0
    for width, count in cell_limits(hardware):
        if count < 2**width:
            writes.append((Region.CELLS, count << offset, 0))
        offset += width
    writes.append((Region.CELLS, 1 << offset, 0))
    return writes


def _right_writes(hardware: HardwareParams) -> list[Write]:
    """Return writes right inside the borders."""
    top = hardware.converted_bits - 1
    slots = hardware.slots
    writes = [_group(s, min(s, top), top, slots - 1 - s) for s in range(slots)]
    writes += [(Region.CONTROL, r, n - 1) for r, n in control_limits(hardware).items()]
    writes.append((Region.CONTROL, Control.MODE, MODE_ENABLE))
    for region, entries in region_entries(hardware).items():
        if region in (Region.RCMR, Region.INDEX) and entries:
            writes.append((region, entries - 1, 0))
    last, offset = 0, 0
    for width, count in cell_limits(hardware):
        last |= count - 1 << offset
        offset += width
    writes.append((Region.CELLS, last, 0))
    return writes


def _overlaps(hardware: HardwareParams) -> list[Write]:
    """Return a table in which the second group has the slot of the first one."""
    if hardware.slots == 1:
        return []
    return [_group(0, 0, 0, 1), _group(1, 0, 0, 1), STOP, _group(0, 0, 0, 1), _group(1, 0, 0, 0)]


def _phase(hardware: HardwareParams) -> Clocked:
    rng = np.random.default_rng(SEED)
    too_large = 1 << entry_bits(hardware)
    writes: list[Write] = [STOP, *_right_writes(hardware), STOP, *_overlaps(hardware)]
    for write in _wrong_writes(hardware):
        # The flag stays through writes that are right, until the unit is disabled.
        writes += [STOP, write, (Region.CONTROL, Control.INPUT_LAST, 0)]
    flags = program_check(writes, hardware)
    assert any(flags)
    stimuli: list[Values] = []
    responses: list[Expected] = []
    for (region, entry, value), flag in zip(writes, flags, strict=True):
        stimuli.append(
            {"write__enable": 1, "write__region": region, "write__entry": min(entry, too_large)}
            | {"write__data": value}
        )
        responses.append({"error": int(flag)})
        while rng.random() < 0.3:
            # Without enable nothing counts.
            stimuli.append({"write__enable": 0, "write__region": 7})
            responses.append({"error": int(flag)})
    # An overlong record raises the flag by itself.
    region, entry, value = STOP
    stop = {"write__region": region, "write__entry": entry, "write__data": value}
    for driven, flag in (
        (stop | {"write__enable": 1}, 0),
        ({"write__enable": 0, "overlong": 1}, 1),
        ({"overlong": 0}, 1),
        (stop | {"write__enable": 1}, 0),
    ):
        stimuli.append(driven)
        responses.append({"error": flag})
    return pipeline("writes", stimuli, responses, 1)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name in SETS:
        hardware = HARDWARE[name]
        yield Case(
            f"program_check-{name}",
            lambda hardware=hardware: ProgramCheck(hardware=hardware, data_bits=32),
            [_phase(hardware)],
        )
