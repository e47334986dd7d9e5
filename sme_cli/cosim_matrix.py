"""`sme cosim` of a matrix: the generated RTL against the golden model."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from rtl_gen.files import staged_file
from sim.cosim import CosimResult, cosim
from sim.mapping import Parameters, read_array

from .console import bar, output, table

__all__ = ["cosim_matrix", "matrix_options", "print_matrix"]


def matrix_options(function: Any) -> Any:
    """Add the options of a command that runs a matrix: ``weights``, ``inputs``, ``out``."""
    weights = click.option(
        "--weights",
        type=click.Path(exists=True, dir_okay=False),
        help="Instead of MODEL, a .npy matrix, rows = inputs; floats or integers.",
    )
    inputs = click.option(
        "--inputs",
        type=click.Path(exists=True, dir_okay=False),
        help="For --weights: a .npy of integers, vectors x rows.",
    )
    out = click.option(
        "--out",
        type=click.Path(dir_okay=False),
        help="For --weights: write what came out, .npy of int64.",
    )
    return weights(inputs(out(function)))


def print_matrix(result: CosimResult) -> None:
    """Print what every tile showed."""
    rows = []
    for tile in result.tiles:
        clocks = None if tile.stalled else f"{tile.cycles} / {tile.predicted_cycles}"
        clips = f"{sum(tile.clips)} / {sum(tile.golden_clips)}"
        chip = tile.chip_cycles
        rows.append([tile.name, tile.vectors, tile.mismatches, clips, clocks, chip])
    columns = ["tile", "vectors", "mismatches", "clips RTL / golden", "clocks RTL / predicted"]
    columns.append("chip cycles")
    table("RTL against golden model", columns, rows)


def cosim_matrix(
    weights: str,
    inputs: str,
    parameters: Parameters,
    *,
    out: str | None,
    simulator: str,
    waves: bool,
    keep: str | None,
) -> CosimResult:
    """Run a matrix of a file on vectors of another one."""
    matrix, vectors = read_array(weights), read_array(inputs)
    folder = keep or tempfile.mkdtemp(prefix="sme-cosim-")
    try:
        with bar(1.0) as (progress, task):
            result = cosim(
                matrix,
                vectors,
                parameters,
                simulator=simulator,
                directory=folder,
                waves=waves,
                status=lambda text, done: progress.update(task, description=text, completed=done),
            )
        if out is not None:
            with staged_file(out) as temporary, temporary.open("wb") as file:
                np.save(file, result.outputs)
        if waves:
            target = Path(out).with_suffix(".fst") if out else Path("waves.fst")
            with staged_file(target) as temporary:
                shutil.copyfile(Path(folder) / "tb" / "waves.fst", temporary)
            output.print(f"waveform: {target}")
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return result
