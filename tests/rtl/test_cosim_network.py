"""Whole networks through the C++ main: as plain loops and the cocotb bench say, and it can fail."""

import fcntl
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rtl_gen.testbench
from rtl_gen.tb.run import simulate
from rtl_gen.testbench import write_testbench_data
from rtl_gen.volume import Build
from sim.cosim import CosimError, cosim_layers, network, tile_jobs, unit_runs
from sim.cosim.jobs import Unit
from sme_hw.errors import InputError
from tests.independent import Options, clips_of_units
from tests.layer_cases import random_layer
from tests.random_cases import seeded
from tests.simulators import SMALL, run_alone

pytestmark = pytest.mark.rtl

# Ports of 80 + 1 and some 200 bits.
WIDE = Options(
    rows=10,
    cols=8,
    rows_active=5,
    inputs_per_beat=5,
    input_bits=16,
    adcs_per_crossbar=2,
    results_per_beat=8,
    weight_sets=2,
    adc_bits=1,
    squeeze=2,
    policy="minimal",
)
# Ports of 8 and some 40 bits.
NARROW = Options(rows=8, cols=8, results_per_beat=2, adc_bits="lossless")

LAYERS = [
    # name, options, shape of the weights, groups
    ("grouped", WIDE, (9, 2, 2, 1), 3),
    ("depthwise", NARROW, (12, 1, 2, 2), 12),
    ("dense", WIDE, (19, 11, 1, 1), 1),
    ("large groups", NARROW, (22, 11, 1, 1), 2),
]
VECTORS = 5


@pytest.fixture(scope="module")
def drawn():
    """Return layers with inputs, and what plain loops make of them."""
    rng = seeded(61)
    return [random_layer(rng, *layer, VECTORS) for layer in LAYERS]


@pytest.fixture(scope="module")
def work(drawn):
    """Return mapped layers with inputs."""
    return [(layer.mapping, layer.inputs) for layer in drawn]


@pytest.fixture(scope="module")
def run(work, tmp_path_factory):
    """Co-simulate all layers; returns the result, and the folder with the builds.

    Building takes long, so processes that share the tests share it, too.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "network"
    folder.mkdir(exist_ok=True)
    kept = folder / "result.pickle"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(run_all(work, folder)))
    return pickle.loads(kept.read_bytes()), folder


def run_all(work, folder):
    """Co-simulate all layers."""
    told = []
    with pytest.MonkeyPatch.context() as patch:
        # Few clocks at a time: vectors come in several runs, and runs in several chunks.
        patch.setattr(unit_runs, "CHUNK_CLOCKS", 300)
        result = cosim_layers(
            work,
            directory=folder,
            processes=2,
            stalled_units=2,
            status=lambda text, done: told.append((text, done)),
        )
    assert told[-1] == ("running tiles in verilator", 1.0)
    return result


def builds_of(folder):
    """Return the builds in a folder by their hardware's rows."""
    found = {}
    for manifest in folder.glob("design-*/design.json"):
        rows = json.loads(manifest.read_text())["parameters"]["rows"]
        found[rows] = manifest.parent / "tb" / "sim_build_volume" / "volume"
    return found


def test_as_plain_loops_say(drawn, run):
    """Outputs, and clips of every plane, of layers of several groups and kinds of hardware."""
    result, folder = run
    assert result.equal, result.failures
    assert not result.failures
    assert (result.designs, len(builds_of(folder))) == (2, 2)
    for random, layer in zip(drawn, result.layers, strict=True):
        clips = random.assert_as_plain_loops_say(layer)
        report, units = layer.as_dict(), len(clips_of_units(clips, random.options))
        assert (report["tiles"], report["stalled_runs"]) == (len(clips), min(2, units))
        # With few vectors at a time, there are more runs than units.
        assert len(layer.tiles) > units + 2
        assert sum(tile.vectors for tile in layer.tiles if not tile.stalled) == VECTORS * len(clips)
    assert result.as_dict()["clips"] > 0
    # Not every pause is noticed, but some are.
    stalled = [tile for layer in result.layers for tile in layer.tiles if tile.stalled]
    assert any(tile.cycles > tile.predicted_cycles for tile in stalled)


