"""Several tiles in one unit, long runs in any order: values, clips and clocks are exact."""

import numpy as np
import pytest

import sme_hw.run_cycles
from rtl_gen.generate import generate
from rtl_gen.tb.run import simulate
from sim.cosim.jobs import make_job
from sim.mapping import load_parameters
from tests.cases.hardware import HARDWARE, random_image, random_inputs
from tests.random_cases import seeded
from tests.simulators import SMALL

pytestmark = pytest.mark.rtl

JOBS = 6

SEVERAL = [name for name, hardware in HARDWARE.items() if hardware.weight_sets > 1]
"""Parameter sets of units for several tiles."""


def make_jobs(rng, hardware, images, orders):
    """Return a job for each order of vectors; every image must be used in each."""
    jobs = []
    for number, order in enumerate(orders):
        counts = np.bincount(order, minlength=len(images))
        inputs = [
            random_inputs(rng, hardware, n, i.inputs) for i, n in zip(images, counts, strict=True)
        ]
        jobs.append(make_job(f"job {number}", images, hardware, inputs, order))
    return jobs


def run(hardware, folder, jobs, simulator):
    """Simulate; what differs is in the log."""
    generate(hardware, folder, jobs)
    passed = simulate(folder / "tb", simulator)
    assert passed, (folder / "tb" / "sim.log").read_text()[-4000:]


@pytest.mark.parametrize(
    ("name", "simulator"),
    dict.fromkeys([*((name, SMALL) for name in SEVERAL), (SEVERAL[0], "verilator")]),
)
def test_random_tiles_and_orders(name, simulator, tmp_path):
    """Tiles of any size, vectors of each at random among the others, from few to many."""
    rng = seeded(51)
    hardware = HARDWARE[name]
    jobs = []
    for _ in range(JOBS):
        images = [
            random_image(rng, hardware, *(int(rng.integers(1, n + 1)) for n in size))
            for size in [(hardware.rows, hardware.cols)]
            * int(rng.integers(1, hardware.weight_sets + 1))
        ]
        order = np.repeat(np.arange(len(images)), rng.integers(1, 30, size=len(images)))
        jobs += make_jobs(rng, hardware, images, [rng.permutation(order)])
    run(hardware, tmp_path / "design", jobs, simulator)


def test_results_that_wait_hold_up_other_tiles(tmp_path, monkeypatch):
    """A tile of many results and little work fills the result buffer before one of much work."""
    rng = seeded(52)
    options = {"rows": 15, "rows_active": 3, "inputs_per_beat": 3, "input_bits": 1}
    options |= {"cols": 8, "adcs_per_crossbar": 4, "weight_bits": 2, "window": 2, "squeeze": 0}
    hardware = load_parameters("tiny", adc_bits=1, weight_sets=2, **options).hardware
    images = [random_image(rng, hardware, 3, 8), random_image(rng, hardware, 15, 1)]
    orders = [np.repeat([0, 1] * 2, rng.integers(60, 90, size=4)) for _ in range(JOBS)]
    jobs = make_jobs(rng, hardware, images, orders)
    run(hardware, tmp_path / "design", jobs, SMALL)
    # A buffer without end would make it faster, so the buffer was full.
    monkeypatch.setattr(sme_hw.run_cycles, "result_buffer_depth", lambda hardware: 10**6)
    again = make_jobs(seeded(53), hardware, images, orders)
    assert all(free.cycles < job.cycles for free, job in zip(again, jobs, strict=True))
