"""`sme cosim`: the generated RTL against the golden model, on the user's data."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from rtl_gen.files import check_writable, staged_file
from rtl_gen.tb.run import SIMULATORS
from sim.cosim import CosimResult, cosim
from sim.mapping import read_array

from .console import bar, output, table, write_report
from .options import json_option, parameter_options, take_parameters

__all__ = ["cosim_command"]

MISMATCH = 1


def _print_result(result: CosimResult) -> None:
    rows = []
    for tile in result.tiles:
        clocks = None if tile.stalled else f"{tile.cycles} / {tile.predicted_cycles}"
        clips = f"{sum(tile.clips)} / {sum(tile.golden_clips)}"
        chip = tile.chip_cycles
        rows.append([tile.name, tile.vectors, tile.mismatches, clips, clocks, chip])
    columns = ["tile", "vectors", "mismatches", "clips RTL / golden", "clocks RTL / predicted"]
    columns.append("chip cycles")
    table("RTL against golden model", columns, rows)


@click.command("cosim")
@click.option(
    "--weights",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A .npy matrix, rows = inputs; floats or integers.",
)
@click.option(
    "--inputs",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A .npy of integers, vectors x rows.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False), help="Write what the RTL returned, .npy of int64."
)
@click.option("--simulator", type=click.Choice(SIMULATORS), default="verilator", show_default=True)
@click.option("--waves", is_flag=True, help="Keep a waveform, beside --out or as waves.fst.")
@click.option(
    "--keep", type=click.Path(file_okay=False), help="Keep design and testbench in this folder."
)
@parameter_options()
@json_option
def cosim_command(
    weights: str,
    inputs: str,
    out: str | None,
    simulator: str,
    waves: bool,
    keep: str | None,
    json_file: str | None,
    **options: Any,
) -> int:
    """Run a matrix through the generated Verilog and compare with the golden model.

    Exits with 0 only if every value, clip counter and cycle count is equal; with 1 if not.

    Example: sme cosim --weights W.npy --inputs X.npy --adc-bits 5 --out Y.npy
    """
    parameters = take_parameters(options)
    for path in (out, keep, json_file):
        check_writable(path)
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
    report = result.as_dict()
    write_report(json_file, report)
    _print_result(result)
    verdict = "EQUAL" if result.equal else "DIFFERENT"
    output.print(
        f"{verdict}: {report['results']} results of {report['vectors']} vectors, "
        f"{report['mismatches']} mismatches"
    )
    return 0 if result.equal else MISMATCH
