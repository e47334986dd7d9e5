"""Run this testbench without Python in the clock loop: ``python volume.py``.

Does what ``run.py`` does, several times faster: Verilator builds the design with a main of its
own, ``volume.cpp``. Exits 0 if everything came out as expected.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

try:
    from .expectations import STALLS, failures, most_clocks, seed_of
    from .run import SEED, SimulatorError, design_files, stamp, tail, use_verilator
except ImportError:  # beside a generated design
    from expectations import STALLS, failures, most_clocks, seed_of
    from run import SEED, SimulatorError, design_files, stamp, tail, use_verilator

TOP = "sme_compute_unit"
OPTIONS = ("-O3", "--output-split", "20000", "-Wno-fatal", "--no-timing")
MAKE_OPTIONS = ("OPT_FAST=-O2",)

STOPPED_BY = {
    "error": "the design refused the program",
    "hang": "the results did not come in time",
    "busy": "the design did not come to rest after the last result",
}
"""What can stop a job; ``volume.cpp`` says ``nothing`` if all went well."""


def build(here: str | Path, processes: int | None = None) -> Path:
    """Build the design of the testbench in folder ``here`` unless it is built.

    So many compilers run at a time; by default as many as there are cores. Returns the
    executable. Raises SimulatorError if it cannot be built.
    """
    here = Path(here).resolve()
    sources = [*design_files(here.parent), here / "volume.cpp"]
    return build_main(sources, TOP, here / "sim_build_volume" / "volume", processes)


def build_main(
    sources: list[Path], top: str, executable: Path, processes: int | None = None
) -> Path:
    """Build Verilog with a C++ main, alone in its folder, unless it is built; as ``build``."""
    use_verilator()
    folder = executable.parent
    stamp_file = folder / "stamp"
    mark = stamp(sources, OPTIONS, MAKE_OPTIONS)
    if executable.exists() and stamp_file.exists() and stamp_file.read_text() == mark:
        return executable
    stamp_file.unlink(missing_ok=True)
    count = str(processes or os.cpu_count() or 1)
    command = ["verilator", "--cc", "--exe", "--build", "-j", count, *OPTIONS]
    for option in MAKE_OPTIONS:
        command += ["-MAKEFLAGS", option]
    command += ["--top-module", top, "-Mdir", str(folder), "-o", executable.name]
    log = folder.parent / "build.log"
    with log.open("w") as file:
        done = subprocess.run(
            [*command, *map(str, sources)], stdout=file, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise SimulatorError(tail(log, f"verilator cannot build the design, see {log}:"))
    stamp_file.write_text(mark)
    return executable


def run(executable: Path, folder: str | Path, log: Path | None = None) -> list[dict]:
    """Run the jobs in a folder of data files; returns what was measured for each.

    Results go to ``results.hex``, progress to the standard error or into a file. Raises
    SimulatorError if it could not run to its end.
    """
    description = json.loads((Path(folder) / "jobs.json").read_text())
    jobs = description["jobs"]
    lines = [f"{description['clip_planes']} {description['clip_settle']}"]
    for number, job in enumerate(jobs):
        stalls = STALLS if job["stalled"] else 0
        numbers = [job["program_words"], job["input_beats"], job["result_beats"], stalls]
        numbers += [seed_of(SEED, number), most_clocks(job)]
        lines.append(" ".join(map(str, numbers)))
    command, text = [str(executable)], "\n".join(lines)
    kept = {"cwd": folder, "input": text, "text": True, "stdout": subprocess.PIPE}
    try:
        if log is None:
            done = subprocess.run(command, **kept)
        else:
            with log.open("w") as file:
                done = subprocess.run(command, stderr=file, **kept)
    except OSError as error:
        raise SimulatorError(f"{executable} cannot be run: {error}") from None
    if done.returncode or len(done.stdout.splitlines()) != len(jobs):
        how = f"the simulation ended with exit code {done.returncode}"
        raise SimulatorError(how if log is None else tail(log, how))
    measured = []
    for job, line in zip(jobs, done.stdout.splitlines()):
        stopped_by, cycles, *clips = line.split()
        measured.append(
            {
                "name": job["name"],
                "cycles": int(cycles),
                "clips": [int(count) for count in clips],
                "fault": STOPPED_BY.get(stopped_by, ""),
            }
        )
    return measured


def main() -> int:
    """Run the testbench that this file lies in."""
    here = Path(__file__).resolve().parent
    try:
        measured = run(build(here), here)
    except SimulatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    jobs = json.loads((here / "jobs.json").read_text())["jobs"]
    results, expected = (
        (here / name).read_text().split() for name in ("results.hex", "expected.hex")
    )
    lines = [f"{job['name']}: {job['fault']}" for job in measured if job["fault"]]
    lines += failures(jobs, measured, results, expected)
    (here / "report.json").write_text(json.dumps(measured, indent=2) + "\n")
    print(
        "\n".join(["FAIL", *lines]) if lines else "PASS: all results, clips and clocks as expected"
    )
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
