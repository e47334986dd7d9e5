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

HERE = Path.cwd()
PERIOD_NS = 10
STALLS = 96  # of 256 clocks


def read_words(name):
    """Return the words of a data file as strings."""
    return (HERE / name).read_text().split()


def first_difference(results, expected, begin, end):
    """Return the number of differing words and the place of the first one."""
    wrong = [i for i in range(begin, end) if results[i : i + 1] != expected[i : i + 1]]
    return len(wrong), wrong[0] if wrong else None


async def run_job(dut, job, seed):
    """Run one job; return its measured clocks and clip counters."""
    dut.program_words.value = job["program_words"]
    dut.input_beats.value = job["input_beats"]
    dut.result_beats.value = job["result_beats"]
    dut.stall.value = STALLS if job["stalled"] else 0
    dut.seed.value = seed
    await FallingEdge(dut.clk)
    dut.request.value = 1 - int(dut.request.value)
    # Generous: a stalled stream moves at least every few clocks.
    clocks = 1000 + 4 * (job["program_words"] + job["cycles"])
    await with_timeout(RisingEdge(dut.done), clocks * PERIOD_NS, "ns")
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
        clocks, clips = await run_job(dut, job, cocotb.RANDOM_SEED % 2**31 + number + 1)
        measured.append({"name": job["name"], "cycles": clocks, "clips": clips})
        print(f"job {number + 1} of {len(jobs)} done", file=sys.stderr, flush=True)
    dut.files_open.value = 0
    await FallingEdge(dut.clk)

    expected, results = read_words("expected.hex"), read_words("results.hex")
    words = len(expected) // sum(job["result_beats"] for job in jobs)
    failures, position = [], 0
    for job, measurement in zip(jobs, measured):
        end = position + job["result_beats"] * words
        wrong, where = first_difference(results, expected, position, end)
        measurement["mismatches"] = wrong
        if wrong:
            failures.append(
                f"{job['name']}: {wrong} words differ, the first in line {where + 1}: "
                f"{results[where : where + 1]} instead of {expected[where]}"
            )
        if measurement["clips"] != job["clips"]:
            failures.append(f"{job['name']}: clips {measurement['clips']}, not {job['clips']}")
        if not job["stalled"] and measurement["cycles"] != job["cycles"]:
            failures.append(f"{job['name']}: {measurement['cycles']} clocks, not {job['cycles']}")
        position = end
    if len(results) != len(expected):
        failures.append(f"{len(results)} words came out, not {len(expected)}")
    (HERE / "report.json").write_text(json.dumps(measured, indent=2) + "\n")
    assert not failures, "\n".join(failures)
