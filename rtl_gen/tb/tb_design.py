"""cocotb test of a generated compute unit: every job of ``jobs.json`` must come out as expected.

Results are compared bit for bit and clip counters count for count; clocks are compared exactly
where the streams are not stalled. What was measured is written to ``report.json``.
"""

import json
import sys
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, with_timeout
from expectations import STALLS, failures, most_clocks, seed_of

HERE = Path.cwd()
PERIOD_NS = 10
SEED = cocotb.RANDOM_SEED  # run.py's; a test sees another one


def read_words(name):
    """Return the words of a data file as strings."""
    return (HERE / name).read_text().split()


async def run_job(dut, job, seed):
    """Run one job; return its measured clocks and clip counters."""
    dut.program_words.value = job["program_words"]
    dut.input_beats.value = job["input_beats"]
    dut.result_beats.value = job["result_beats"]
    dut.stall.value = STALLS if job["stalled"] else 0
    dut.seed.value = seed
    await FallingEdge(dut.clk)
    dut.request.value = 1 - int(dut.request.value)
    await with_timeout(RisingEdge(dut.done), most_clocks(job) * PERIOD_NS, "ns")
    assert dut.error.value == 0, f"{job['name']}: the design refused the program"
    clips = []
    for plane in range(len(job["clips"])):
        dut.clip_plane.value = plane
        for _ in range(DESCRIPTION["clip_settle"] + 1):
            await FallingEdge(dut.clk)
        clips.append(dut.clips.value.to_unsigned())
    return dut.cycles.value.to_unsigned(), clips


DESCRIPTION = json.loads((HERE / "jobs.json").read_text())


@cocotb.test()
async def matches_golden(dut):
    """Results, clips and clocks of all jobs are as expected."""
    jobs = DESCRIPTION["jobs"]
    Clock(dut.clk, PERIOD_NS, unit="ns").start(start_high=False)
    dut.files_open.value = 1
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    measured = []
    for number, job in enumerate(jobs):
        clocks, clips = await run_job(dut, job, seed_of(SEED, number))
        measured.append({"name": job["name"], "cycles": clocks, "clips": clips})
        print(f"job {number + 1} of {len(jobs)} done", file=sys.stderr, flush=True)
    dut.files_open.value = 0
    await FallingEdge(dut.clk)

    expected, results = read_words("expected.hex"), read_words("results.hex")
    lines = failures(jobs, measured, results, expected)
    (HERE / "report.json").write_text(json.dumps(measured, indent=2) + "\n")
    assert not lines, "\n".join(lines)
