"""The testbench of a design: fixed files, and the data of its jobs as plain text."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from sme_hw.cycles import clip_settle_cycles
from sme_hw.pack import in_order, pack, pack_inputs
from sme_hw.params import CLIP_COUNTER_BITS, HardwareParams, index_bits
from sme_hw.program import input_fields
from sme_hw.tile_image import TileImage

from .files import write_json
from .tb.expectations import STALLS, most_clocks, seed_of
from .tb.run import SEED

__all__ = [
    "DATA_FILES",
    "FIXED_FILES",
    "MODELS",
    "Job",
    "read_results",
    "read_words",
    "write_testbench",
    "write_testbench_data",
]

WORD_BITS = 32
"""All data files hold 32-bit hexadecimal words, one a line; a beat's lowest word comes first."""

DATA_FILES = ("jobs.json", "jobs.hex", "program.hex", "inputs.hex", "expected.hex")
FIXED_FILES = (
    "bench.v",
    "standalone.v",
    "tb_design.py",
    "expectations.py",
    "run.py",
    "vcd_to_fst.py",
    "volume.cpp",
    "volume.py",
)
MODELS = {"portable": (), "ecp5": ("model_ccu2c.v", "model_dp16kd.v", "model_mult18x18d.v")}
"""Simulation models of the primitives that each target's Verilog instantiates."""


@dataclass(frozen=True, eq=False)
class Job:
    """A program, vectors to run with it, and what must come out.

    Parameters
    ----------
    name : str
        For messages.
    images : tuple of TileImage
        What is loaded, one for each weight set in use.
    order : numpy.ndarray of integers, shape (all vectors,)
        Set of every vector, in the order in which they are sent.
    inputs : tuple of numpy.ndarray of integers, shape (vectors, rows)
        For each set, its vectors.
    results : tuple of numpy.ndarray of int64, shape (vectors, columns)
        For each set, the expected results.
    clips : numpy.ndarray of int64, shape (planes,)
        Expected clip counters.
    cycles : int
        Expected clocks from the first input beat to the last result beat, both included.
    chip_cycles : int
        Cycles in which a chip would convert, all vectors together: one for every bit-cycle of
        every group and every column step, whatever an FPGA takes at once.
    stalled : bool
        The streams pause at random; results must not change, clocks are not compared.
    """

    name: str
    images: tuple[TileImage, ...]
    order: np.ndarray
    inputs: tuple[np.ndarray, ...]
    results: tuple[np.ndarray, ...]
    clips: np.ndarray
    cycles: int
    chip_cycles: int
    stalled: bool = False


@dataclass(frozen=True, eq=False)
class JobRun:
    """What the RTL did with a job.

    Parameters
    ----------
    results : tuple of numpy.ndarray of int64, shape (vectors, columns)
        For each set, what was returned; 0 where nothing was.
    words_as_expected : bool
        The result stream is as expected to the last bit, the marks of last beats included.
    clips : list of int
        Clip counters, most significant plane first.
    cycles : int
        Clocks from the first input beat to the last result beat, both included.
    fault : str
        What stopped the job before its end; empty if nothing did.
    """

    results: tuple[np.ndarray, ...]
    words_as_expected: bool
    clips: list[int]
    cycles: int
    fault: str


