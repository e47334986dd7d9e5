"""Cases of :class:`sme_hw.group_scheduler.GroupScheduler`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.golden.group_scheduler import BitBlock, bit_blocks
from sme_hw.group_scheduler import GroupScheduler
from sme_hw.params import HardwareParams, index_bits

from .case import SEED, Case, Clocked, Expected, Phase, Span, Streams, Values
from .hardware import HARDWARE, random_order, random_shifts, slot_groups
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
    "sets",
    "sets-reordered",
    "sets-quick",
    "two-lanes",
    "four-lanes",
)


@dataclass(frozen=True, eq=False)
class _Tile:
    """What a set holds.

    Parameters
    ----------
    groups : numpy.ndarray of int64, shape (groups, 3)
    column_steps : int
    """

    groups: np.ndarray
    column_steps: int


def _load(hardware: HardwareParams, tiles: Sequence[_Tile]) -> Clocked:
    """Write the group tables, last group first."""
    width = index_bits(hardware.converted_bits)
    stride = 1 << (hardware.slots - 1).bit_length()
    clocks: list[tuple[Values, Expected]] = []
    for weight_set, tile in enumerate(tiles):
        for number in reversed(range(len(tile.groups))):
            slot, first, count = tile.groups[number].tolist()
            driven = {
                "write__enable": 1,
                "write__address": weight_set * stride + number,
                "write__data": join(
                    (first, width), (first + count - 1, width), (slot, index_bits(hardware.slots))
                ),
            }
            clocks.append((driven, {"done": 0, "step_valid": 0}))
    levels = {
        "last_group": lanes([len(t.groups) - 1 for t in tiles], index_bits(hardware.slots)),
        "last_column_step": lanes(
            [t.column_steps - 1 for t in tiles], index_bits(hardware.column_steps)
        ),
    }
    clocks.append(({"write__enable": 0, **levels}, {"done": 0, "step_valid": 0}))
    return Clocked(f"load {[len(tile.groups) for tile in tiles]} groups", clocks)


def _steps(
    hardware: HardwareParams, tiles: Sequence[_Tile], weight_set: int, masks: np.ndarray | None
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
                (weight_set, hardware.set_bits),
            ),
        )
        for block in bit_blocks(tiles[weight_set].groups, hardware, masks)
        for column in range(tiles[weight_set].column_steps)
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


def _masks(rng: np.random.Generator, hardware: HardwareParams) -> np.ndarray | None:
    """Return sparse masks, a slot without any 1 among them; none without zero-skip."""
    if not hardware.zero_skip:
        return None
    masks = rng.integers(2**hardware.converted_bits, size=(2, hardware.slots)).min(axis=0)
    masks[rng.integers(hardware.slots)] = 0
    return masks


def _one_set(
    rng: np.random.Generator, hardware: HardwareParams, tiles: Sequence[_Tile], weight_set: int
) -> list[Phase]:
    """Send vectors of one set only."""
    masks = _masks(rng, hardware)
    steps = _steps(hardware, tiles, weight_set, masks)
    ports = [step for _, step in steps]
    levels = {}
    if hardware.weight_sets > 1:
        levels |= {"vector__set": weight_set, "vector__set_behind": weight_set}
    if masks is not None:
        levels["vector_masks"] = lanes(masks, hardware.converted_bits)
    tile = tiles[weight_set]
    return [
        # The set is known before the first vector is.
        Clocked("set", [(levels, {"step_valid": 0})]),
        Streams(
            f"{len(tile.groups)} groups, {tile.column_steps} column steps",
            sends={"vector": [0] * VECTORS},
            flows={"step_valid": [{"step": step} for step in ports * VECTORS]},
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


def _changing_sets(
    rng: np.random.Generator, hardware: HardwareParams, tiles: Sequence[_Tile], gaps: float
) -> Clocked:
    """Change the set from vector to vector, with pauses before some of them.

    Sets are shown as late as they may be: one clock before the vector is valid.
    """
    order = random_order(rng, len(tiles), VECTORS).tolist()
    # For each clock: what is driven, and what must be shown.
    driven: list[dict[str, int]] = [{"vector__valid": 0, "room": 1}]
    expected: list[Expected] = [{"step_valid": 0}]
    for vector, weight_set in enumerate(order):
        masks = _masks(rng, hardware)
        while rng.random() < gaps:
            driven.append({"vector__valid": 0})
            expected.append({"step_valid": 0, "vector__ready": 1})
        steps = _steps(hardware, tiles, weight_set, masks)
        # A vector behind another one is taken in the clock of that one's last step.
        if not expected[-1]["step_valid"]:
            driven.append({})
            expected.append({"step_valid": 0, "vector__ready": 1})
        taken = len(driven) - 1
        driven[taken] |= {"vector__valid": 1, "vector__set": weight_set}
        driven[taken - 1] |= {"vector__set": weight_set}
        if driven[taken - 1]["vector__valid"]:
            driven[taken - 1] |= {"vector__set": order[vector - 1]}
            driven[taken - 1] |= {"vector__set_behind": weight_set}
        if masks is not None:
            driven[taken] |= {"vector_masks": lanes(masks, hardware.converted_bits)}
        for k, (_, step) in enumerate(steps):
            ends = int(k == len(steps) - 1)
            driven.append({"vector__valid": 0})
            expected.append({"step_valid": 1, "step": step, "done": ends, "vector__ready": ends})
    driven.append({"vector__valid": 0})
    expected.append({"step_valid": 0, "done": 0})
    for values in driven:
        # What is not known yet may be anything.
        for name in ("vector__set", "vector__set_behind"):
            values.setdefault(name, int(rng.integers(hardware.weight_sets)))
    return Clocked(f"sets change, pauses {gaps}", list(zip(driven, expected, strict=True)))


def cases() -> Iterator[Case]:
    """Yield one case per parameter set: all groups and columns, fewer, and one of each."""
    for name in SETS:
        hardware = HARDWARE[name]
        rng = np.random.default_rng(SEED)
        phases: list[Phase] = []
        slots, steps = hardware.slots, hardware.column_steps
        tiles = []
        for groups, columns in sorted(
            {(slots, steps), (-(-slots // 2), steps), (slots, 1), (1, 1)}
        ):
            rows = min(hardware.rows, groups * hardware.group_rows)
            order = rng.permutation(groups)
            table = slot_groups(hardware, random_shifts(rng, hardware, rows), order)
            tiles.append(_Tile(table, columns))
        for first in range(len(tiles)):
            # Other sets have other sizes.
            sets = [tiles[(first + s) % len(tiles)] for s in range(hardware.weight_sets)]
            phases.append(_load(hardware, sets))
            for weight_set in range(hardware.weight_sets):
                phases += _one_set(rng, hardware, sets, weight_set)
            if hardware.weight_sets > 1:
                phases += [_changing_sets(rng, hardware, sets, gaps) for gaps in (0.0, 0.6)]
        yield Case(
            f"group_scheduler-{name}",
            lambda hardware=hardware: GroupScheduler(hardware=hardware),
            phases,
        )
