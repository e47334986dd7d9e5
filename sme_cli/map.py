"""`sme map`: weights to crossbar contents."""

from typing import Any

import click
import numpy as np

from rtl_gen.files import check_writable, staged_directory
from sim.mapping import (
    MAX_UNITS,
    LayerMapping,
    LayerWeights,
    describe,
    map_layer,
    save_mapping,
    schedule,
)
from sim.report.bit_planes import TilePlanes, draw_bit_planes, tile_planes
from sim.report.clips import ClipReport, measure_clips, random_batches, read_inputs
from sim.report.crossbars import draw_crossbars
from sim.report.figure import check_matplotlib
from sim.report.nonzero_rows import draw_nonzero_rows
from sim.report.tile_choice import choose_tile
from sme_hw.errors import InputError, some_of

from .console import bar, output, write_report
from .map_sources import read_sources
from .map_tables import (
    print_clips,
    print_counts,
    print_differences,
    print_spreads,
    print_unused_bits,
)
from .network_options import calibration_options
from .options import (
    json_option,
    layers_option,
    parameter_options,
    take_layer_parameters,
    take_parameters,
)

__all__ = ["map_command"]

SEED = 2026


def _measure_all(
    layers: list[LayerMapping], inputs: dict[str, np.ndarray], vectors: int | None, seed: int
) -> list[ClipReport | None]:
    """Measure the clips of layers: on given inputs, or on random ones."""
    counts = [len(inputs.get(layer.name, ())) if vectors is None else vectors for layer in layers]
    work = sum(n * layer.counts.tiles for n, layer in zip(counts, layers, strict=True))
    reports: list[ClipReport | None] = []
    with bar(work) as (progress, task):
        for layer, count in zip(layers, counts, strict=True):
            progress.update(task, description=f"clips of {layer.name}")
            if count == 0:
                reports.append(None)
                continue
            batches = (
                [inputs[layer.name]]
                if vectors is None
                else random_batches(layer.inputs, count, layer.parameters.hardware, seed)
            )
            reports.append(measure_clips(layer, batches, lambda n: progress.advance(task, n)))
    return reports


def _look_at_tile(
    layers: list[LayerMapping], sources: list[LayerWeights], place: str | None
) -> TilePlanes:
    """Return the planes of a tile, with those of its layer without squeeze-out."""
    chosen = choose_tile(layers, place)
    source = sources[layers.index(chosen.layer)]
    kept = chosen.layer.parameters.without_squeeze()
    return tile_planes(map_layer(source.name, source.weights, kept, groups=source.groups), chosen)


def _draw(report: dict[str, Any], planes: TilePlanes, directory: str) -> None:
    """Draw all pictures into a folder."""
    with staged_directory(directory) as stage:
        draw_nonzero_rows(report, stage / "nonzero_rows.png")
        draw_crossbars(report, stage / "crossbars.png")
        draw_bit_planes(planes, stage / "bit_planes.png")


@click.command("map")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "-o", "--output", "directory", type=click.Path(file_okay=False), help="Save the mapping here."
)
@click.option(
    "--groups",
    multiple=True,
    metavar="NAME=N",
    help="Groups of a convolution; without it, 4-D weights with one input channel per group are "
    "taken as depthwise.",
)
@click.option(
    "--units",
    type=click.IntRange(1, MAX_UNITS),
    help="Compute units that the tiles of a layer are distributed over; without it, one each.",
)
@click.option(
    "--inputs",
    type=click.Path(exists=True, dir_okay=False),
    help="Measure clips on these integers, vectors x inputs: a .npy for a single layer, or a .npz "
    "with an array for each layer to measure, named like it.",
)
@click.option(
    "--random-inputs",
    "vectors",
    type=click.IntRange(min=1),
    help="Measure clips on this many uniformly random vectors.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), help=f"Seed of the random vectors, {SEED} by default."
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False),
    help="Draw into this folder: crossbars of every layer, rows with ones in every plane, and the "
    "bit planes of a tile.",
)
@click.option(
    "--tile",
    "place",
    metavar="LAYER:ROW:COLUMN",
    help="The tile whose bit planes are drawn, numbers of row and column tiles from 0; without "
    "it, the one with the most moved rows.",
)
@parameter_options()
@layers_option
@calibration_options
@json_option
@click.pass_context
def map_command(
    context: click.Context,
    /,
    file: str,
    directory: str | None,
    groups: tuple[str, ...],
    units: int | None,
    inputs: str | None,
    vectors: int | None,
    seed: int | None,
    pictures: str | None,
    place: str | None,
    layers_file: str | None,
    json_file: str | None,
    **options: Any,
) -> None:
    """Map the weights in FILE onto crossbars and count these.

    FILE is a network (.onnx), a .npy matrix (rows = inputs), or .npz or .safetensors with layers
    in arrays whose name ends in 'weight': (out, in) or (out, in / groups, kh, kw). With --data, a
    network's input scales are chosen and saved, too, so that sme eval and sme cosim can run the
    mapping as it is (--mapping).

    Example: sme map model.npz --squeeze 2 -o build/mapping
    """
    base = take_parameters(options)
    for target in (directory, pictures, json_file):
        check_writable(target)
    if pictures is not None:
        check_matplotlib()
    elif place is not None:
        raise InputError(f"--tile {place} needs --pictures")
    if inputs is not None and vectors is not None:
        raise InputError("--inputs and --random-inputs exclude each other")
    if seed is not None and vectors is None:
        raise InputError(f"--seed {seed} needs --random-inputs")
    seed = SEED if seed is None else seed
    found = read_sources(file, groups)
    names = [source.name for source in found.layers]
    parameters = take_layer_parameters(base, layers_file, names)
    hardware = {name: chosen.hardware for name, chosen in parameters.items()}
    given = {} if inputs is None else read_inputs(inputs, found.layers, hardware)
    found = found.calibrate(context, parameters, options)
    layers = found.map(parameters)
    schedules = [schedule(layer) for layer in layers]
    report = describe(layers) | {"ignored": found.ignored}
    for entry, plan in zip(report["layers"], schedules, strict=True):
        entry["schedule"] = plan.as_dict(units)
    report["bit_cycles"] = sum(plan.bit_cycles for plan in schedules)
    clips: list[ClipReport | None] = []
    if given or vectors is not None:
        clips = _measure_all(layers, given, vectors, seed)
        random = {"random_vectors": vectors, "seed": seed}
        report["clips_measured_on"] = random if inputs is None else {"file": inputs}
        for entry, measured in zip(report["layers"], clips, strict=True):
            entry["clips"] = None if measured is None else measured.as_dict()
    if pictures is not None:
        planes = _look_at_tile(layers, found.layers, place)
        report["tile"] = planes.as_dict()
        _draw(report, planes, pictures)
    if directory is not None:
        save_mapping(layers, directory, found.seen)
    write_report(json_file, report)

    print_differences(report)
    print_counts(report)
    if clips:
        origin = f"{vectors} uniformly random vectors, seed {seed}" if inputs is None else inputs
        print_clips(layers, clips, origin)
    if units is not None:
        tiles = [layer.counts.tiles for layer in layers]
        spreads = [plan.spread(units) for plan in schedules]
        print_spreads([layer.name for layer in layers], tiles, spreads)
    print_unused_bits(layers)
    if found.ignored:
        output.print(f"ignored (no layer weights): {some_of(found.ignored)}")
    if directory is not None:
        output.print(f"saved in {directory}: mapping.npz, mapping.json")
    if pictures is not None:
        output.print(f"drawn in {pictures}: nonzero_rows.png, crossbars.png, bit_planes.png")
