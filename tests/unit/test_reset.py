"""A reset at any time."""

from typing import Any

import numpy as np
import pytest
from amaranth import ResetInserter, Signal

from sme_hw.array_cycles import ARRAY_RESET_CLOCKS
from sme_hw.clip_counters import ClipCounters
from sme_hw.compute_unit import ComputeUnit
from sme_hw.cycles import clip_settle_cycles
from sme_hw.tile_array import TileArray
from tests.cases.array_run import ArrayRun, random_array, random_packets
from tests.cases.case import SEED, Clocked
from tests.cases.hardware import HARDWARE, random_image, random_inputs, random_order
from tests.cases.tile_run import TileRun, VectorRun
from tests.support import Packed, play, simulate

NAMES = ["mlc-free-shifts", "narrow", "reordered", "tall", "sets-reordered"]

RESETS = 16
"""Times that a unit is interrupted; an array, which takes longer, a third of that."""

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
    _interrupt(rng, run, ComputeUnit(hardware=hardware), 1, RESETS)


@pytest.mark.parametrize(("name", "units"), [("slc", 3), ("sets-reordered", 2)])
def test_reset_of_an_array(name: str, units: int) -> None:
    """The same of an array, whose units leave a reset one after the other."""
    rng = np.random.default_rng(SEED)
    hardware = HARDWARE[name]
    images = [random_array(rng, hardware, units) for _ in range(hardware.weight_sets)]
    packets = [random_packets(rng, hardware, image, VECTORS) for image in images]
    run = ArrayRun(hardware, units, images, packets, random_order(rng, len(images), VECTORS))
    _interrupt(rng, run, TileArray(hardware=hardware, units=units), ARRAY_RESET_CLOCKS, RESETS // 3)


def _interrupt(
    rng: np.random.Generator, run: VectorRun, component: Any, length: int, resets: int
) -> None:
    """Reset a component for so many clocks, so many times, in the midst of a run."""
    at_rest = {"busy": 0, "error": 0, "i__ready": 0, "o__valid": 0}
    # Without a program, no vector is taken.
    offers = [({"i__valid": valid}, at_rest) for valid in (1, 0)]
    phases = [Clocked("after a reset", offers), *run.load(), *run.run()]
    bench = Packed(component)
    reset = Signal()

    async def testbench(ctx: Any) -> None:
        # Before the run, the program comes, and the clip counters are looked at.
        earliest = len(run.program)
        times = rng.integers(earliest, 3 * earliest + run.clocks, size=resets).tolist()
        for number, clocks in enumerate(times):
            # Every other time, the program comes at once.
            await play(ctx, bench, phases[number % 2 :], stall=0.5, clocks=clocks)
            ctx.set(reset, 1)
            await ctx.tick().repeat(length)
            ctx.set(reset, 0)
        await play(ctx, bench, phases[1:], stall=0.0)

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
