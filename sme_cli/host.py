"""`sme host`: mapped tiles on a board, against the golden model."""

import time
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from rtl_gen.files import check_writable, staged_file
from sim.mapping import OPTIONS, LayerMapping, Parameters, map_matrix, read_array
from sme_host.device import Device
from sme_host.link import Link, patience
from sme_host.run import BoardLayer, common_hardware, run_layers
from sme_host.serial_port import open_port
from sme_hw.errors import InputError
from sme_hw.params import ceil_div

from .console import bar, output, table, write_report
from .cosim_matrix import matrix_options
from .cosim_network import NetworkRun, network_work, tiles_options
from .network_options import network_options, refuse_beside_mapping
from .options import json_option, layers_option, parameter_options, refuse, take_parameters

__all__ = ["host_command"]

FAILED = 1
SEED = 2026
VECTORS = 8
_MATRIX_ONLY = {"weights", "inputs", "out"}
_FOR_BOTH = {*OPTIONS, "preset", "baud", "port", "json_file"}


def _matrix_work(
    weights: str | None, inputs: str | None, parameters: Parameters
) -> list[tuple[LayerMapping, np.ndarray]]:
    """Return the user's matrix with vectors, or random ones."""
    rng = np.random.default_rng(SEED)
    hardware = parameters.hardware
    if weights is None:
        if inputs is not None:
            raise InputError("--inputs needs --weights")
        matrix = rng.normal(size=(hardware.rows, hardware.cols * hardware.weight_sets))
    else:
        matrix = read_array(weights)
    layer = map_matrix(matrix, parameters)
    if inputs is not None:
        return [(layer, read_array(inputs))]
    low, high = hardware.input_range
    return [(layer, rng.integers(low, high + 1, size=(VECTORS, layer.inputs)))]


def _run(
    port: str, baud: int, work: Sequence[tuple[LayerMapping, np.ndarray]]
) -> tuple[list[BoardLayer], dict[str, Any]]:
    """Run layers on the board; returns also how it went."""
    hardware = common_hardware([layer for layer, _ in work])
    tiles = [sum(len(matrix.tiles(hardware)) for matrix in layer.matrices) for layer, _ in work]
    with open_port(port, baud) as opened, bar(1) as (progress, task):
        link = Link(opened, patience(baud))
        device = Device(link, hardware)
        progress.update(task, description=f"connecting to {port}")
        device.open()
        vectors = sum(
            len(inputs) * ceil_div(count, device.units)
            for (_, inputs), count in zip(work, tiles, strict=True)
        )
        progress.update(task, total=vectors)

        def show(name: str, count: int) -> None:
            progress.update(task, description=f"{name}, {sum(tiles)} tiles", advance=count)

        start = time.perf_counter()
        layers = run_layers(device, work, show)
        seconds = time.perf_counter() - start
    return layers, {
        "units": device.units,
        "seconds": seconds,
        "repeated_requests": link.repeats,
        "corrupt_responses": link.corrupt,
    }


@click.command("host")
@click.argument("port")
@click.argument("model", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--baud",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Bits a second.",
)
@matrix_options
@tiles_options
@network_options
@parameter_options()
@layers_option
@json_option
@click.pass_context
def host_command(
    context: click.Context,
    /,
    port: str,
    model: str | None,
    baud: int,
    weights: str | None,
    inputs: str | None,
    out: str | None,
    layers: tuple[str, ...],
    vectors: int,
    json_file: str | None,
    **options: Any,
) -> int:
    """Run tiles on a board at a serial PORT and compare with the golden model.

    Either every tile of the layers of a network, MODEL (.onnx), on vectors that real images cause
    there; or a single matrix, random without --weights. The board must have been built for the same
    hardware parameters; as many tiles run at once as it has compute units.

    Exits with 0 only if every value and clip counter is equal; with 1 if not, or if the link fails.

    Examples: sme host /dev/ttyUSB1 --preset small --weights W.npy --inputs X.npy --out Y.npy

    sme host /dev/ttyUSB1 model.onnx --mapping mapping --data images.npz --normalise imagenet
    """
    parameters = take_parameters(options)
    for path in (out, json_file):
        check_writable(path)
    if model is not None:
        refuse_beside_mapping(context)
        refuse(context, _MATRIX_ONLY, "is for a single matrix, not for a network")
        run = NetworkRun(patterns=layers, vectors=vectors, processes=None, directory=None)
        work = network_work(model, parameters, run, **options)
    else:
        others = {option.name for option in context.command.params} - _MATRIX_ONLY - _FOR_BOTH
        refuse(context, others - {"model"}, "is for a network, not for a single matrix")
        work = _matrix_work(weights, inputs, parameters)
    found, link = _run(port, baud, work)
    if out is not None:
        with staged_file(out) as temporary, temporary.open("wb") as file:
            np.save(file, found[0].outputs)
    return _report(found, link, json_file)


def _report(layers: Sequence[BoardLayer], link: dict[str, Any], json_file: str | None) -> int:
    """Print what came out; returns the exit code."""
    reports = [layer.as_dict() for layer in layers]
    equal = all(layer.equal for layer in layers)
    write_report(json_file, {"equal": equal, "link": link, "layers": reports})
    keys = ("tiles", "vectors", "results", "mismatches")
    rows = [
        [
            layer.name,
            *(getattr(layer, key) for key in keys),
            f"{layer.clips} / {layer.golden_clips}",
            f"{layer.load_seconds:.2f}",
            f"{layer.vectors / max(layer.run_seconds, 1e-9):,.0f}",
        ]
        for layer in layers
    ]
    columns = ["layer", *keys, "clips board / golden", "loading s", "vectors / s"]
    units = "1 compute unit" if link["units"] == 1 else f"{link['units']} compute units"
    table(f"Board with {units} against golden model", columns, rows)
    results, mismatches = (sum(getattr(layer, key) for layer in layers) for key in keys[2:])
    vectors = sum(layer.vectors for layer in layers)
    output.print(
        f"{vectors} vectors in {link['seconds']:.1f} s, "
        f"{link['repeated_requests']} requests repeated"
    )
    verdict = "EQUAL" if equal else "DIFFERENT"
    output.print(f"{verdict}: {results} results, {mismatches} mismatches")
    return 0 if equal else FAILED
