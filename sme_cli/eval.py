"""`sme eval`: a network's accuracy on crossbars, and where it is lost."""

from typing import Any

import click

from rtl_gen.files import check_writable, staged_file
from sim.network.evaluation import evaluate
from sim.network.mapped_network import map_network
from sim.network.network import read_network
from sim.network.sensitivity import measure_sensitivity
from sim.report.figure import check_matplotlib
from sim.report.losses import draw_losses
from sme_hw.errors import InputError

from .console import bar, write_report
from .eval_tables import print_accuracy, print_layers, print_sensitivity
from .network_options import network_options, refuse_beside_mapping
from .network_run import open_network
from .options import (
    json_option,
    layers_option,
    parameter_options,
    take_parameters,
)

__all__ = ["eval_command"]


@click.command("eval")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@network_options
@click.option("--images", type=click.IntRange(min=1), help="Evaluate that many; else all.")
@click.option(
    "--sensitivity",
    type=click.IntRange(min=0),
    default=16,
    show_default=True,
    help="Images on which losses are traced to steps and layers; 0: not at all.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False),
    help="Draw where accuracy is lost into this file, a .png for example.",
)
@parameter_options()
@layers_option
@json_option
@click.pass_context
def eval_command(
    context: click.Context,
    /,
    file: str,
    images: int | None,
    sensitivity: int,
    picture: str | None,
    json_file: str | None,
    **options: Any,
) -> None:
    """Run the network in FILE (.onnx) with every Conv, Gemm and MatMul on crossbars.

    All integers are exactly those of the hardware: inputs are quantised, fed bit by bit, group by
    group, and converted by ADCs, which may clip. Accuracy is compared with the float network.

    Example: sme eval model.onnx --data images.npz --normalise imagenet --scale column --squeeze 2
    """
    refuse_beside_mapping(context)
    base = take_parameters(options)
    for target in (picture, json_file):
        check_writable(target)
    if picture is not None:
        check_matplotlib()
        if not sensitivity:
            raise InputError(f"--picture {picture} needs --sensitivity of at least 1")
    network = read_network(file)
    mapped, evaluated = open_network(network, base, images=images, **options)
    with bar(len(evaluated)) as (progress, task):
        progress.update(task, description="images on crossbars")
        result = evaluate(mapped, evaluated, lambda count: progress.advance(task, count))
    report = {"model": file, "data": options["data"]} | result.as_dict()
    losses = None
    if sensitivity:
        kept = map_network(
            network,
            [layer.mapping.parameters.without_squeeze() for layer in mapped.layers],
            [layer.quantisation for layer in mapped.layers],
        )
        traced = evaluated.first(sensitivity)
        with bar((len(network.layers) + 4) * len(traced)) as (progress, task):

            def traced_images(what: str, count: int) -> None:
                progress.update(task, description=f"losses: {what}", advance=count)

            losses = measure_sensitivity(mapped, kept, list(traced), traced_images)
        report["sensitivity"] = losses.as_dict()
        if picture is not None:
            with staged_file(picture) as temporary:
                draw_losses(report["sensitivity"], temporary)
    write_report(json_file, report)
    print_layers(result)
    if losses is not None:
        print_sensitivity(losses)
    print_accuracy(report["accuracy"])