def _result_beats(results: np.ndarray, lanes: int) -> np.ndarray:
    """Return results as beats, shape (vectors, beats, lanes), 0 beyond the last column."""
    vectors, length = results.shape
    padded = np.zeros((vectors, -(-length // lanes) * lanes), np.int64)
    padded[:, :length] = results
    return padded.reshape(vectors, -1, lanes)


def _to_words(values: np.ndarray, bits: int, top: np.ndarray, top_bits: int) -> np.ndarray:
    """Pack beats into 32-bit words.

    Parameters
    ----------
    values : numpy.ndarray of integers, shape (vectors, beats, lanes)
    bits : int
        Width of a lane.
    top : numpy.ndarray of integers, shape (beats,)
        What stands above the lanes of each beat.
    top_bits : int

    Returns
    -------
    numpy.ndarray of uint32, shape (vectors, beats, words)
    """
    vectors, beats, lanes = values.shape
    fields = (values[..., np.newaxis] >> np.arange(bits) & 1).astype(np.uint8)
    fields = fields.reshape(vectors, beats, lanes * bits)
    width = lanes * bits + top_bits
    total = np.zeros((vectors, beats, -(-width // WORD_BITS) * WORD_BITS), np.uint8)
    total[..., : lanes * bits] = fields
    total[..., lanes * bits : width] = top[:, np.newaxis] >> np.arange(top_bits) & 1
    return np.packbits(total, axis=-1, bitorder="little").view("<u4")


def _input_words(job: Job, hardware: HardwareParams) -> np.ndarray:
    """Return the beats of the input stream, shape (beats of all vectors, words)."""
    parts = []
    for weight_set, vectors in enumerate(job.inputs):
        beats = pack_inputs(vectors, hardware)
        top = np.full(beats.shape[1], weight_set)
        parts.append(_to_words(beats, hardware.input_bits, top, hardware.set_bits))
    return np.concatenate(in_order(job.order, parts))


def _result_words(job: Job, hardware: HardwareParams) -> np.ndarray:
    """Return the beats of the result stream, shape (beats of all vectors, words)."""
    parts = []
    for results in job.results:
        beats = _result_beats(results, hardware.results_per_beat)
        last = np.arange(beats.shape[1]) == beats.shape[1] - 1
        parts.append(_to_words(beats, hardware.result_bits, last, 1))
    return np.concatenate(in_order(job.order, parts))


def _write_words(path: Path, arrays: Sequence[np.ndarray]) -> None:
    with path.open("w", encoding="ascii") as file:
        for array in arrays:
            file.write(array.astype(">u4").tobytes().hex("\n", WORD_BITS // 8) + "\n")


def read_words(path: Path) -> np.ndarray:
    """Return the words of a data file as uint32.

    Raises
    ------
    ValueError
        There is something else in it.
    """
    return np.frombuffer(bytes.fromhex(path.read_text(encoding="ascii")), ">u4").astype("<u4")


def _beat_widths(hardware: HardwareParams) -> tuple[int, int]:
    """Return the bits of an input beat and of a result beat."""
    return (
        sum(input_fields(hardware).values()),
        hardware.results_per_beat * hardware.result_bits + 1,
    )


def write_testbench_data(
    directory: Path, hardware: HardwareParams, jobs: Sequence[Job]
) -> dict[str, Any]:
    """Write what the testbench in ``directory`` runs; its fixed files need not change.

    Returns
    -------
    dict
        The content of ``jobs.json``.
    """
    programs = [pack(job.images, hardware) for job in jobs]
    inputs = [_input_words(job, hardware) for job in jobs]
    expected = [_result_words(job, hardware) for job in jobs]
    input_width, result_width = _beat_widths(hardware)
    description = {
        "bench": {
            "INPUT_WIDTH": input_width,
            "RESULT_WIDTH": result_width,
            "CLIP_PLANE_WIDTH": index_bits(hardware.planes),
            "CLIPS_WIDTH": CLIP_COUNTER_BITS,
        },
        "clip_planes": hardware.planes,
        "clip_settle": clip_settle_cycles(hardware.planes, hardware.clip_flags),
        "jobs": [
            {
                "name": job.name,
                "program_words": len(program),
                "input_beats": len(beats),
                "result_beats": len(out),
                "clips": job.clips.tolist(),
                "cycles": job.cycles,
                "stalled": job.stalled,
            }
            for job, program, beats, out in zip(jobs, programs, inputs, expected, strict=True)
        ],
    }
    write_json(directory / "jobs.json", description)
    _write_words(directory / "jobs.hex", [_job_words(description)])
    _write_words(directory / "program.hex", programs)
    _write_words(directory / "inputs.hex", inputs)
    _write_words(directory / "expected.hex", expected)
    return description


def _job_words(description: dict[str, Any]) -> np.ndarray:
    """Return what ``standalone.v`` needs of ``jobs.json``, in the order in which it reads."""
    jobs = description["jobs"]
    words = [len(jobs), description["clip_planes"], description["clip_settle"]]
    for number, job in enumerate(jobs):
        words += [job["program_words"], job["input_beats"], job["result_beats"]]
        words += [STALLS if job["stalled"] else 0, seed_of(SEED, number), most_clocks(job)]
        words += [not job["stalled"], job["cycles"], *job["clips"]]
    return np.array(words, np.uint32)


def write_testbench(
    directory: Path, hardware: HardwareParams, jobs: Sequence[Job], target: str
) -> dict[str, Any]:
    """Write a complete testbench that needs nothing of this package.

    Returns
    -------
    dict
        The content of ``jobs.json``.
    """
    directory.mkdir()
    folder = resources.files("rtl_gen") / "tb"
    for name in (*FIXED_FILES, *MODELS[target]):
        (directory / name).write_bytes((folder / name).read_bytes())
    return write_testbench_data(directory, hardware, jobs)


def _unpack(words: np.ndarray, hardware: HardwareParams) -> np.ndarray:
    """Return the results in beats of vectors: shape (vectors, beats, words) to (vectors, lanes)."""
    lanes, bits = hardware.results_per_beat, hardware.result_bits
    unpacked = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")
    fields = unpacked[..., : lanes * bits].reshape(len(words), words.shape[1] * lanes, bits)
    weights = np.int64(1) << np.arange(bits, dtype=np.int64)
    weights[-1] = -weights[-1]  # two's complement
    return fields.astype(np.int64) @ weights


def read_results(
    path: Path, hardware: HardwareParams, jobs: Sequence[Job]
) -> list[tuple[np.ndarray, ...]]:
    """Return what the RTL sent for each job, from the testbench's ``results.hex``.

    Returns
    -------
    list of tuple of numpy.ndarray of int64, shape (vectors, columns)
        For each job and set.

    Raises
    ------
    ValueError
        Results are missing.
    """
    words = read_words(path)
    words_per_beat = -(-_beat_widths(hardware)[1] // WORD_BITS)
    position, all_results = 0, []
    for job in jobs:
        beats = [-(-part.shape[1] // hardware.results_per_beat) for part in job.results]
        ends = position + np.cumsum(np.array(beats)[job.order]) * words_per_beat
        position = int(ends[-1])
        if position > len(words):
            raise ValueError(f"the results of {job.name} are missing")
        results = []
        for weight_set, part in enumerate(job.results):
            count = beats[weight_set] * words_per_beat
            places = ends[job.order == weight_set, np.newaxis] - count + np.arange(count)
            taken = words[places].reshape(len(part), beats[weight_set], words_per_beat)
            results.append(_unpack(taken, hardware)[:, : part.shape[1]])
        all_results.append(tuple(results))
    return all_results
