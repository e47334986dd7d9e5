"""Options of the subcommands that run a network on images."""

from collections.abc import Callable
from typing import Any

import click

from sim.network.batches import Batches, images_at_once, split
from sim.network.calibration import RANGES
from sim.network.images import LAYOUTS, NORMALISATIONS, Images, parse_normalise, read_images
from sim.network.network import Network
from sim.network.rehearsal import check_runnable, rehearse
from sme_hw.errors import InputError

__all__ = ["SEED", "network_options", "open_images"]

SEED = 2026
"""For the choice of images."""

_OPTIONS = (
    click.option(
        "--data",
        type=click.Path(exists=True),
        help="Images and labels: an .npz (jpeg and offset, images or x; labels or y), a folder "
        "with a .csv of file,label, or that .csv.",
    ),
    click.option(
        "--normalise",
        metavar="NAME|MEAN/STD",
        help="How pixels of 0..255 become the network's input: "
        f"{', '.join(NORMALISATIONS)}, or mean/std of pixels of 0..1, as .5,.5,.4/.2,.2,.3.",
    ),
    click.option("--label-offset", type=int, default=0, help="Added to every label."),
    click.option(
        "--input-shape",
        metavar="C,H,W",
        help="Shape of the network's input where the model leaves it open.",
    ),
    click.option(
        "--layout",
        type=click.Choice(LAYOUTS),
        help="Order of its axes; by default, channels are the axis that is 1 or 3 long.",
    ),
    click.option(
        "--calibration",
        type=click.Path(exists=True),
        help="Other images, as --data, to choose input scales on.",
    ),
    click.option(
        "--calibration-images",
        type=click.IntRange(min=1),
        default=32,
        show_default=True,
        help="How many of them; without --calibration they are taken from --data, and left out of "
        "the evaluation.",
    ),
    click.option(
        "--range",
        "method",
        type=click.Choice(list(RANGES)),
        default="mse",
        show_default=True,
        help="Which range of a layer's inputs the integers cover: that of least squared error, or "
        "all that was seen.",
    ),
    click.option(
        "--zero-point/--no-zero-point",
        default=True,
        show_default=True,
        help="Inputs may have another integer than 0 for 0, so that unsigned ones hold negative "
        "values; what that adds to the results is subtracted digitally.",
    ),
)


def network_options(function: Any) -> Any:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _input_shape(network: Network, given: str | None) -> tuple[int, ...]:
    """Return the shape of a network's input without the batch axis."""
    if not network.input_shape:
        raise InputError(f"{network.name}: its input {network.input_name} has no axis of images")
    shape = network.input_shape[1:]
    if given is not None:
        try:
            sizes = tuple(int(part) for part in given.split(","))
        except ValueError:
            sizes = ()
        fits = len(sizes) == len(shape) and min(sizes) > 0
        if not fits or any(b not in (None, a) for a, b in zip(sizes, shape, strict=True)):
            open_shape = ",".join("?" if size is None else str(size) for size in shape)
            raise InputError(f"--input-shape {given}: the model's input is {open_shape}")
        return sizes
    if None in shape:
        raise InputError(f"{network.name} leaves the shape of its input open: give --input-shape")
    return tuple(size for size in shape if size is not None)


def open_images(
    network: Network,
    *,
    data: str | None,
    normalise: str | None,
    label_offset: int,
    input_shape: str | None,
    layout: str | None,
    calibration: str | None,
    calibration_images: int,
    images: int | None,
) -> tuple[Batches, Batches]:
    """Open the images of a command and check them; returns those to calibrate and to evaluate."""
    if data is None:
        raise InputError("--data is needed: images for the network")
    check_runnable(network)
    shape = _input_shape(network, input_shape)
    size = images_at_once(network, shape)
    if layout is None:
        last = len(shape) == 3 and shape[0] not in (1, 3) and shape[2] in (1, 3)
        layout = "NHWC" if last else "NCHW"
    parsed = None if normalise is None else parse_normalise(normalise)
    read: Callable[..., Images] = read_images
    opened = read(
        data,
        shape=shape,
        normalise=parsed,
        layout=layout,
        classes=network.classes,
        label_offset=label_offset,
    )
    other = None
    if calibration is not None:
        other = read(calibration, shape=shape, normalise=parsed, layout=layout)
    chosen = split(
        opened, other, calibrate=calibration_images, evaluate=images, size=size, seed=SEED
    )
    for batches in chosen:
        batches.images.check(batches.indices)
    rehearse(network, chosen[0].first(2 if size > 1 else 1))
    return chosen
