"""`sme demo`: handwritten digits from training to RTL."""

from pathlib import Path
from typing import Any

import click

from rtl_gen.files import check_writable, staged_file, write_json
from rtl_gen.tb.run import SIMULATORS
from sim.demo.digits import DemoResult, run_demo
from sim.report.bit_planes import draw_bit_planes, tile_planes
from sim.report.tile_choice import choose_tile

from .console import bar, output, table, write_report
from .options import json_option, parameter_options, take_parameters

__all__ = ["demo_command"]

MISMATCH = 1


def _print_result(result: DemoResult, report: dict[str, Any]) -> None:
    accuracy, crossbars = report["accuracy_percent"], report["crossbars"]
    rows = [
        ["float", None, accuracy["float"]],
        ["conventional bit-slicing", crossbars["conventional"], accuracy["quantised"]],
        ["empty crossbars released", crossbars["sliced"], accuracy["quantised"]],
        ["squeezed out", crossbars["squeezed"], accuracy["squeezed"]],
        ["squeezed out, RTL's own outputs", crossbars["squeezed"], accuracy["rtl"]],
        ["control: plain codes, as many planes", crossbars["plain"], accuracy["plain"]],
    ]
    table(f"Digits, {report['images']} test images", ["", "crossbars", "top-1 %"], rows)
    clocks = [entry["clocks"] for entry in report["clocks_per_vector"]]
    output.print(
        f"RTL against golden model: {report['vectors_compared']} vectors on {report['tiles']} "
        f"tiles, {report['mismatches']} mismatches, {report['clips']} clipped conversions, "
        f"{min(clocks)}..{max(clocks)} clocks a vector (as predicted)"
        if result.equal
        else f"RTL and golden model DIFFER: {report['mismatches']} mismatches"
    )


@click.command("demo")
@click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(file_okay=False),
    default="build/demo",
    show_default=True,
    help="Folder for summary.json, bit_planes.png and the design.",
)
@click.option("--simulator", type=click.Choice(SIMULATORS), default="verilator", show_default=True)
@parameter_options("small", squeeze=2)
@json_option
def demo_command(directory: str, simulator: str, json_file: str | None, **options: Any) -> int:
    """Train a classifier of handwritten digits, squeeze it, and run it in the generated RTL.

    Example: sme demo --squeeze 3 --policy rounded --adc-bits 4
    """
    parameters = take_parameters(options)
    for target in (directory, json_file):
        check_writable(target)
    folder = Path(directory)
    with bar(1.0) as (progress, task):

        def status(text: str, done: float) -> None:
            progress.update(task, description=text, completed=done)

        result = run_demo(parameters, folder, simulator=simulator, status=status)
        with staged_file(folder / "bit_planes.png") as temporary:
            planes = tile_planes(result.before[0], choose_tile(result.layers[:1]))
            draw_bit_planes(planes, temporary)
    report = result.as_dict()
    with staged_file(folder / "summary.json") as temporary:
        write_json(temporary, report)
    write_report(json_file, report)
    _print_result(result, report)
    output.print(f"written to {folder}: summary.json, bit_planes.png, design.v, design.json, tb/")
    return 0 if result.equal else MISMATCH
