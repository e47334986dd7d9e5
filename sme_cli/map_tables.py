"""The tables that `sme map` prints, mostly from its report for machines."""

from typing import Any

import numpy as np

from sim.mapping import LayerMapping, Spread
from sim.report.clips import ClipReport
from sme_hw.errors import some_of

from .console import output, table

__all__ = [
    "print_clips",
    "print_counts",
    "print_differences",
    "print_spreads",
    "print_unused_bits",
]


def _shape(entry: dict[str, Any]) -> str:
    groups = f" x {entry['groups']} groups" if entry["groups"] > 1 else ""
    return f"{entry['rows']} x {entry['columns']}{groups}"


def print_counts(report: dict[str, Any]) -> None:
    """Print what every layer takes, what it loses, and totals of what can be added."""
    layers, total = report["layers"], report["crossbars"]
    columns = ["layer", "rows x columns", "tiles", *total, "planes", "with ones", "RCMR bits"]
    rows = [
        [
            *(entry["name"], _shape(entry), entry["tiles"], *entry["crossbars"].values()),
            *(*entry["planes"].values(), entry["rcmr_bits"]),
        ]
        for entry in layers
    ]
    totals = ["total", "", report["tiles"], *total.values(), "", "", report["rcmr_bits"]]
    table("Crossbars", columns, [*rows, totals])

    columns = ["layer", "SQNR dB", "squeeze dB", "rows in MSB plane", "pieces of rows", "shifted"]
    rows = [
        [
            *(entry["name"], entry["sqnr_db"]["quantisation"], entry["sqnr_db"]["squeeze"]),
            *(_msb_share(entry["nonzero_rows"]), entry["pieces"], entry["shifted_rows"]),
            entry["schedule"]["bit_cycles"],
            " ".join(map(str, entry["schedule"]["lossless_adc_bits"])),
        ]
        for entry in layers
    ]
    share = "" if report["nonzero_rows"] is None else _msb_share(report["nonzero_rows"])
    numbers = (report[key] for key in ("pieces", "shifted_rows", "bit_cycles"))
    totals = ["total", "", "", share, *numbers, ""]
    table("Errors and time", [*columns, "bit-cycles", "lossless ADC bits"], [*rows, totals])
    if total["squeezed"]:
        ratio = total["conventional"] / total["squeezed"]
        output.print(f"{ratio:.2f} times fewer crossbars than conventional bit-slicing")


def _msb_share(nonzero_rows: dict[str, Any]) -> str:
    return f"{100 * nonzero_rows['share_before'][0]:.1f} %"


def print_differences(report: dict[str, Any]) -> None:
    """Print the options that differ between layers, and for which; nothing if none do."""
    keys = list(report["layers"][0]["parameters"])
    if not keys:
        return
    names: dict[tuple[str, ...], list[str]] = {}
    for entry in report["layers"]:
        values = tuple(str(entry["parameters"][key]) for key in keys)
        names.setdefault(values, []).append(entry["name"])
    rows = [[some_of(found), len(found), *values] for values, found in names.items()]
    table("Parameters that differ", ["layers", "number", *keys], rows)


def print_spreads(names: list[str], tiles: list[int], spreads: list[Spread]) -> None:
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


def print_clips(layers: list[LayerMapping], reports: list[ClipReport | None], origin: str) -> None:
    """Print conversions and clips, plane by plane: a table for all layers with like planes."""
    tables: dict[tuple[str, ...], list[list[Any]]] = {}
    for layer, report in zip(layers, reports, strict=True):
        if report is None:
            continue
        parameters = layer.parameters
        released = parameters.mapping.squeeze // parameters.hardware.cell_bits
        planes = tuple(
            f"plane {released + i}: {bits} bits"
            for i, bits in enumerate(parameters.hardware.plane_adc_bits, start=1)
        )
        cells = [
            f"{clipped} ({100 * share:.3g} %)"
            for clipped, share in zip(report.clipped, report.shares, strict=True)
        ]
        row = [layer.name, report.vectors, report.conversions, *cells]
        tables.setdefault(planes, []).append(row)
    title = f"Clipped conversions, measured on {origin}"
    for planes, rows in tables.items():
        table(title, ["layer", "vectors", "conversions a plane", *planes], rows)


def print_unused_bits(layers: list[LayerMapping]) -> None:
    """Tell if all layers are integer codes that leave leading bits unused."""
    if any(layer.codec != "codes" for layer in layers):
        return
    widths = {layer.parameters.mapping.weight_bits for layer in layers}
    unused = min(map(_unused_bits, layers))
    if unused > 0:
        better = f"--weight-bits {min(widths) - unused}" if len(widths) == 1 else "smaller ones"
        output.print(
            f"integer codes leave {unused} of weight_bits unused: empty planes count as saved; "
            f"{better} would not"
        )


def _unused_bits(layer: LayerMapping) -> int:
    """Return the leading bits of weight_bits that no code of an integer layer needs.

    A lower bound where rows were shifted, which is enough for a hint.
    """
    hardware = layer.parameters.hardware
    largest = max(int(np.abs(part.weights(hardware)).max()) for part in layer.matrices)
    return layer.parameters.mapping.weight_bits - max(2, largest.bit_length())
