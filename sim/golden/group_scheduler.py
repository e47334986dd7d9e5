"""Reference of :class:`sme_hw.group_scheduler.GroupScheduler`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sme_hw.params import HardwareParams

__all__ = ["BitCycle", "group_scheduler"]


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


def group_scheduler(groups: np.ndarray, hardware: HardwareParams) -> Iterator[BitCycle]:
    """Yield the bit-cycles of one vector in order.

    Parameters
    ----------
    groups : numpy.ndarray of integers, shape (groups, 2)
        First bit-cycle and number of bit-cycles of every slot.
    hardware : HardwareParams
    """
    for slot, (start, count) in enumerate(groups.tolist()):
        for t in range(start, start + count):
            ends = t == start + count - 1
            yield BitCycle(
                slot,
                t,
                subtract=hardware.signed_inputs and ends,
                first=slot == 0 and t == start,
                last=slot == len(groups) - 1 and ends,
            )
