"""Run a matrix through the generated RTL and compare with the golden model."""

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtl_gen.generate import generate
from rtl_gen.tb.run import SIMULATORS, SimulatorError, simulate
from rtl_gen.testbench import Job, JobRun, read_results, write_testbench_data
from sim.mapping import LayerMapping, Parameters, load_parameters, map_matrix
from sme_hw.errors import InputError
from sme_hw.params import check_choice

from .jobs import check_inputs, layer_units, tile_jobs

__all__ = ["CosimError", "CosimResult", "Session", "TileResult", "cosim"]


class CosimError(Exception):
    """The simulation ended before all results were there: the RTL hangs, for example."""


@dataclass(frozen=True)
class TileResult:
    """What the run of one tile showed, or of all tiles that a unit with weight sets holds.

    Parameters
    ----------
    name : str
    vectors : int
        Those of all its tiles.
    mismatches : int
        Results that differ from the golden model.
    clips, golden_clips : list of int
        Clip counters of the RTL and of the golden model, most significant plane first.
    cycles, predicted_cycles : int
        Clocks from the first input beat to the last result beat.
    chip_cycles : int
        Cycles in which a chip would convert: fewer clocks of the FPGA with emulation lanes.
    stalled : bool
        The streams paused at random; clocks mean nothing then.
    fault : str
        What else went wrong, if anything did.
    """

    name: str
    vectors: int
    mismatches: int
    clips: list[int]
    golden_clips: list[int]
    cycles: int
    predicted_cycles: int
    chip_cycles: int
    stalled: bool
    fault: str = ""

    @classmethod
    def of(cls, job: Job, run: JobRun) -> "TileResult":
        """Compare a run with what its job expects."""
        pairs = zip(run.results, job.results, strict=True)
        mismatches = sum(int(np.count_nonzero(values != expected)) for values, expected in pairs)
        fault = run.fault
        if not (fault or mismatches or run.words_as_expected):
            fault = "marks of last beats, or lanes beyond the last column, differ"
        return cls(
            job.name,
            len(job.order),
            mismatches,
            run.clips,
            job.clips.tolist(),
            run.cycles,
            job.cycles,
            job.chip_cycles,
            job.stalled,
            fault,
        )

    @property
    def difference(self) -> str:
        """What is not as the golden model says, with the name of the tile; empty if nothing is."""
        parts = [self.fault] if self.fault else []
        if self.mismatches:
            parts.append(f"{self.mismatches} results differ")
        if self.clips != self.golden_clips:
            parts.append(f"clips {self.clips}, not {self.golden_clips}")
        if not self.stalled and self.cycles != self.predicted_cycles:
            parts.append(f"{self.cycles} clocks, not {self.predicted_cycles}")
        return f"{self.name}: {'; '.join(parts)}" if parts else ""

    @property
    def equal(self) -> bool:
        """Everything is as the golden model says."""
        return not self.difference


@dataclass(frozen=True, eq=False)
class CosimResult:
    """What a co-simulation showed.

    Parameters
    ----------
    outputs : numpy.ndarray of int64, shape (vectors, columns)
        What the RTL returned, row tiles summed, in code steps times input steps.
    golden : numpy.ndarray of int64, shape (vectors, columns)
        The golden model's results.
    tiles : list of TileResult
        Two for each unit: at full speed, and with stalls.
    layer : LayerMapping
        The mapping that was run.
    seconds : dict
        Time spent generating and simulating (building included).
    """

    outputs: np.ndarray
    golden: np.ndarray
    tiles: list[TileResult]
    layer: LayerMapping
    seconds: dict[str, float]

    @property
    def equal(self) -> bool:
        """Every value, clip counter and cycle count is as the golden model says."""
        return all(tile.equal for tile in self.tiles)

    def as_dict(self) -> dict[str, Any]:
        """Return what machines read."""
        return {
            "equal": self.equal,
            "vectors": len(self.outputs),
            "results": self.outputs.size,
            "mismatches": int(np.count_nonzero(self.outputs != self.golden)),
            "clips": np.sum([t.clips for t in self.tiles if not t.stalled], axis=0).tolist(),
            "parameters": self.layer.parameters.as_dict(),
            "tiles": [vars(tile) | {"equal": tile.equal} for tile in self.tiles],
            "seconds": self.seconds,
        }


