"""`sme presets`: what the presets set."""

import click

from sim.mapping import OPTIONS, load_parameters, presets

from .console import table, write_report
from .options import json_option

__all__ = ["presets_command"]


@click.command("presets")
@json_option
def presets_command(json_file: str | None) -> None:
    """Show the presets and their values.

    Example: sme presets --json presets.json
    """
    values = {name: load_parameters(name).as_dict() for name in presets()}
    write_report(json_file, values)
    table(
        "Presets", ["parameter", *values], [[k, *(v[k] for v in values.values())] for k in OPTIONS]
    )
