"""Reference of :class:`sme_hw.route_check.RouteCheck`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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


@dataclass
class _Table:
    """What was written of one kind of packets of a set: mask and end mark of each."""

    packets: list[tuple[int, bool]] = field(default_factory=list)
    wrong: bool = False


def _route_is_right(write: ArrayWrite, hardware: HardwareParams, units: int, table: _Table) -> bool:
    mask = write.value % (1 << ROUTE_LAST_BEAT_OFFSET)
    last_beat = write.value % ROUTE_RESULTS >> ROUTE_LAST_BEAT_OFFSET
    return (
        write.weight_set < hardware.weight_sets
        and not table.wrong
        and write.entry == len(table.packets)
        and 0 < mask < 1 << units
        and not any(mask & other or final for other, final in table.packets)
        and last_beat < (1 if write.value & ROUTE_RESULTS else hardware.input_beats)
    )


def _usable(tables: dict[tuple[int, bool], _Table], weight_set: int) -> bool:
    """Tell whether the routes of a set are complete and right."""
    sides = [tables.get((weight_set, results), _Table()) for results in (False, True)]
    used = [sum(mask for mask, _ in side.packets) for side in sides]
    complete = all(side.packets and side.packets[-1][1] and not side.wrong for side in sides)
    return complete and used[0] == used[1]


def route_check(
    writes: Sequence[ArrayWrite], hardware: HardwareParams, units: int
) -> list[tuple[bool, list[bool]]]:
    """Return the error flag, and which sets are usable, after each write."""
    error, shown = False, []
    tables: dict[tuple[int, bool], _Table] = {}
    for write in writes:
        wrong = False
        if write.choice:
            wrong = not 0 < write.entry < 1 << units
        elif write.region == ArrayRegion.UNITS:
            wrong = True
        elif write.region == ArrayRegion.ROUTES:
            key = write.weight_set, bool(write.value & ROUTE_RESULTS)
            if write.entry == 0:
                tables[key] = _Table()
            table = tables.setdefault(key, _Table())
            wrong = not _route_is_right(write, hardware, units, table)
            table.wrong |= wrong
            mask = write.value % (1 << ROUTE_LAST_BEAT_OFFSET)
            table.packets.append((mask, bool(write.value & ROUTE_FINAL)))
        elif write.region == Region.CONTROL and write.entry == Control.MODE:
            enables = bool(write.value & 1)
            error = error and enables
            sets = [_usable(tables, s) for s in range(hardware.weight_sets)]
            unready = any(not sets[weight_set] for weight_set, _ in tables) or not any(sets)
            wrong = not write.all_units or (enables and unready)
        error |= wrong
        shown.append((error, [_usable(tables, s) for s in range(hardware.weight_sets)]))
    return shown