@pytest.mark.parametrize(
    ("number", "input_bits", "result_bits"),
    [(0, range(65, 97), range(129, 257)), (1, range(1, 9), range(33, 65))],
)
def test_as_cocotb_says(number, input_bits, result_bits, work, run):
    """The same words, clocks and clips come out, stalls included; a wrong expectation is told."""
    layer, inputs = work[number]
    hardware = layer.parameters.hardware
    executable = builds_of(run[1])[hardware.rows]
    bench, built = executable.parents[1], executable.stat().st_mtime_ns
    write_testbench_data(bench, hardware, tile_jobs(layer, inputs))

    def seen(what):
        report = json.loads((bench / "report.json").read_text())
        return [[job[key] for key in what] for job in report]

    what = "name", "cycles", "clips", "mismatches"
    done = run_alone(bench / "volume.py")
    assert (done.returncode, done.stdout[:4]) == (0, "PASS"), done.stdout + done.stderr
    assert "job 1 of" in done.stderr
    assert executable.stat().st_mtime_ns == built, "it was built again"
    words, report = (bench / "results.hex").read_text(), seen(what)
    assert simulate(bench, SMALL), (bench / "sim.log").read_text()[-4000:]
    assert ((bench / "results.hex").read_text(), seen(what)) == (words, report)

    content = json.loads((bench / "jobs.json").read_text())
    assert content["bench"]["INPUT_WIDTH"] in input_bits
    assert content["bench"]["RESULT_WIDTH"] in result_bits
    content["jobs"][1]["clips"][0] += 1
    (bench / "jobs.json").write_text(json.dumps(content))
    done = run_alone(bench / "volume.py")
    assert (done.returncode, done.stdout[:4]) == (1, "FAIL")
    assert f"{content['jobs'][1]['name']}: clips" in done.stdout
    content["jobs"][-1]["result_beats"] -= 1
    (bench / "jobs.json").write_text(json.dumps(content))
    told = f"{content['jobs'][-1]['name']}: the design did not come to rest"
    assert told in run_alone(bench / "volume.py").stdout


def wrong(name, job, changes):
    """Return a job of which one expectation is wrong."""
    results = tuple(values + changes.get("results", 0) for values in job.results)
    return replace(
        job,
        results=results,
        clips=job.clips + changes.get("clips", 0),
        cycles=job.cycles + changes.get("cycles", 0),
    )


FAULTS = {
    "results differ": {"results": 1},
    "clips [": {"clips": 1},
    "clocks, not ": {"cycles": 1},
}


@pytest.mark.parametrize("told", FAULTS)
def test_differences_are_named(told, work, run, tmp_path, monkeypatch):
    """A wrong expectation of one tile is reported with layer and tile, and no other is."""
    layer, inputs = work[1]
    runs = list(unit_runs.unit_runs(0, layer, inputs, 0))
    victim = runs[2].unit.name
    jobs_of = Unit.jobs

    def jobs(unit, vectors, *, stalled):
        jobs = jobs_of(unit, vectors, stalled=stalled)
        return [wrong(victim, job, FAULTS[told]) if job.name == victim else job for job in jobs]

    monkeypatch.setattr(Unit, "jobs", jobs)
    executable = builds_of(run[1])[layer.parameters.hardware.rows]
    tiles = [t for o in unit_runs.run_chunk(executable, tmp_path, runs) for t in o.tiles]
    (line,) = [tile.difference for tile in tiles if not tile.equal]
    assert line.startswith(f"depthwise {runs[2].unit.tiles[0].name}: ")
    assert told in line


BAD_PROGRAMS = {
    "the design refused the program": lambda program: [*program[:2], 0xF000_0000, 1, *program[2:]],
    "the results did not come in time": lambda program: [*program[:-1], 0],
}


@pytest.mark.parametrize("told", BAD_PROGRAMS)
def test_bad_programs_are_named(told, work, run, tmp_path, monkeypatch):
    """A program that is refused or never enables the unit stops its own tile alone."""
    layer, inputs = work[1]
    runs = list(unit_runs.unit_runs(0, layer, inputs, 0))
    pack = rtl_gen.testbench.pack
    count = iter(range(len(runs)))

    def faulty(images, hardware):
        program = pack(images, hardware)
        return np.array(BAD_PROGRAMS[told](program), np.uint32) if next(count) == 1 else program

    monkeypatch.setattr(rtl_gen.testbench, "pack", faulty)
    executable = builds_of(run[1])[layer.parameters.hardware.rows]
    tiles = [t for o in unit_runs.run_chunk(executable, tmp_path, runs) for t in o.tiles]
    (line,) = [tile.difference for tile in tiles if not tile.equal]
    assert line.startswith(f"{runs[1].unit.name}: {told}")


def test_a_simulator_that_crashes(work, tmp_path, monkeypatch):
    """The error names the layer and has the end of the log."""
    crashing = tmp_path / "volume"
    crashing.write_text("#!/bin/sh\necho out of luck >&2\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr(network, "build_design", build_nothing)
    monkeypatch.setenv("EXECUTABLE", str(crashing))
    with pytest.raises(CosimError, match=r"(?s)grouped groups 0.*exit code.*out of luck"):
        cosim_layers(work, processes=1)


def build_nothing(hardware, directory, processes):
    """Stand in for a build, in a worker."""
    return hardware, Build(Path(os.environ["EXECUTABLE"]), 0.0, 0.0)


def test_inputs_are_checked(work):
    """The layer is named, before anything is built."""
    (layer, inputs), *_ = work
    with pytest.raises(InputError, match=r"^grouped: inputs have 5 elements a vector"):
        cosim_layers([(layer, inputs[:, :5])])
    with pytest.raises(InputError, match="no layers"):
        cosim_layers([])
    with pytest.raises(InputError, match="processes = 0 is not possible"):
        cosim_layers(work, processes=0)
