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
from sme_hw.errors import InputError

from .console import bar, output, table, write_report
from .options import json_option, parameter_options, take_parameters

__all__ = ["map_command"]


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
    keys = ["makespan_clocks", "mean_clocks", "makespan_over_mean"]
    keys += ["bound_clocks", "makespan_over_bound"]
    units = spreads[0].units
    total = Spread(
        units,
        sum(s.makespan for s in spreads),
        sum(s.total for s in spreads),
        sum(s.bound for s in spreads),
    )
    rows = [
        [name, count, *(part.as_dict()[key] for key in keys)]
        for name, count, part in zip(
            [*names, "total"], [*tiles, sum(tiles)], [*spreads, total], strict=True
        )
    ]
    columns = ["layer", "tiles", "makespan", "mean", "makespan / mean", "bound", "makespan / bound"]
    table(f"Clocks a vector on {units} compute units, loading weights aside", columns, rows)


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
@parameter_options()
@json_option
def map_command(
    file: str,
    directory: str | None,
    groups: tuple[str, ...],
    units: int | None,
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
    sources, ignored = read_layers(file, _parse_groups(groups))
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
    if directory is not None:
        save_mapping(layers, directory)
    write_report(json_file, report)

    total = report["crossbars"]
    columns = ["layer", "rows x columns", "tiles", *total, "RCMR bits", "SQNR dB", "squeeze dB"]
    columns += ["bit-cycles", "lossless ADC bits"]
    rows = [_layer_row(entry) for entry in report["layers"]]
    rows.append(["total", "", report["tiles"], *total.values(), report["rcmr_bits"], "", ""])
    rows[-1] += [sum(plan.bit_cycles for plan in schedules), ""]
    table("Crossbars", columns, rows)
    if total["squeezed"]:
        ratio = total["conventional"] / total["squeezed"]
        output.print(f"{ratio:.2f} times fewer crossbars than conventional bit-slicing")
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
