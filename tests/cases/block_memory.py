"""Cases of :class:`sme_hw.block_memory.BlockMemory`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.block_memory import block_memory
from sme_hw.block_memory import BlockMemory

from .case import SEED, Case, Clocked

__all__ = ["cases"]

SIZES = ((5, 3), (37, 17), (80, 512), (36, 513))
"""Width and depth: of few words, one block RAM and a bit, full ones, and one word too many."""

CLOCKS = 1500


def _phase(width: int, depth: int) -> Clocked:
    """Write every word, then read and write at random, with pauses of either pipeline stage."""
    rng = np.random.default_rng(SEED)
    writes: list[tuple[int, int] | None] = []
    reads: list[int | None] = []
    outputs: list[bool] = []
    for clock in range(depth + CLOCKS):
        word = int.from_bytes(rng.bytes(-(-width // 8)), "little") % 2**width
        address = clock if clock < depth else int(rng.integers(depth))
        writes.append((address, word) if clock < depth or rng.random() < 0.5 else None)
        # Few addresses, so that what was just written is read.
        near = int(rng.integers(max(0, address - 2), min(depth, address + 3)))
        reads.append(near if rng.random() < 0.8 else None)
        outputs.append(reads[-1] is not None and rng.random() < 0.8)
    stimuli = []
    for write, read, output in zip(writes, reads, outputs, strict=True):
        stimuli.append(
            {
                "write_enable": int(write is not None),
                "write_address": write[0] if write else 0,
                "write_data": write[1] if write else 2**width - 1,
                "read_enable": int(read is not None),
                "read_address": read or 0,
                "output_enable": int(output),
            }
        )
    shown = block_memory(depth, writes, reads, outputs)
    responses = [{} if value is None else {"data": value} for value in shown]
    return Clocked("write and read", list(zip(stimuli, responses, strict=True)))


def cases() -> Iterator[Case]:
    """Yield one case per size."""
    for width, depth in SIZES:
        yield Case(
            f"block_memory-{width}x{depth}",
            lambda width=width, depth=depth: BlockMemory(width=width, depth=depth),
            [_phase(width, depth)],
        )
