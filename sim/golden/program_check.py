"""Reference of :class:`sme_hw.program_check.ProgramCheck`."""

from sme_hw.params import HardwareParams
from sme_hw.program import (
    GROUP_LAST_OFFSET,
    GROUP_SLOT_OFFSET,
    Control,
    Region,
    cell_limits,
    control_limits,
    region_entries,
)

__all__ = ["program_check"]


def _cell_exists(entry: int, hardware: HardwareParams) -> bool:
    for width, count in cell_limits(hardware):
        if entry & (1 << width) - 1 >= count:
            return False
        entry >>= width
    return entry == 0


def program_check(writes: list[tuple[int, int, int, int]], hardware: HardwareParams) -> list[bool]:
    """Return the error flag after each write of (region, set, entry, value)."""
    error, flags = False, []
    given: dict[int, set[int]] = {}
    for region, weight_set, entry, value in writes:
        right = False
        if region == Region.CONTROL:
            if entry == Control.MODE and not value & 1:
                error = False
            limits = control_limits(hardware)
            right = entry < len(Control) and value & 0xFFFFFFFF < limits[Control(entry)]
        elif region == Region.GROUPS:
            first, last = value & 0xFF, value >> GROUP_LAST_OFFSET & 0xFF
            slot = value >> GROUP_SLOT_OFFSET & 0xFFFF
            if entry == 0:
                given[weight_set] = set()
            slots = given.setdefault(weight_set, set())
            right = (
                entry < hardware.slots
                and slot < hardware.slots
                and slot not in slots
                and first <= last < hardware.converted_bits
            )
            slots.add(slot)
        elif region in (Region.RCMR, Region.INDEX):
            right = entry < region_entries(hardware)[Region(region)]
        elif region == Region.CELLS:
            right = _cell_exists(entry, hardware)
        error |= not right or weight_set >= hardware.weight_sets
        flags.append(error)
    return flags
