"""Clocks of tile arrays that follow from those of single units, and from one another."""

import pytest

from sme_hw.array_cycles import ARRAY_INPUT_LATENCY, join_latency
from sme_hw.array_image import ArrayImage, ArrayRoutes
from sme_hw.array_run_cycles import array_run_clocks, array_steady_cycles
from sme_hw.run_cycles import fill_cycles, run_cycles
from tests.cases.array_run import random_array
from tests.cases.hardware import HARDWARE, random_image
from tests.random_cases import seeded


@pytest.mark.parametrize("name", HARDWARE)
def test_one_unit(name):
    """An array of one unit takes as long as the unit, but for the way to it and from it."""
    rng, hardware = seeded(711), HARDWARE[name]
    for _ in range(3):
        size = rng.integers(1, [hardware.rows + 1, hardware.cols + 1]).tolist()
        tile = random_image(rng, hardware, *size)
        counts = rng.integers(1, 3 * len(tile.groups) + 1, size=20).tolist()
        image = ArrayImage((tile,), ArrayRoutes(((0,),), ((0,),)))
        more = ARRAY_INPUT_LATENCY + join_latency(1)
        assert array_run_clocks(hardware, 1, [image] * 20, [[count] for count in counts]) == (
            fill_cycles(hardware, counts[:1], tile.size) + more,
            run_cycles(hardware, counts, [tile.size] * 20) + more,
        )


@pytest.mark.parametrize("name", HARDWARE)
def test_steady_state(name):
    """Each vector adds what the slowest unit takes, or all its beats on one of the streams."""
    rng, hardware = seeded(713), HARDWARE[name]
    least = 3 if hardware.input_index else 2
    for units in (2, 3, 5, 8):
        image = random_array(rng, hardware, units)
        blocks = [tile.bit_blocks(hardware) for tile in image.tiles]
        steady = array_steady_cycles(hardware, image, blocks)
        counts = [sum(part) for part in blocks]
        clocks = [array_run_clocks(hardware, units, [image] * n, [counts] * n)[1] for n in (30, 40)]
        if steady >= least:
            assert clocks[1] - clocks[0] == 10 * steady
