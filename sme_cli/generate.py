"""`sme generate`: parameters to Verilog with a testbench."""

from typing import Any

import click
import numpy as np

from rtl_gen.files import check_writable
from rtl_gen.fusesoc import CORE_FILE
from rtl_gen.generate import generate
from rtl_gen.macro import MACROS, check_macro
from sim.cosim import check_inputs, tile_jobs
from sim.mapping import Parameters, map_matrix, read_array
from sme_hw.array_program import UNITS_MAX
from sme_hw.errors import InputError
from sme_hw.target import TARGETS

from .console import bar, output, table, write_report
from .options import json_option, parameter_options, take_parameters

__all__ = ["generate_command"]

SEED = 2026
VECTORS = 8


def _weights(file: str | None, parameters: Parameters) -> np.ndarray:
    """Return the user's matrix, or a random one that fills all sets of a crossbar."""
    if file is not None:
        return read_array(file)
    hardware = parameters.hardware
    shape = hardware.rows, hardware.cols * hardware.weight_sets
    weights = np.random.default_rng(SEED).normal(size=shape)
    if parameters.mapping.codec == "codes":
        return np.round(
            weights / np.abs(weights).max() * (2**parameters.mapping.weight_bits - 1)
        ).astype(np.int64)
    return weights


def _inputs(file: str | None, rows: int, parameters: Parameters) -> np.ndarray:
    """Return the user's vectors, or random ones."""
    if file is not None:
        return read_array(file)
    low, high = parameters.hardware.input_range
    return np.random.default_rng(SEED + 1).integers(low, high + 1, size=(VECTORS, rows))


@click.command("generate")
@click.option(
    "-o",
    "--output",
    "directory",
    required=True,
    type=click.Path(file_okay=False),
    help="Folder for design.v, design.json, design.vlt (lint waivers), and tb/.",
)
@click.option("--weights", type=click.Path(exists=True, dir_okay=False), help="A .npy matrix.")
@click.option(
    "--inputs", type=click.Path(exists=True, dir_okay=False), help="A .npy, vectors x rows."
)
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    default=TARGETS[0],
    show_default=True,
    help="Verilog that every tool reads, or the same unit with primitives of an FPGA family.",
)
@click.option(
    "--macro",
    type=click.Choice(MACROS),
    default=MACROS[0],
    show_default=True,
    help="blackbox: design.v lacks its array macros (crossbar, sample-and-hold, ADCs); a stub, a "
    "behavioural model and a description of them are written beside it.",
)
@click.option("--fusesoc", is_flag=True, help="Also write sme.core, for FuseSoC.")
@click.option(
    "--axi",
    "axi_units",
    type=click.IntRange(min=0, max=UNITS_MAX),
    default=0,
    metavar="UNITS",
    help="Also write design_axi.v: so many compute units behind AXI4-Lite and AXI4-Stream, with "
    "registers as C header, Python class and table, and a script that packages it for Vivado.",
)
@parameter_options()
@json_option
def generate_command(
    directory: str,
    weights: str | None,
    inputs: str | None,
    target: str,
    macro: str,
    fusesoc: bool,
    axi_units: int,
    json_file: str | None,
    **options: Any,
) -> None:
    """Generate Verilog, its manifest, and a cocotb testbench with data.

    Without --weights and --inputs, the testbench holds seeded random data.

    Example: sme generate --preset paper --rows 64 --cols 48 --adc-bits 5 -o build/design
    """
    parameters = take_parameters(options)
    check_macro(macro, parameters.hardware)
    for path in (directory, json_file):
        check_writable(path)
    if inputs is not None and weights is None:
        raise InputError("--inputs needs --weights")
    with bar() as (progress, task):
        progress.update(task, description="mapping")
        layer = map_matrix(_weights(weights, parameters), parameters)
        rows = layer.shape[1]
        vectors = check_inputs(_inputs(inputs, rows, parameters), rows, parameters.hardware)
        jobs = tile_jobs(layer, vectors)
        progress.update(task, description="generating Verilog")
        manifest = generate(
            parameters.hardware,
            directory,
            jobs,
            target=target,
            macro=macro,
            fusesoc=fusesoc,
            axi_units=axi_units,
            extra={"options": parameters.as_dict()},
        )
    write_report(json_file, manifest)
    ports = [[p["name"], p["direction"], p["width"]] for p in manifest["ports"]]
    table(f"Ports of {manifest['top']}", ["port", "direction", "bits"], ports)
    written = [*manifest["sha256"], "design.json", *manifest["files"]["lint"], "tb/"]
    written += [manifest["macro"]["text"]] if "macro" in manifest else []
    written += [CORE_FILE] if fusesoc else []
    written += manifest["axi"]["files"] if "axi" in manifest else []
    output.print(f"written to {directory}: {', '.join(written)}")
    output.print(f"run its testbench: python {directory}/tb/run.py")
