"""What `sme eval` prints."""

from itertools import pairwise
from typing import Any

from sim.mapping import Quantisation
from sim.network.evaluation import Evaluation
from sim.network.sensitivity import STEPS, Sensitivity

from .console import output, table

_SHOWN = 12
"""Layers in the table of the worst; the report for machines has all."""

__all__ = ["print_accuracy", "print_layers", "print_sensitivity"]


def print_accuracy(report: dict[str, Any]) -> None:
    """Print what the network is worth on crossbars."""
    rows = [
        ["float", report["top1_float"], None, None],
        ["on crossbars", report["top1"], report["agreement"], report["kl"]],
    ]
    table(f"{report['images']} images", ["", "top-1 %", "agreement %", "KL divergence"], rows)
    if report["drop"] is not None:
        error = report["drop_standard_error"]
        output.print(f"top-1 lost: {report['drop']} points, standard error {error}")


def print_layers(result: Evaluation) -> None:
    """Print how inputs were quantised, and how many conversions clipped in every plane."""
    rows = []
    for layer, work in zip(result.mapped.layers, result.works, strict=True):
        shares = [100 * int(clips) / max(work.conversions, 1) for clips in work.clips]
        quantisation = layer.quantisation
        rows.append(
            [
                layer.layer.name,
                work.vectors,
                _scales(quantisation),
                quantisation.zero_point,
                work.conversions,
                " ".join(f"{share:.3g}" for share in shares),
            ]
        )
    columns = ["layer", "vectors", "input scale", "zero point", "conversions a plane"]
    table("Layers", [*columns, "clipped, % of each plane"], rows)


def _scales(quantisation: Quantisation) -> str:
    """Return a layer's input scale, or the least and the largest of its channels'."""
    least, largest = (
        f"{quantisation.scale * float(factor):.4g}"
        for factor in (quantisation.factors.min(), quantisation.factors.max())
    )
    return largest if least == largest else f"{least} .. {largest}"


def print_sensitivity(result: Sensitivity) -> None:
    """Print what each step and each layer loses."""
    steps = [
        [name, step["top1"], step["agreement"], step["kl"]] for name, step in result.steps.items()
    ]
    columns = ["the network with", "top-1 %", "agreement %", "KL divergence"]
    table(f"Where accuracy is lost, step by step ({result.images} images)", columns, steps)
    ranked = sorted(result.layers, key=lambda layer: -layer.kl)
    rows = [
        [
            layer.name,
            layer.kl,
            layer.agreement,
            layer.sqnr_db,
            *(f"{100 * layer.shares[name]:.0f}" for name in STEPS),
        ]
        for layer in ranked[:_SHOWN]
    ]
    columns = ["only this layer on crossbars", "KL divergence", "agreement %", "SQNR dB"]
    shares = [f"{name} %" for name in STEPS]
    title = "Where accuracy is lost, the worst layers"
    table(title, [*columns, *shares], rows)
    kl = [0.0, *(step["kl"] for step in result.steps.values())]
    grown = [after - before for before, after in pairwise(kl)]
    worst = STEPS[grown.index(max(grown))]
    output.print(
        f"the largest step is: {worst} (KL {kl[grown.index(max(grown))]:.4g} to "
        f"{kl[grown.index(max(grown)) + 1]:.4g}); the worst layer is {ranked[0].name}"
    )
