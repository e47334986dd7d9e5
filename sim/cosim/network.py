"""All tiles of whole networks through the generated RTL, in several processes."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from rtl_gen.volume import Build
from sim.mapping import LayerMapping
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams, ceil_div, check_int

from .cosim import CosimError
from .jobs import check_inputs
from .network_result import LayerCosim, NetworkCosim
from .unit_runs import UnitOutcome, build_design, chunks, count_runs, run_chunk, unit_runs
from .workers import WorkerError, Workers

__all__ = ["cosim_layers"]

MAX_PROCESSES = 1024


def cosim_layers(
    work: Sequence[tuple[LayerMapping, np.ndarray]],
    *,
    directory: str | Path | None = None,
    processes: int | None = None,
    stalled_units: int = 1,
    status: Callable[[str, float], None] | None = None,
) -> NetworkCosim:
    """Run every tile of mapped layers through the generated RTL, and compare.

    There is one design for each set of hardware parameters, built with a C++ main. Values, clip
    counters and clocks of every tile are compared exactly.

    Parameters
    ----------
    work : sequence of tuple of LayerMapping and numpy.ndarray
        Layers of any number of groups, each with its input vectors: integers of shape (vectors,
        layer inputs).
    directory : path, optional
        Keeps designs and their builds, to be used again; by default they are deleted.
    processes : int, optional
        Worker processes; by default one for each core.
    stalled_units : int
        Units of each layer, the first ones, that also run a few vectors with stalled streams. To
        load a tile with stalls takes longer than all else, so it is one by default.
    status : callable, optional
        Told what is being done, and what part of it is done.

    Returns
    -------
    NetworkCosim
        Its ``equal`` tells whether everything is as predicted, its ``failures`` what is not.

    Raises
    ------
    InputError
        Inputs do not fit their layer, which is named, or Verilator is missing.
    CosimError
        A simulator or a worker process ended before its time.
    """
    count = (os.cpu_count() or 1) if processes is None else processes
    check_int("processes", count, 1, MAX_PROCESSES)
    check_int("stalled_units", stalled_units, 0, 10**9)
    if not work:
        raise InputError("there are no layers to run")
    checked = [(layer, _check(layer, inputs)) for layer, inputs in work]
    told = status or (lambda text, done: None)
    start = time.perf_counter()
    with ExitStack() as stack:
        if directory is None:
            folder = Path(tempfile.mkdtemp(prefix="sme-cosim-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        else:
            folder = Path(directory).resolve()
        data = Path(tempfile.mkdtemp(prefix="sme-cosim-"))
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        workers = stack.enter_context(Workers(count))
        try:
            builds = _build(checked, workers, folder, told)
            built = time.perf_counter()
            layers = _run(checked, workers, builds, data, stalled_units, told)
        except WorkerError as error:
            raise CosimError(str(error)) from None
    end = time.perf_counter()
    seconds = {
        "generate": sum(build.generate_seconds for build in builds.values()),
        "build": sum(build.build_seconds for build in builds.values()),
        "run": end - built,
        "total": end - start,
    }
    return NetworkCosim(layers, len(builds), count, seconds)


_Work = list[tuple[LayerMapping, np.ndarray]]
_Status = Callable[[str, float], None]


def _check(layer: LayerMapping, inputs: np.ndarray) -> np.ndarray:
    """Return a layer's inputs as int64, or say what is wrong with them."""
    try:
        return check_inputs(np.asarray(inputs), layer.inputs, layer.parameters.hardware)
    except InputError as error:
        raise InputError(f"{layer.name}: {error}") from None


def _build(
    work: _Work, workers: Workers, folder: Path, status: _Status
) -> dict[HardwareParams, Build]:
    """Build a design for each set of hardware parameters."""
    designs = list(dict.fromkeys(layer.parameters.hardware for layer, _ in work))
    compilers = ceil_div(os.cpu_count() or 1, len(designs))
    tasks = [(design, folder, compilers) for design in designs]
    builds: dict[HardwareParams, Build] = {}
    status("generating and building", 0.0)
    for hardware, build in workers.map(build_design, tasks):
        builds[hardware] = build
        status("generating and building", len(builds) / len(designs))
    return builds


def _run(
    work: _Work,
    workers: Workers,
    builds: dict[HardwareParams, Build],
    folder: Path,
    stalled_units: int,
    status: _Status,
) -> list[LayerCosim]:
    """Run everything and put it together, layer by layer."""
    runs = (
        run
        for number, (layer, inputs) in enumerate(work)
        for run in unit_runs(number, layer, inputs, stalled_units)
    )
    tasks = ((builds[chunk[0].unit.hardware].executable, folder, chunk) for chunk in chunks(runs))
    total = sum(count_runs(layer, len(inputs)) for layer, inputs in work)
    outputs = [np.zeros((len(inputs), layer.outputs), np.int64) for layer, inputs in work]
    outcomes: list[list[UnitOutcome]] = [[] for _ in work]
    done = 0
    for chunk in workers.map(run_chunk, tasks):
        for outcome in chunk:
            for columns, values in outcome.outputs:
                vectors = slice(outcome.first, outcome.first + len(values))
                outputs[outcome.layer][vectors, columns] += values
            outcomes[outcome.layer].append(outcome)
        done += len(chunk)
        status("running tiles in verilator", done / total)
    layers = []
    for (layer, inputs), values, parts in zip(work, outputs, outcomes, strict=True):
        parts.sort(key=lambda outcome: (outcome.unit_number, outcome.first))
        tiles = [tile for outcome in parts for tile in outcome.tiles]
        layers.append(LayerCosim(layer, len(inputs), values, tiles))
    return layers
