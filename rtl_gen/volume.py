"""Many jobs through the RTL at full speed: a design built once with its own C++ main."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sme_hw.params import HardwareParams

from .generate import generate
from .tb import volume
from .testbench import Job, JobRun, read_results, read_words, write_testbench_data

__all__ = ["Build", "build_volume", "run_jobs"]


@dataclass(frozen=True)
class Build:
    """A design that is ready to run.

    Parameters
    ----------
    executable : Path
    generate_seconds, build_seconds : float
        What it took; next to nothing for a build that was there.
    """

    executable: Path
    generate_seconds: float
    build_seconds: float


def build_volume(
    hardware: HardwareParams, directory: str | Path, processes: int | None = None
) -> Build:
    """Generate a design without jobs, and build it for many of them.

    What was built in this folder before is used again if Verilog, main and options are the same.

    Parameters
    ----------
    hardware : HardwareParams
    directory : path
        Where to; as for :func:`rtl_gen.generate.generate`.
    processes : int, optional
        Compilers that run at a time; by default as many as there are cores.

    Raises
    ------
    InputError
        The folder cannot be written to.
    SimulatorError
        Verilator is missing or cannot build the design.
    """
    start = time.perf_counter()
    generate(hardware, directory, [])
    generated = time.perf_counter()
    executable = volume.build(Path(directory) / "tb", processes)
    return Build(executable, generated - start, time.perf_counter() - generated)


def run_jobs(
    executable: Path, hardware: HardwareParams, jobs: Sequence[Job], folder: Path
) -> list[JobRun]:
    """Run jobs one after the other.

    Parameters
    ----------
    executable : Path
        A build for this hardware.
    hardware : HardwareParams
    jobs : sequence of Job
    folder : Path
        Where the data go; those of the last call are overwritten.

    Raises
    ------
    SimulatorError
        The simulation did not run to its end; with the last lines of its log.
    """
    description = write_testbench_data(folder, hardware, jobs)
    measured = volume.run(executable, folder, folder / "sim.log")
    results = read_results(folder / "results.hex", hardware, jobs)
    expected, words = (read_words(folder / name) for name in ("expected.hex", "results.hex"))
    ends = np.cumsum([job["result_beats"] for job in description["jobs"]])
    starts = np.array([0, *ends[:-1]]) * (len(expected) // ends[-1])
    same = np.logical_and.reduceat(words == expected, starts).tolist()
    return [
        JobRun(values, good, run["clips"], run["cycles"], run["fault"])
        for values, good, run in zip(results, same, measured, strict=True)
    ]
