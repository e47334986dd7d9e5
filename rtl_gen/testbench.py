"""The testbench of a design: fixed files, and the data of its jobs as plain text."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from sme_hw.params import CLIP_COUNTER_BITS, HardwareParams
from sme_hw.program import pack, pack_inputs
from sme_hw.tile_image import TileImage

from .files import write_json

__all__ = ["DATA_FILES", "Job", "read_results", "write_testbench", "write_testbench_data"]

WORD_BITS = 32
"""All data files hold 32-bit hexadecimal words, one a line; a beat's lowest word comes first."""

DATA_FILES = ("jobs.json", "program.hex", "inputs.hex", "expected.hex")
_FIXED_FILES = ("bench.v", "tb_design.py", "run.py", "vcd_to_fst.py")
_MODELS = {"portable": (), "ecp5": ("model_ccu2c.v", "model_dp16kd.v")}
"""Simulation models of the primitives that each target's Verilog instantiates."""


@dataclass(frozen=True, eq=False)
class Job:
    """A program, vectors to run with it, and what must come out.

    Parameters
    ----------
    name : str
        For messages.
    image : TileImage
        What is loaded.
    inputs : numpy.ndarray of integers, shape (vectors, rows)
    results : numpy.ndarray of int64, shape (vectors, columns)
        Expected results.
    clips : numpy.ndarray of int64, shape (planes,)
        Expected clip counters.
    cycles : int
        Expected clocks from the first input beat to the last result beat, both included.
    stalled : bool
        The streams pause at random; results must not change, clocks are not compared.
    """

    name: str
    image: TileImage
    inputs: np.ndarray
    results: np.ndarray
    clips: np.ndarray
    cycles: int
    stalled: bool = False


def _result_beats(results: np.ndarray, lanes: int) -> np.ndarray:
    """Return results as beats, shape (vectors, beats, lanes), 0 beyond the last column."""
    vectors, length = results.shape
    padded = np.zeros((vectors, -(-length // lanes) * lanes), np.int64)
    padded[:, :length] = results
    return padded.reshape(vectors, -1, lanes)


def _to_words(values: np.ndarray, bits: int, flag_last: bool) -> np.ndarray:
    """Pack beats, shape (vectors, beats, lanes), of ``bits`` bits a lane into 32-bit words.

    Returns an array of shape (beats of all vectors, words).
    """
    vectors, beats, lanes = values.shape
    fields = (values[..., np.newaxis] >> np.arange(bits) & 1).astype(np.uint8)
    fields = fields.reshape(vectors, beats, lanes * bits)
    width = lanes * bits + flag_last
    total = np.zeros((vectors, beats, -(-width // WORD_BITS) * WORD_BITS), np.uint8)
    total[..., : lanes * bits] = fields
    if flag_last:
        total[:, -1, lanes * bits] = 1
    return np.packbits(total, axis=-1, bitorder="little").view("<u4").reshape(vectors * beats, -1)


def _write_words(path: Path, arrays: Sequence[np.ndarray]) -> None:
    with path.open("w", encoding="ascii") as file:
        for array in arrays:
            file.writelines(f"{word:08x}\n" for word in array.ravel().tolist())


def _beat_widths(hardware: HardwareParams) -> tuple[int, int]:
    """Return the bits of an input beat and of a result beat."""
    return (
        hardware.inputs_per_beat * hardware.input_bits,
        hardware.results_per_beat * hardware.result_bits + 1,
    )


def write_testbench_data(directory: Path, hardware: HardwareParams, jobs: Sequence[Job]) -> None:
    """Write what the testbench in ``directory`` runs; its fixed files need not change."""
    programs = [pack(job.image, hardware) for job in jobs]
    inputs = [
        _to_words(pack_inputs(job.inputs, hardware), hardware.input_bits, flag_last=False)
        for job in jobs
    ]
    expected = [
        _to_words(
            _result_beats(job.results, hardware.results_per_beat),
            hardware.result_bits,
            flag_last=True,
        )
        for job in jobs
    ]
    input_width, result_width = _beat_widths(hardware)
    description = {
        "bench": {
            "INPUT_WIDTH": input_width,
            "RESULT_WIDTH": result_width,
            "CLIPS_WIDTH": hardware.planes * CLIP_COUNTER_BITS,
        },
        "clip_counter_bits": CLIP_COUNTER_BITS,
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
    _write_words(directory / "program.hex", programs)
    _write_words(directory / "inputs.hex", inputs)
    _write_words(directory / "expected.hex", expected)


def write_testbench(
    directory: Path, hardware: HardwareParams, jobs: Sequence[Job], target: str
) -> None:
    """Write a complete testbench that needs nothing of this package."""
    directory.mkdir()
    folder = resources.files("rtl_gen") / "tb"
    for name in (*_FIXED_FILES, *_MODELS[target]):
        (directory / name).write_bytes((folder / name).read_bytes())
    write_testbench_data(directory, hardware, jobs)


def read_results(path: Path, hardware: HardwareParams, jobs: Sequence[Job]) -> list[np.ndarray]:
    """Return what the RTL sent for each job, from the testbench's ``results.hex``.

    Returns
    -------
    list of numpy.ndarray of int64, shape (vectors, columns)
    """
    words = np.array([int(line, 16) for line in path.read_text().split()], "<u4")
    lanes, bits = hardware.results_per_beat, hardware.result_bits
    words_per_beat = -(-_beat_widths(hardware)[1] // WORD_BITS)
    results, position = [], 0
    for job in jobs:
        vectors, columns = job.results.shape
        beats = -(-columns // lanes)
        count = vectors * beats * words_per_beat
        part = words[position : position + count].reshape(vectors, beats, words_per_beat)
        position += count
        unpacked = np.unpackbits(part.view(np.uint8), axis=-1, bitorder="little")
        fields = unpacked[..., : lanes * bits].reshape(vectors, beats * lanes, bits)
        weights = np.int64(1) << np.arange(bits, dtype=np.int64)
        weights[-1] = -weights[-1]  # two's complement
        results.append((fields.astype(np.int64) @ weights)[:, :columns])
    return results
