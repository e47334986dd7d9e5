"""Options of the subcommands that run a network on images."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import click

from sim.mapping import OPTIONS, SeenImages
from sim.network.batches import Batches, choose, images_at_once, split, unseen
from sim.network.calibration import CalibrationParams
from sim.network.images import LAYOUTS, NORMALISATIONS, Images, parse_normalise, read_images
from sim.network.network import Network
from sim.network.ranges import RANGES
from sim.network.rehearsal import check_runnable, rehearse
from sme_hw.errors import InputError

from .fit_options import FIT_OPTIONS, FIT_PARAMS, REGULARISER_OPTIONS
from .options import refuse

__all__ = [
    "SEED",
    "calibration_options",
    "network_options",
    "open_calibration_images",
    "open_images",
    "open_unseen_images",
    "refuse_beside_mapping",
    "refuse_without_data",
    "search_options",
    "take_calibration_params",
]

SEED = 2026
"""For the choice of images."""

_CALIBRATION_OPTIONS = (
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
        "--calibration-images",
        type=click.IntRange(min=0),
        default=32,
        show_default=True,
        help="How many images to choose input scales on, and to fit weights to; they are left out "
        "of the evaluation.",
    ),
    click.option(
        "--range",
        "method",
        type=click.Choice(list(RANGES)),
        default="mse",
        show_default=True,
        help="Which range of a layer's inputs the integers cover: that of least squared error, all "
        "that was seen, or that with a scale for each channel, whose factor goes into the weights "
        "(then, 128 --calibration-images are better).",
    ),
    click.option(
        "--zero-point/--no-zero-point",
        default=True,
        show_default=True,
        help="Inputs may have another integer than 0 for 0, so that unsigned ones hold negative "
        "values; what that adds to the results is subtracted digitally.",
    ),
)

_RUN_OPTIONS = (
    click.option("--label-offset", type=int, default=0, help="Added to every label."),
    click.option(
        "--calibration",
        type=click.Path(exists=True),
        help="Other images, as --data, to choose input scales on; all of --data are evaluated.",
    ),
)

_MAPPING_OPTIONS = (
    click.option(
        "--mapping",
        type=click.Path(exists=True, file_okay=False),
        help="Run the network as sme map --data ... -o, or sme search -o, saved it in this folder; "
        "the images that it was calibrated on are left out.",
    ),
)


def _add(options: tuple[Callable[[Any], Any], ...], function: Any) -> Any:
    for option in reversed(options):
        function = option(function)
    return function


def calibration_options(function: Any) -> Any:
    """Add the options about calibration to a command."""
    return _add((*_CALIBRATION_OPTIONS, *FIT_OPTIONS), function)


def network_options(function: Any) -> Any:
    """Add the options about calibration and evaluation to a command."""
    return calibration_options(_add((*_RUN_OPTIONS, *_MAPPING_OPTIONS), function))


def search_options(function: Any) -> Any:
    """Add the options about calibration and evaluation to a command that chooses mappings."""
    return _add((*_CALIBRATION_OPTIONS, *REGULARISER_OPTIONS, *_RUN_OPTIONS), function)


_PARAMS = tuple(field.name for field in fields(CalibrationParams))


def take_calibration_params(options: dict[str, Any]) -> CalibrationParams:
    """Take the parameters of calibration out of a command's options."""
    return CalibrationParams(**{key: options.pop(key) for key in _PARAMS})


def refuse_beside_mapping(context: click.Context) -> None:
    """Refuse options that a saved mapping has decided, if one is given."""
    mapping = context.params["mapping"]
    if mapping is not None:
        decided = {*OPTIONS, *_PARAMS, *FIT_PARAMS, "preset", "layers_file"}
        decided |= {"calibration", "calibration_images"}
        refuse(context, decided, f"contradicts --mapping {mapping}, which has its own")


def refuse_without_data(context: click.Context) -> None:
    """Refuse options about images where there are none."""
    names = {"normalise", "input_shape", "layout", "calibration_images", *_PARAMS, *FIT_PARAMS}
    refuse(context, names, "needs --data")


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


def _reader(
    network: Network,
    *,
    data: str | None,
    normalise: str | None,
    input_shape: str | None,
    layout: str | None,
) -> tuple[str, Callable[..., Images], int]:
    """Return the data to read, what reads them as the network needs it, and how many at a time."""
    if data is None:
        raise InputError("--data is needed: images for the network")
    check_runnable(network)
    shape = _input_shape(network, input_shape)
    size = images_at_once(network, shape)
    if layout is None:
        last = len(shape) == 3 and shape[0] not in (1, 3) and shape[2] in (1, 3)
        layout = "NHWC" if last else "NCHW"
    parsed = None if normalise is None else parse_normalise(normalise)
    return data, partial(read_images, shape=shape, normalise=parsed, layout=layout), size


def _check(network: Network, *chosen: Batches) -> None:
    """Look at all chosen images, and run a few."""
    for batches in chosen:
        batches.images.check(batches.indices)
    rehearse(network, chosen[-1].first(2 if chosen[-1].size > 1 else 1))


def open_calibration_images(
    network: Network, *, calibration_images: int, **options: Any
) -> Batches:
    """Open the images of a command that calibrates alone, and check them."""
    data, read, size = _reader(network, **options)
    chosen = choose(read(data), calibration_images, size=size, seed=SEED)
    _check(network, chosen)
    return chosen


def open_images(
    network: Network,
    *,
    label_offset: int,
    calibration: str | None,
    calibration_images: int,
    images: int | None,
    **options: Any,
) -> tuple[Batches, Batches]:
    """Open the images of a command and check them; returns those to calibrate and to evaluate."""
    data, read, size = _reader(network, **options)
    opened = read(data, classes=network.classes, label_offset=label_offset)
    other = None if calibration is None else read(calibration)
    chosen = split(
        opened, other, calibrate=calibration_images, evaluate=images, size=size, seed=SEED
    )
    _check(network, *chosen)
    return chosen


def open_unseen_images(
    network: Network,
    seen: Sequence[SeenImages],
    *,
    label_offset: int,
    images: int | None,
    **options: Any,
) -> Batches:
    """Open the images to evaluate a saved mapping on, and check them."""
    data, read, size = _reader(network, **options)
    opened = read(data, classes=network.classes, label_offset=label_offset)
    chosen = unseen(opened, seen, images, size=size, seed=SEED)
    _check(network, chosen)
    return chosen
