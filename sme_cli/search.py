"""`sme search`: the cheapest mapping that keeps enough of a network's accuracy."""

from dataclasses import asdict
from typing import Any

import click

from rtl_gen.files import check_writable
from sim.compensation.network_search import check_search, measure_accuracy, search_network
from sim.compensation.search import Target, Trial, best_trial
from sim.mapping import OPTIONS, Parameters, describe, load_parameters, save_mapping
from sim.network.network import read_network
from sme_hw.errors import InputError, ParameterError

from .console import bar, output, write_report
from .fit_options import take_fit_params
from .network_options import open_images, search_options, take_calibration_params
from .network_run import calibrate_layers
from .options import json_option, parameter_options, refuse, take_parameters
from .search_tables import one_line, print_search

__all__ = ["search_command"]

NOT_MET = 1
"""What the command returns if no trial meets the target."""

_SEARCHED = ("policy", "squeeze", "window")

_CANDIDATES = (
    "policy=rounded,squeeze=0",
    "policy=rounded,squeeze=2",
    "policy=rounded,squeeze=4",
    "policy=rounded-window,squeeze=2,window=3",
    "policy=split,squeeze=4",
    "policy=split,squeeze=6",
    "policy=split,squeeze=7",
)


def _read_candidate(candidate: str) -> dict[str, Any]:
    """Return the options of a candidate, KEY=VALUE,KEY=VALUE."""
    found: dict[str, Any] = {}
    for entry in candidate.split(","):
        key, _, value = entry.partition("=")
        if key not in _SEARCHED or key in found or not value:
            allowed = ", ".join(f"{name}=..." for name in _SEARCHED)
            raise InputError(f"--candidate {candidate}: {allowed} are possible, each once")
        if key != "policy" and not value.isdecimal():
            raise InputError(f"--candidate {candidate}: {key} is a number, not {value!r}")
        found[key] = value if key == "policy" else int(value)
    return found


def _candidates(entries: tuple[str, ...], base: dict[str, Any]) -> list[Parameters]:
    """Return what layers may be, given the command's other options.

    Raises
    ------
    InputError
        One that was given is not possible, or none of the usual ones.
    """
    if base["weight_bits"] is None:
        base = base | {"weight_bits": load_parameters(base["preset"]).mapping.weight_bits}
    base = base | {"window": base["weight_bits"]}
    found = []
    for entry in entries or _CANDIDATES:
        try:
            found.append(take_parameters(base | _read_candidate(entry)))
        except ParameterError as error:
            if entries:
                raise InputError(f"--candidate {entry}: {error}") from None
            refused = error  # more bits than weights have, or not whole cells
    if not found:
        raise InputError(f"none of the usual candidates is possible: {refused}")
    return found


@click.command("search")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--max-drop", type=float, help="Target: points of top-1 that may be lost to the float network."
)
@click.option(
    "--min-agreement", type=float, help="Target: per cent of images with the float network's class."
)
@click.option(
    "--max-divergence",
    type=float,
    help="Target: mean KL divergence of the classes' probabilities from the float network's, in "
    "nats; of the three, the one with the least noise.",
)
@click.option(
    "--candidate",
    "candidates",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="What each layer may have, of policy, squeeze, and window (all bits without it); may be "
    f"given several times. By default: {'; '.join(_CANDIDATES)}, as far as cells have room.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Mappings to try, at most.",
)
@click.option(
    "--validation-images",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="How many images, other than those of calibration, the target is measured on.",
)
@click.option(
    "--images",
    type=click.IntRange(min=1),
    help="Evaluate the result on that many of the images that are left; else on all of them.",
)
@search_options
@click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(file_okay=False),
    help="Save the mapping here, for sme eval and sme cosim --mapping.",
)
@parameter_options("lossless", scale="column")
@json_option
@click.pass_context
def search_command(
    context: click.Context,
    /,
    file: str,
    candidates: tuple[str, ...],
    trials: int,
    validation_images: int,
    images: int | None,
    directory: str | None,
    json_file: str | None,
    **options: Any,
) -> int:
    """Search the cheapest mapping of the network in FILE (.onnx) that meets a target.

    Policy, squeeze degree and window of each layer, and the planes of each tile or the pieces of
    each row, are chosen so that crossbars times bit-cycles are fewest. Weights are fitted to
    calibration images with all that helps; targets are measured on crossbars, with other images.
    Returns 1 if no trial meets the target; the most accurate one is saved then.

    Example: sme search model.onnx --data images.npz --normalise imagenet --max-divergence 0.02 -o
    mapping
    """
    refuse(context, _SEARCHED, "is searched: see --candidate")
    limits = ("max_drop", "min_agreement", "max_divergence")
    target = Target(**{key: options.pop(key) for key in limits})
    base = {key: options.pop(key) for key in ("preset", *OPTIONS)}
    possible = _candidates(candidates, base)
    for place in (directory, json_file):
        check_writable(place)
    network = read_network(file)
    params = take_calibration_params(options)
    fit = take_fit_params(
        options, rounding="compensated", bias_correction=True, additions=True, ratio=None
    )
    spared, others = open_images(network, images=None, **options)
    validation, rest = others.first(validation_images), others.after(validation_images)
    if images is not None:
        if not len(rest):
            beside = f"beside those for calibration and {len(validation)} for validation"
            raise InputError(f"--images {images}: none is left {beside}")
        rest = rest.first(images)
    batches = [values for values, _ in spared]
    check_search(network, batches, validation, target)
    hardware = [possible[0]] * len(network.layers)
    quantisations = calibrate_layers(network, spared, hardware, params)
    reports: list[dict[str, Any]] = []
    best: Trial | None = None
    with bar() as (progress, task):

        def show(what: str, done: int, total: int) -> None:
            text = f"after {len(reports)} trials: {what}"
            progress.update(task, description=text, completed=done, total=total)

        for trial in search_network(
            network, possible, quantisations, batches, validation, fit, target, trials, show
        ):
            # The others' mappings, which are large, are not kept.
            best = trial if best is None else best_trial([best, trial])
            if best is trial:
                chosen = len(reports)
            reports.append(trial.as_dict())
            line = one_line(reports[-1], len(reports))
            progress.console.print(line, markup=False, soft_wrap=True)
        assert best is not None
        accuracy = measure_accuracy(network, best.mappings, rest, show) if len(rest) else None
    report = {
        "model": file,
        "data": options["data"],
        "target": asdict(target),
        "met": best.met,
        "calibration_images": len(spared),
        "validation_images": len(validation),
        "trials": reports,
        "best": chosen,
        "accuracy": accuracy,
        "mapping": describe(best.mappings),
    }
    if directory is not None:
        save_mapping(best.mappings, directory, [spared.seen, validation.seen])
    write_report(json_file, report)
    print_search(report)
    if directory is not None:
        output.print(f"saved in {directory}: mapping.npz, mapping.json")
    if not best.met:
        output.print("the target was not met; this is the most accurate of all trials")
    return 0 if best.met else NOT_MET
