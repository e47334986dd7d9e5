"""Reference of :class:`sme_hw.route_check.RouteCheck`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sme_hw.array_program import (
    ROUTE_FINAL,
    ROUTE_LAST_BEAT_OFFSET,
    ROUTE_RESULTS,
    ArrayRegion,
)
from sme_hw.params import HardwareParams
from sme_hw.program import Control, Region

__all__ = ["ArrayWrite", "route_check"]


@dataclass(frozen=True)
class ArrayWrite:
    """A write in the program of an array, or a choice of units.

    Parameters
    ----------
    region, weight_set, entry, value : int
        A choice has region ``ArrayRegion.UNITS``, and the mask as its entry.
    all_units : bool
        It goes to all units.
    choice : bool
        It is the header of a record that chooses units, not an entry of it.
    """

    region: int
    weight_set: int = 0
    entry: int = 0
    value: int = 0
    all_units: bool = True
    choice: bool = False


def _route_is_right(
    write: ArrayWrite, hardware: HardwareParams, units: int, packets: list[int]
) -> bool:
    mask = write.value % (1 << ROUTE_LAST_BEAT_OFFSET)
    last_beat = write.value % ROUTE_RESULTS >> ROUTE_LAST_BEAT_OFFSET
    return (
        write.weight_set < hardware.weight_sets
        and write.entry == len(packets)
        and 0 < mask < 1 << units
        and not any(mask & other for other in packets)
        and not any(other & ROUTE_FINAL for other in packets)
        and last_beat < (1 if write.value & ROUTE_RESULTS else hardware.input_beats)
    )


def _usable(packets: dict[tuple[int, bool], list[int]], hardware: HardwareParams) -> bool:
    complete = 0
    for weight_set in range(hardware.weight_sets):
        sides = [packets.get((weight_set, results), []) for results in (False, True)]
        if not any(sides):
            continue
        used = [sum(packet % (1 << ROUTE_LAST_BEAT_OFFSET) for packet in side) for side in sides]
        if used[0] != used[1] or not all(side[-1] & ROUTE_FINAL for side in sides):
            return False
        complete += 1
    return complete > 0


def route_check(writes: Sequence[ArrayWrite], hardware: HardwareParams, units: int) -> list[bool]:
    """Return the error flag after each write; what follows a wrong route means nothing.

    After a wrong route its table has to be written anew from entry 0.
    """
    error, flags = False, []
    packets: dict[tuple[int, bool], list[int]] = {}
    for write in writes:
        wrong = False
        if write.choice:
            wrong = not 0 < write.entry < 1 << units
        elif write.region == ArrayRegion.UNITS:
            wrong = True
        elif write.region == ArrayRegion.ROUTES:
            key = write.weight_set, bool(write.value & ROUTE_RESULTS)
            if write.entry == 0:
                packets[key] = []
            before = packets.setdefault(key, [])
            wrong = not _route_is_right(write, hardware, units, before)
            before.append(write.value)
        elif write.region == Region.CONTROL and write.entry == Control.MODE:
            enables = bool(write.value & 1)
            error = error and enables
            wrong = not write.all_units or (enables and not _usable(packets, hardware))
        error |= wrong
        flags.append(error)
    return flags
