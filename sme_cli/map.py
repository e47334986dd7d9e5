"""`sme map`: weights to crossbar contents."""

from typing import Any

import click
import numpy as np

from rtl_gen.files import check_writable
from sim.mapping import (
    MAX_UNITS,
    LayerMapping,
    Spread,
    describe,
    map_layer,
    read_layers,
    save_mapping,
    schedule,
)
from sim.report.clips import ClipReport, measure_clips, random_batches, read_inputs
from sme_hw.errors import InputError

from .console import bar, output, table, write_report
from .options import json_option, parameter_options, take_parameters

__all__ = ["map_command"]

SEED = 2026


def _parse_groups(entries: tuple[str, ...]) -> dict[str, int]:
    groups = {}
    for entry in entries:
        name, _, count = entry.rpartition("=")
        if not name or not count.isdecimal() or int(count) < 1:
            raise InputError(f"groups {entry}: NAME=N is needed, N at least 1")
        groups[name] = int(count)
    return groups


def _layer_row(entry: dict[str, Any]) -> list[Any]:
    ratios = entry["sqnr_db"]
    return [
        entry["name"],
        f"{entry['rows']} x {entry['columns']}"
        + (f" x {entry['groups']} groups" if entry["groups"] > 1 else ""),
        entry["tiles"],
        *entry["crossbars"].values(),
        entry["rcmr_bits"],
        ratios["quantisation"],
        ratios["squeeze"],
        entry["schedule"]["bit_cycles"],
        " ".join(map(str, entry["schedule"]["lossless_adc_bits"])),
    ]


def _integer_bits(layers: list[LayerMapping]) -> int:
    """Return the bits of the largest magnitude if all layers are integer codes; else weight_bits.

    An upper bound where rows were shifted, which is enough for a hint.
    """
    parameters = layers[0].parameters
    if any(layer.codec != "codes" for layer in layers):
        return parameters.mapping.weight_bits
    largest = max(
        int(np.abs(matrix.effective_codes(parameters.hardware)).max())
        for layer in layers
        for matrix in layer.matrices
    )
    return max(2, largest.bit_length())


def _print_spreads(names: list[str], tiles: list[int], spreads: list[Spread]) -> None:
    """Print how long units take; layers follow one another."""
    columns = {
        "makespan_clocks": "makespan",
        "mean_clocks": "mean",
        "makespan_over_mean": "makespan / mean",
        "bound_clocks": "bound",
        "makespan_over_bound": "makespan / bound",
    }
    units = spreads[0].units
    total = Spread(
        units,
        sum(s.makespan for s in spreads),
        sum(s.total for s in spreads),
        sum(s.bound for s in spreads),
    )
    rows = [
        [name, count, *(part.as_dict()[key] for key in columns)]
        for name, count, part in zip(
            [*names, "total"], [*tiles, sum(tiles)], [*spreads, total], strict=True
        )
    ]
    title = f"Clocks a vector on {units} compute units, loading weights aside"
    table(title, ["layer", "tiles", *columns.values()], rows)


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


def _print_clips(layers: list[LayerMapping], reports: list[ClipReport | None], origin: str) -> None:
    """Print conversions and clips, plane by plane."""
    parameters = layers[0].parameters
    released = parameters.mapping.squeeze // parameters.hardware.cell_bits
    planes = [
        f"plane {released + i}: {bits} bits"
        for i, bits in enumerate(parameters.hardware.plane_adc_bits, start=1)
    ]
    rows = [
        [
            layer.name,
            report.vectors,
            report.conversions,
            *(
                f"{clipped} ({100 * share:.3g} %)"
                for clipped, share in zip(report.clipped, report.shares, strict=True)
            ),
        ]
        for layer, report in zip(layers, reports, strict=True)
        if report is not None
    ]
    title = f"Clipped conversions, measured on {origin}"
    table(title, ["layer", "vectors", "conversions a plane", *planes], rows)


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
@parameter_options()
@json_option
def map_command(
    file: str,
    directory: str | None,
    groups: tuple[str, ...],
    units: int | None,
    inputs: str | None,
    vectors: int | None,
    seed: int | None,
    json_file: str | None,
    **options: Any,
) -> None:
    """Map the weights in FILE onto crossbars and count these.

    FILE is a .npy matrix (rows = inputs), or .npz or .safetensors with layers in arrays whose
    name ends in 'weight': (out, in) or (out, in / groups, kh, kw).

    Example: sme map model.npz --squeeze 2 -o build/mapping
    """
    parameters = take_parameters(options)
    for target in (directory, json_file):
        check_writable(target)
    if inputs is not None and vectors is not None:
        raise InputError("--inputs and --random-inputs exclude each other")
    if seed is not None and vectors is None:
        raise InputError(f"--seed {seed} needs --random-inputs")
    seed = SEED if seed is None else seed
    sources, ignored = read_layers(file, _parse_groups(groups))
    given = {} if inputs is None else read_inputs(inputs, sources, parameters.hardware)
    layers = []
    with bar(sum(source.weights.size for source in sources)) as (progress, task):
        for source in sources:
            progress.update(task, description=source.name)
            layers.append(
                map_layer(
                    source.name,
                    source.weights,
                    parameters,
                    groups=source.groups,
                    progress=lambda count: progress.advance(task, count),
                )
            )
        progress.update(task, description="row order", completed=0, total=len(layers))
        schedules = []
        for layer in layers:
            schedules.append(schedule(layer))
            progress.advance(task)
    report = describe(layers) | {"ignored": ignored}
    for entry, plan in zip(report["layers"], schedules, strict=True):
        entry["schedule"] = plan.as_dict(units)
    clips: list[ClipReport | None] = []
    if given or vectors is not None:
        clips = _measure_all(layers, given, vectors, seed)
        random = {"random_vectors": vectors, "seed": seed}
        report["clips_measured_on"] = random if inputs is None else {"file": inputs}
        for entry, measured in zip(report["layers"], clips, strict=True):
            entry["clips"] = None if measured is None else measured.as_dict()
    if directory is not None:
        save_mapping(layers, directory)
    write_report(json_file, report)

    total = report["crossbars"]
    columns = [
        *("layer", "rows x columns", "tiles", *total, "RCMR bits", "SQNR dB", "squeeze dB"),
        *("bit-cycles", "lossless ADC bits"),
    ]
    bit_cycles = sum(plan.bit_cycles for plan in schedules)
    counts = [report["tiles"], *total.values(), report["rcmr_bits"]]
    rows = [
        *(_layer_row(entry) for entry in report["layers"]),
        ["total", "", *counts, "", "", bit_cycles, ""],
    ]
    table("Crossbars", columns, rows)
    if total["squeezed"]:
        ratio = total["conventional"] / total["squeezed"]
        output.print(f"{ratio:.2f} times fewer crossbars than conventional bit-slicing")
    if clips:
        origin = f"{vectors} uniformly random vectors, seed {seed}" if inputs is None else inputs
        _print_clips(layers, clips, origin)
    if units is not None:
        tiles = [layer.counts.tiles for layer in layers]
        spreads = [plan.spread(units) for plan in schedules]
        _print_spreads([layer.name for layer in layers], tiles, spreads)
    unused = parameters.mapping.weight_bits - _integer_bits(layers)
    if unused > 0:
        output.print(
            f"integer codes leave {unused} of weight_bits unused: empty planes count as saved; "
            f"--weight-bits {parameters.mapping.weight_bits - unused} would not"
        )
    if ignored:
        output.print(f"ignored (no layer weights): {', '.join(ignored)}")
    if directory is not None:
        output.print(f"saved in {directory}: mapping.npz, mapping.json")
