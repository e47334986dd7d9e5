"""Reference of :class:`sme_hw.program_port.ProgramPort`."""

import numpy as np

from sme_hw.params import PROGRAM_BITS, HardwareParams
from sme_hw.program import REGION_OFFSET, SET_OFFSET, Region, entry_bits, entry_words

__all__ = ["program_port"]


def program_port(
    program: np.ndarray, hardware: HardwareParams
) -> list[tuple[Region, int, int, int]]:
    """Return the writes of a program: region, set, entry and value, in order.

    Address bits above those of the set count as bits of the entry. A record of at least
    ``2**(entry_bits + 1)`` entries is taken for empty.
    """
    writes, position = [], 0
    words = [int(w) for w in program]
    while position < len(words):
        address, count = words[position : position + 2]
        position += 2
        kind, number = divmod(address, 1 << REGION_OFFSET)
        region = Region(kind)
        size = entry_words(hardware, region)
        number, first = divmod(number, 1 << SET_OFFSET)
        beyond, weight_set = divmod(number, 1 << hardware.set_bits)
        first |= beyond << SET_OFFSET
        for entry in range(count if count < 2 << entry_bits(hardware) else 0):
            value = sum(
                w << PROGRAM_BITS * i for i, w in enumerate(words[position : position + size])
            )
            writes.append((region, weight_set, first + entry, value))
            position += size
    return writes
