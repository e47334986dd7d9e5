"""Reference of :class:`sme_hw.program_router.ProgramRouter`."""

from collections.abc import Sequence

from sme_hw.array_program import ArrayRegion
from sme_hw.params import HardwareParams
from sme_hw.program import REGION_OFFSET, Region, entry_bits, entry_words

__all__ = ["program_router"]


def program_router(program: Sequence[int], hardware: HardwareParams, units: int) -> list[list[int]]:
    """Return the words that each unit of an array gets of a program.

    Entries of regions that nobody knows have one word.
    """
    received: list[list[int]] = [[] for _ in range(units)]
    chosen = list(range(units))
    position = 0
    while position < len(program):
        address, count = program[position : position + 2]
        region, entry = divmod(address, 1 << REGION_OFFSET)
        known = region in list(Region)
        if count >= 2 << entry_bits(hardware):
            count = 0
        end = position + 2 + count * (entry_words(hardware, Region(region)) if known else 1)
        if region == ArrayRegion.UNITS:
            chosen = [unit for unit in range(units) if entry >> unit & 1]
        elif region != ArrayRegion.ROUTES:
            for unit in chosen:
                received[unit] += program[position:end]
        position = end
    return received
