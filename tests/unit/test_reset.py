"""A reset at any time."""

from typing import Any

import numpy as np
import pytest
from amaranth import ResetInserter, Signal

from sme_hw.clip_counters import ClipCounters
from sme_hw.compute_unit import ComputeUnit
from sme_hw.cycles import clip_settle_cycles
from tests.cases.case import SEED, Clocked
from tests.cases.hardware import HARDWARE, random_image, random_inputs, random_order
from tests.cases.tile_run import TileRun
from tests.support import Packed, play, simulate

NAMES = ["mlc-free-shifts", "narrow", "reordered", "tall", "sets-reordered"]

RESETS = 16
"""Times that a unit is interrupted."""

VECTORS = 9
"""Vectors of each set; of one set, more than there may be in a unit."""


@pytest.mark.parametrize("name", NAMES)
def test_reset(name: str) -> None:
    """A unit that is reset in the midst of anything behaves as it did at first."""
    rng = np.random.default_rng(SEED)
    hardware = HARDWARE[name]
    images = [
        random_image(rng, hardware, hardware.rows, hardware.cols)
        for _ in range(hardware.weight_sets)
    ]
    inputs = [random_inputs(rng, hardware, VECTORS, hardware.rows) for _ in images]
    run = TileRun(hardware, images, inputs, random_order(rng, len(images), VECTORS))
    at_rest = {"busy": 0, "error": 0, "i__ready": 0, "o__valid": 0}
    # Without a program, no vector is taken.
    offers = [({"i__valid": valid}, at_rest) for valid in (1, 0)]
    phases = [Clocked("after a reset", offers), *run.load(), *run.run()]
    bench = Packed(ComputeUnit(hardware=hardware))
    reset = Signal()

    async def testbench(ctx: Any) -> None:
        # Before the run, the program comes, and the clip counters are looked at.
        earliest = len(run.program)
        for clocks in rng.integers(earliest, 3 * earliest + run.clocks, size=RESETS).tolist():
            await play(ctx, bench, phases, stall=0.5, clocks=clocks)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
        await play(ctx, bench, phases, stall=0.0)

    simulate(ResetInserter(reset)(bench), testbench)


@pytest.mark.parametrize(("planes", "flags"), [(1, 1), (2, 6), (8, 5), (3, 70)])
def test_reset_amid_conversions(planes: int, flags: int) -> None:
    """No conversion from before a reset is counted after it, whoever had it."""
    component = ClipCounters(planes=planes, flags=flags, width=16)
    reset = Signal()
    settle = clip_settle_cycles(planes, flags)

    async def testbench(ctx: Any) -> None:
        ctx.set(component.clips.as_value(), -1)
        for clocks in range(1, 2 * settle):
            ctx.set(component.valid, 1)
            await ctx.tick().repeat(clocks)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            ctx.set(component.valid, 0)
            for plane in range(planes):
                ctx.set(component.select, plane)
                await ctx.tick().repeat(settle)
                assert ctx.get(component.count) == 0, (clocks, plane)

    simulate(ResetInserter(reset)(component), testbench)
