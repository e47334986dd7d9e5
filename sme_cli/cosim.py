"""`sme cosim`: the generated RTL against the golden model."""

from typing import Any

import click

from rtl_gen.files import check_writable
from rtl_gen.tb.run import SIMULATORS
from sim.cosim import CosimResult, NetworkCosim
from sim.mapping import OPTIONS
from sme_hw.errors import InputError

from .console import output, write_report
from .cosim_matrix import cosim_matrix, matrix_options, print_matrix
from .cosim_network import NetworkRun, cosim_network, print_network, tiles_options
from .network_options import network_options, refuse_beside_mapping
from .options import json_option, layers_option, parameter_options, refuse, take_parameters

__all__ = ["cosim_command"]

MISMATCH = 1
_MATRIX_ONLY = {"weights", "inputs", "out", "simulator", "waves"}
_FOR_BOTH = {*OPTIONS, "preset", "keep", "json_file"}


def _finish(result: CosimResult | NetworkCosim, json_file: str | None) -> int:
    report = result.as_dict()
    write_report(json_file, report)
    if isinstance(result, NetworkCosim):
        print_network(result)
        amount = f"{report['results']} results of {report['tiles']} tiles"
    else:
        print_matrix(result)
        amount = f"{report['results']} results of {report['vectors']} vectors"
    verdict = "EQUAL" if result.equal else "DIFFERENT"
    output.print(f"{verdict}: {amount}, {report['mismatches']} mismatches")
    return 0 if result.equal else MISMATCH


@click.command("cosim")
@click.argument("model", required=False, type=click.Path(exists=True, dir_okay=False))
@matrix_options
@click.option(
    "--simulator",
    type=click.Choice(SIMULATORS),
    default="verilator",
    show_default=True,
    help="For --weights; networks run in Verilator.",
)
@click.option(
    "--waves",
    is_flag=True,
    help="For --weights: keep a waveform, beside --out or as waves.fst.",
)
@tiles_options
@click.option(
    "--processes",
    type=click.IntRange(min=1, max=1024),
    help="For MODEL: simulations at a time; one for each core by default.",
)
@click.option(
    "--keep", type=click.Path(file_okay=False), help="Keep designs and testbench in this folder."
)
@network_options
@parameter_options()
@layers_option
@json_option
@click.pass_context
def cosim_command(
    context: click.Context,
    /,
    model: str | None,
    weights: str | None,
    inputs: str | None,
    out: str | None,
    simulator: str,
    waves: bool,
    layers: tuple[str, ...],
    vectors: int,
    processes: int | None,
    keep: str | None,
    json_file: str | None,
    **options: Any,
) -> int:
    """Run the generated Verilog and compare it with the golden model.

    Either every tile of the layers of a network, MODEL (.onnx), on vectors that real images cause
    there; or a single matrix on given vectors.

    Exits with 0 only if every value, clip counter and cycle count is equal; with 1 if not.

    Examples: sme cosim model.onnx --data images.npz --normalise imagenet --vectors 2

    sme cosim --weights W.npy --inputs X.npy --adc-bits 5 --out Y.npy
    """
    parameters = take_parameters(options)
    for path in (out, keep, json_file):
        check_writable(path)
    if model is not None:
        refuse_beside_mapping(context)
        refuse(context, _MATRIX_ONLY, "is for a single matrix, not for a network")
        run = NetworkRun(patterns=layers, vectors=vectors, processes=processes, directory=keep)
        result = cosim_network(model, parameters, run, **options)
        return _finish(result, json_file)
    if weights is None or inputs is None:
        raise InputError("either MODEL is needed, or --weights and --inputs")
    others = {option.name for option in context.command.params} - _MATRIX_ONLY - _FOR_BOTH
    refuse(context, others, "is for a network, not for a single matrix")
    matrix = cosim_matrix(
        weights, inputs, parameters, out=out, simulator=simulator, waves=waves, keep=keep
    )
    return _finish(matrix, json_file)
