"""Reference of :class:`sme_hw.group_scheduler.GroupScheduler`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sme_hw.params import HardwareParams

__all__ = ["BitBlock", "BitCycle", "bit_blocks", "executed_bit_cycles", "group_scheduler"]


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


@dataclass(frozen=True)
class BitBlock:
    """What an FPGA computes of one group in one clock for every column step.

    Parameters
    ----------
    slot, block : int
        Rows that are active; block of ``emulation_lanes`` bit-cycles.
    lanes, subtract : int
        Bit masks of the bit-cycles that take place, and of the one with the sign bits.
    first, last : bool
        First and last block of a vector.
    """

    slot: int
    block: int
    lanes: int
    subtract: int
    first: bool
    last: bool


def bit_blocks(
    groups: np.ndarray, hardware: HardwareParams, masks: np.ndarray | None = None
) -> Iterator[BitBlock]:
    """Yield the blocks of one vector in order; parameters as for :func:`group_scheduler`.

    Bit-cycles of a block before the group's first one count as taking place: no row has a 1 there.
    """
    lanes = hardware.emulation_lanes
    for number, (slot, start, count) in enumerate(groups.tolist()):
        end = start + count - 1
        cycles = range(start, end + 1)
        chosen = [t for t in cycles if masks is None or masks[slot] >> t & 1] or [start]
        blocks = sorted({t // lanes for t in chosen})
        for block in blocks:
            bits = range(block * lanes, (block + 1) * lanes)
            yield BitBlock(
                slot,
                block,
                lanes=sum(1 << lane for lane, t in enumerate(bits) if t <= end),
                subtract=sum(
                    1 << lane for lane, t in enumerate(bits) if hardware.signed_inputs and t == end
                ),
                first=number == 0 and block == blocks[0],
                last=number == len(groups) - 1 and block == blocks[-1],
            )


def executed_bit_cycles(
    groups: np.ndarray, converted: np.ndarray, hardware: HardwareParams, lanes: int = 1
) -> np.ndarray:
    """Return the bit-cycles that vectors take, all groups together, shape (vectors,).

    With ``zero_skip``, a bit-cycle in which no row of the group has a 1 does not count, but a
    group takes at least one. With ``lanes``, blocks of that many bit-cycles are counted.

    Parameters
    ----------
    groups : numpy.ndarray of integers, shape (groups, 3)
    converted : numpy.ndarray of int64, shape (vectors, physical rows)
        Converted inputs.
    hardware : HardwareParams
    lanes : int
    """
    total = np.zeros(len(converted), np.int64)
    for slot, start, count in groups.tolist():
        rows = slice(slot * hardware.group_rows, (slot + 1) * hardware.group_rows)
        cycles = (1 << start + count) - (1 << start)
        masks = np.full(len(converted), cycles)
        if hardware.zero_skip:
            masks = np.bitwise_or.reduce(converted[:, rows], axis=1) & cycles
        blocks = np.zeros(len(converted), np.int64)
        for first in range(0, start + count, lanes):
            blocks += (masks >> first & (1 << lanes) - 1) != 0
        total += np.maximum(blocks, 1)
    return total
