"""Cases of :class:`sme_hw.group_scheduler.GroupScheduler`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.group_scheduler import BitBlock, bit_blocks
from sme_hw.group_scheduler import GroupScheduler
from sme_hw.params import HardwareParams, index_bits

from .case import SEED, Case, Clocked, Expected, Phase, Span, Streams, Values
from .hardware import HARDWARE, random_shifts, slot_groups
from .values import join, lanes

__all__ = ["cases"]

VECTORS = 4

SETS = (
    "slc",
    "mlc-free-shifts",
    "no-shifts",
    "coarse-adc",
    "narrow",
    "zero-skip",
    "reordered-zero-skip",
    "two-lanes",
    "four-lanes",
)


def _load(hardware: HardwareParams, groups: np.ndarray) -> Clocked:
    """Write the group table, last group first."""
    width = index_bits(hardware.converted_bits)
    clocks: list[tuple[Values, Expected]] = []
    for slot in reversed(range(len(groups))):
        name, first, count = groups[slot].tolist()
        driven = {
            "write__enable": 1,
            "write__address": slot,
            "write__data": join(
                (first, width), (first + count - 1, width), (name, index_bits(hardware.slots))
            ),
        }
        clocks.append((driven, {"done": 0, "step_valid": 0}))
    clocks.append(({"write__enable": 0}, {"done": 0, "step_valid": 0}))
    return Clocked(f"load {len(groups)} groups", clocks)


def _steps(
    hardware: HardwareParams, groups: np.ndarray, column_steps: int, masks: np.ndarray | None
) -> list[tuple[BitBlock, int]]:
    """Return the steps of one vector as blocks and their step ports."""
    return [
        (
            block,
            join(
                (block.block, index_bits(hardware.bit_blocks)),
                (block.lanes, hardware.emulation_lanes),
                (block.slot, index_bits(hardware.slots)),
                (column, index_bits(hardware.column_steps)),
                (block.subtract, hardware.emulation_lanes),
                (block.first, 1),
                (block.last, 1),
            ),
        )
        for block in bit_blocks(groups, hardware, masks)
        for column in range(column_steps)
    ]


def _without_room(
    rng: np.random.Generator, steps: list[tuple[BitBlock, int]], vectors: int
) -> Clocked:
    """Let vectors wait and have little room: the last bit-cycle waits for it, nothing else does."""
    clocks: list[tuple[Values, Expected]] = [
        ({"vector__valid": 1, "room": 0}, {"step_valid": 0, "vector__ready": 1})
    ]
    for vector in range(vectors):
        for k, (block, step) in enumerate(steps):
            while block.last and rng.random() < 0.6:
                blocked = {"step_valid": 0, "done": 0, "vector__ready": 0}
                clocks.append(({"room": 0}, blocked))
            ends = k == len(steps) - 1
            expected = {"step_valid": 1, "step": step} | dict.fromkeys(
                ("done", "vector__ready"), int(ends)
            )
            room = 1 if block.last else int(rng.integers(2))
            following = int(vector + 1 < vectors)
            clocks.append(({"room": room, "vector__valid": following}, expected))
    clocks.append(({"room": 1}, {"step_valid": 0, "done": 0}))
    return Clocked("little room", clocks)


def _phases(
    rng: np.random.Generator, hardware: HardwareParams, groups: np.ndarray, column_steps: int
) -> list[Phase]:
    masks = None
    if hardware.zero_skip:
        # Sparse; a slot without any 1 among them.
        masks = rng.integers(2**hardware.converted_bits, size=(2, hardware.slots)).min(axis=0)
        masks[rng.integers(hardware.slots)] = 0
    steps = _steps(hardware, groups, column_steps, masks)
    ports = [step for _, step in steps]
    levels = {"last_group": len(groups) - 1, "last_column_step": column_steps - 1}
    if masks is not None:
        levels["vector_masks"] = lanes(masks, hardware.converted_bits)
    return [
        _load(hardware, groups),
        Streams(
            f"{len(groups)} groups, {column_steps} column steps",
            sends={"vector": [0] * VECTORS},
            flows={"step_valid": [{"step": step} for step in ports * VECTORS]},
            levels=levels,
            random=["room"],
            spans=[
                Span(("vector", 0), ("step_valid", 0), 1),
                # No bubble, between vectors neither.
                Span(("step_valid", 0), ("step_valid", -1), VECTORS * len(steps) - 1),
                Span(("vector", 0), ("vector", VECTORS - 1), (VECTORS - 1) * len(steps)),
            ],
        ),
        Clocked("end", [({}, {"done": 0, "vector__ready": 1})]),
        _without_room(rng, steps, VECTORS),
    ]


def cases() -> Iterator[Case]:
    """Yield one case per parameter set: all groups and columns, fewer, and one of each."""
    for name in SETS:
        hardware = HARDWARE[name]
        rng = np.random.default_rng(SEED)
        phases: list[Phase] = []
        slots, steps = hardware.slots, hardware.column_steps
        sizes = {(slots, steps), (-(-slots // 2), steps), (slots, 1), (1, 1)}
        for groups, columns in sorted(sizes):
            rows = min(hardware.rows, groups * hardware.group_rows)
            order = rng.permutation(groups)
            table = slot_groups(hardware, random_shifts(rng, hardware, rows), order)
            phases += _phases(rng, hardware, table, columns)
        yield Case(
            f"group_scheduler-{name}",
            lambda hardware=hardware: GroupScheduler(hardware=hardware),
            phases,
        )
