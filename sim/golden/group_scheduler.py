"""Reference of :class:`sme_hw.group_scheduler.GroupScheduler`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sme_hw.params import HardwareParams

__all__ = ["BitCycle", "executed_bit_cycles", "group_scheduler"]


@dataclass(frozen=True)
class BitCycle:
    """One bit-cycle of one group; all its column steps follow one another.

    Parameters
    ----------
    slot : int
        Rows that are active.
    bit_cycle : int
        Binary weight t of the input bits.
    subtract : bool
        It carries the sign bits of signed inputs.
    first, last : bool
        First and last bit-cycle of a vector.
    """

    slot: int
    bit_cycle: int
    subtract: bool
    first: bool
    last: bool


def group_scheduler(
    groups: np.ndarray, hardware: HardwareParams, masks: np.ndarray | None = None
) -> Iterator[BitCycle]:
    """Yield the bit-cycles of one vector in order.

    Parameters
    ----------
    groups : numpy.ndarray of integers, shape (groups, 3)
        Slot, first bit-cycle and number of bit-cycles of every group.
    hardware : HardwareParams
    masks : numpy.ndarray of integers, shape (slots,), optional
        Bit-cycles in which some row of a slot has a 1: others are skipped (``zero_skip``), but
        not all of a group.
    """
    for number, (slot, start, count) in enumerate(groups.tolist()):
        cycles = list(range(start, start + count))
        if masks is not None:
            cycles = [t for t in cycles if masks[slot] >> t & 1] or [start]
        for t in cycles:
            yield BitCycle(
                slot,
                t,
                subtract=hardware.signed_inputs and t == start + count - 1,
                first=number == 0 and t == cycles[0],
                last=number == len(groups) - 1 and t == cycles[-1],
            )


def executed_bit_cycles(
    groups: np.ndarray, converted: np.ndarray, hardware: HardwareParams
) -> np.ndarray:
    """Return the bit-cycles that vectors take, all groups together, shape (vectors,).

    With ``zero_skip``, a bit-cycle in which no row of the group has a 1 does not count, but a
    group takes at least one.

    Parameters
    ----------
    groups : numpy.ndarray of integers, shape (groups, 3)
    converted : numpy.ndarray of int64, shape (vectors, physical rows)
        Converted inputs.
    hardware : HardwareParams
    """
    if not hardware.zero_skip:
        return np.full(len(converted), groups[:, 2].sum())
    total = np.zeros(len(converted), np.int64)
    for slot, start, count in groups.tolist():
        rows = slice(slot * hardware.group_rows, (slot + 1) * hardware.group_rows)
        mask = np.bitwise_or.reduce(converted[:, rows], axis=1) >> start & (1 << count) - 1
        total += np.maximum(np.bitwise_count(mask), 1)
    return total