class Session:
    """A generated design in a folder, built once and run with several sets of data.

    Parameters
    ----------
    parameters : Parameters
    directory : path
        Where the design is; it is generated with the first run.
    simulator : str
        ``"verilator"`` or ``"icarus"``.
    waves : bool
        Keep a waveform of the last run, ``tb/waves.fst``.
    status : callable, optional
        Told what is being done, and what part of the results is there.
    """

    def __init__(
        self,
        parameters: Parameters,
        directory: Path,
        *,
        simulator: str = "verilator",
        waves: bool = False,
        status: Callable[[str, float], None] | None = None,
    ):
        check_choice("simulator", simulator, list(SIMULATORS))
        self.parameters = parameters
        self.directory = directory
        self.simulator = simulator
        self.waves = waves
        self.status = status or (lambda text, done: None)
        self.seconds = {"generate": 0.0, "simulate": 0.0}
        self._generated = False

    def run(self, layer: LayerMapping, inputs: np.ndarray) -> CosimResult:
        """Run every tile of a layer and compare.

        Parameters
        ----------
        layer : LayerMapping
            Mapped with the session's parameters.
        inputs : numpy.ndarray of integers, shape (vectors, layer inputs)
        """
        hardware = self.parameters.hardware
        inputs = check_inputs(np.asarray(inputs), layer.inputs, hardware)
        jobs = tile_jobs(layer, inputs)
        start = time.perf_counter()
        self.status("generating Verilog", 0.0)
        if self._generated:
            write_testbench_data(self.directory / "tb", hardware, jobs)
        else:
            generate(hardware, self.directory, jobs, extra={"options": self.parameters.as_dict()})
            self._generated = True
        generated = time.perf_counter()
        try:
            with self._watch():
                simulate(self.directory / "tb", self.simulator, self.waves)
        except SimulatorError as error:
            raise InputError(str(error)) from None
        self.seconds["generate"] += generated - start
        self.seconds["simulate"] += time.perf_counter() - generated
        return self._collect(layer, jobs, len(inputs))

    @contextmanager
    def _watch(self) -> Iterator[None]:
        """Report progress while the simulator runs: the results' file grows to a known size."""
        folder = self.directory / "tb"
        expected = max(1, (folder / "expected.hex").stat().st_size)
        ends = threading.Event()

        def look() -> None:
            while not ends.wait(0.5):
                try:
                    part = (folder / "results.hex").stat().st_size / expected
                    self.status(f"running in {self.simulator}", min(part, 1.0))
                except FileNotFoundError:
                    self.status(f"building for {self.simulator}", 0.0)

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ends.set()
            watcher.join()

    def _collect(self, layer: LayerMapping, jobs: list[Job], vectors: int) -> CosimResult:
        """Read what the simulation left and compare it with the golden model."""
        folder = self.directory / "tb"
        try:
            report = json.loads((folder / "report.json").read_text())
            returned = read_results(folder / "results.hex", self.parameters.hardware, jobs)
        except (OSError, ValueError) as error:
            log = folder / "sim.log"
            text = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise CosimError(f"the simulation did not finish: {error}\n{text}") from None
        outputs = np.zeros((vectors, layer.outputs), np.int64)
        golden = np.zeros_like(outputs)
        tiles = []
        # Every unit has two jobs.
        units = [unit for unit in layer_units(layer) for _ in range(2)]
        for job, unit, parts, measured in zip(jobs, units, returned, report, strict=True):
            run = JobRun(
                parts, measured["mismatches"] == 0, measured["clips"], measured["cycles"], fault=""
            )
            tiles.append(TileResult.of(job, run))
            if not job.stalled:
                for tile, values, expected in zip(unit.tiles, parts, job.results, strict=True):
                    outputs[:, tile.columns] += values
                    golden[:, tile.columns] += expected
        return CosimResult(outputs, golden, tiles, layer, dict(self.seconds))


def cosim(
    weights: np.ndarray,
    inputs: np.ndarray,
    parameters: Parameters | None = None,
    *,
    simulator: str = "verilator",
    directory: str | Path | None = None,
    waves: bool = False,
    status: Callable[[str, float], None] | None = None,
) -> CosimResult:
    """Map a matrix, generate its Verilog, run that under cocotb, and compare.

    Parameters
    ----------
    weights : numpy.ndarray, shape (rows, columns)
        Rows are inputs, columns are outputs; floats or integers, any number of tiles.
    inputs : numpy.ndarray of integers, shape (vectors, rows)
    parameters : Parameters, optional
        The preset ``paper`` by default.
    simulator : str
        ``"verilator"`` or ``"icarus"``.
    directory : path, optional
        Keeps the generated files; by default they are deleted.
    waves : bool
        Keep a waveform, ``tb/waves.fst`` in ``directory``.
    status : callable, optional
        Told what is being done, and what part of the results is there.

    Returns
    -------
    CosimResult
        Its ``equal`` tells whether every value, clip counter and cycle count is as predicted.

    Raises
    ------
    InputError
        Weights, inputs or parameters cannot be used, or the simulator is missing.
    """
    chosen = load_parameters() if parameters is None else parameters
    layer = map_matrix(weights, chosen)
    with ExitStack() as stack:
        if directory is None:
            directory = tempfile.mkdtemp(prefix="sme-cosim-")
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        session = Session(chosen, Path(directory), simulator=simulator, waves=waves, status=status)
        return session.run(layer, inputs)
