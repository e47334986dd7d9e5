"""`sme cosim` of a network: every tile of its layers through the RTL."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import click
import numpy as np

from sim.cosim import NetworkCosim, cosim_layers
from sim.mapping import LayerMapping, Parameters
from sim.network.network import Network, read_network
from sim.network.vectors import sample_vectors
from sme_hw.errors import InputError, some_of

from .console import bar, output, table
from .network_options import SEED
from .network_run import open_network

__all__ = ["NetworkRun", "cosim_network", "network_work", "print_network", "tiles_options"]

_ALL = "all"


def tiles_options(function: Any) -> Any:
    """Add the options of a command that runs tiles of a network: ``layers`` and ``vectors``."""
    layers = click.option(
        "--layers",
        multiple=True,
        default=(_ALL,),
        show_default=True,
        metavar="PATTERN",
        help="For MODEL: layers to run, 'all' or shell patterns on names; may be given again.",
    )
    vectors = click.option(
        "--vectors",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="For MODEL: vectors for every tile, from real activations.",
    )
    return layers(vectors(function))


@dataclass(frozen=True, kw_only=True)
class NetworkRun:
    """What to run of a network.

    Parameters
    ----------
    patterns : tuple of str
        Shell patterns of layer names, or ``"all"``.
    vectors : int
        Vectors for every tile.
    processes : int or None
        Simulations at a time; one for each core by default.
    directory : str or None
        Where to keep designs and builds.
    """

    patterns: tuple[str, ...]
    vectors: int
    processes: int | None
    directory: str | None

    def chosen(self, network: Network) -> list[int]:
        """Return the numbers of the layers to run.

        Raises
        ------
        InputError
            A pattern matches no layer.
        """
        names = [layer.name for layer in network.layers]
        patterns = ["*" if pattern == _ALL else pattern for pattern in self.patterns]
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise InputError(f"--layers {pattern} matches no layer, there are {some_of(names)}")
        return [
            number
            for number, name in enumerate(names)
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        ]


def network_work(
    file: str, base: Parameters, run: NetworkRun, **options: Any
) -> list[tuple[LayerMapping, np.ndarray]]:
    """Return the chosen layers of a network with vectors that real images cause."""
    network = read_network(file)
    chosen = run.chosen(network)
    # A dense layer has a single vector an image.
    mapped, used = open_network(network, base, images=run.vectors, **options)
    with bar(len(used)) as (progress, task):
        progress.update(task, description="collecting vectors")
        batches = [inputs for inputs, _ in used]
        vectors = sample_vectors(
            mapped, batches, run.vectors, SEED, lambda count: progress.advance(task, count)
        )
    return [(mapped.layers[number].mapping, vectors[number]) for number in chosen]


def cosim_network(file: str, base: Parameters, run: NetworkRun, **options: Any) -> NetworkCosim:
    """Send real vectors of the chosen layers of a network through the RTL."""
    work = network_work(file, base, run, **options)
    with bar(1.0) as (progress, task):
        return cosim_layers(
            work,
            directory=run.directory,
            processes=run.processes,
            status=lambda text, done: progress.update(task, description=text, completed=done),
        )


def print_network(result: NetworkCosim) -> None:
    """Print what every layer's tiles showed."""
    keys = ("tiles", "vectors", "results", "mismatches")
    rows = []
    for layer in result.layers:
        report = layer.as_dict()
        clips = f"{sum(report['clips'])} / {sum(report['golden_clips'])}"
        clocks = f"{report['clocks']} / {report['predicted_clocks']}"
        rows.append([report["name"], *(report[k] for k in keys), clips, clocks])
    columns = ["layer", *keys, "clips RTL / golden", "clocks RTL / predicted"]
    table("RTL against golden model", columns, rows)
    for failure in result.failures:
        output.print(failure)
    seconds = result.seconds
    output.print(
        f"{result.designs} design(s) generated in {seconds['generate']:.1f} s, built in "
        f"{seconds['build']:.1f} s; run in {seconds['run']:.1f} s by {result.processes} processes"
    )
