"""Options about what calibration images are used for, beside the ranges of inputs."""

from dataclasses import fields
from typing import Any

import click

from sim.compensation.params import ROUNDINGS, FitParams

__all__ = ["FIT_OPTIONS", "FIT_PARAMS", "REGULARISER_OPTIONS", "take_fit_params"]

_DEFAULTS = FitParams()

_KIND_OPTIONS = (
    click.option(
        "--rounding",
        type=click.Choice(ROUNDINGS),
        default=_DEFAULTS.rounding,
        show_default=True,
        help="Weights become their nearest codes; or the errors of rows are made up for by other "
        "rows, layer after layer, as calibration images show what matters.",
    ),
    click.option(
        "--bias-correction/--no-bias-correction",
        default=_DEFAULTS.bias_correction,
        show_default=True,
        help="Biases make up for the mean errors of outputs.",
    ),
    click.option(
        "--additions/--no-additions",
        default=_DEFAULTS.additions,
        show_default=True,
        help="Layers at the end of residual blocks make up for the errors of the whole sum; with "
        "--rounding compensated.",
    ),
    click.option(
        "--ratio",
        type=float,
        help="Share crossbars out so that all layers together take so many times fewer than a "
        "conventional mapping: planes of tiles, or pieces of rows with --policy split; with "
        "--rounding compensated.",
    ),
)

REGULARISER_OPTIONS = (
    click.option(
        "--damping",
        type=float,
        default=_DEFAULTS.damping,
        show_default=True,
        help="Added to the diagonal of the inputs' second moments, as a share of its mean: more "
        "for few calibration images.",
    ),
    click.option(
        "--passes",
        type=int,
        default=_DEFAULTS.passes,
        show_default=True,
        help="Times that all rows are rounded again, given all others.",
    ),
)

FIT_OPTIONS = (*_KIND_OPTIONS, *REGULARISER_OPTIONS)

FIT_PARAMS = tuple(field.name for field in fields(FitParams))


def take_fit_params(options: dict[str, Any], **others: Any) -> FitParams:
    """Take the parameters of fitting out of a command's options; ``others`` it does not have."""
    keys = (key for key in FIT_PARAMS if key not in others)
    return FitParams(**{key: options.pop(key) for key in keys}, **others)
