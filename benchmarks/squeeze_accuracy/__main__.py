"""Measure what squeeze-out costs: ``python -m benchmarks.squeeze_accuracy --data FOLDER``.

Networks are mapped in all ways from the paper's to the best without training, beside an honest
control without squeeze-out, and run on crossbars exactly. What is measured is kept in the output
folder and not measured again. The folder with weights and images may also be given by the variable
SME_DATA; nothing of it is in this project.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.command import run_command
from benchmarks.networks.data import data_folder
from rtl_gen.files import check_writable, staged_file
from sim.report.figure import check_matplotlib
from sme_cli.console import bar, table
from sme_hw.errors import InputError

from .conditions import CONDITION_COLUMNS, condition_rows
from .ladder import METHODS, Rung, chosen
from .layers import LayerGain, draw_gains, layer_gains
from .measure import measure, result_key
from .picture import draw_pareto
from .results import Measured, Results
from .subjects import QUICK, SUBJECTS, Subject, open_subject
from .tables import COLUMNS, as_markdown, columns_as_markdown, markdown_table, rows


def measure_all(subject: Subject, rungs: list[Rung], results: Results) -> list[Measured]:
    """Return the results of rungs; what is not known is measured, and shown."""
    measured: list[Measured] = []
    with bar(len(rungs)) as (progress, task):
        for number, rung in enumerate(rungs, 1):

            def show(what: str, name: str = rung.name) -> None:
                progress.update(task, description=f"{subject.name} {name}: {what}")

            key = result_key(subject, rung)
            result = results.get(key)
            if result is None:
                result = measure(subject, rung, show)
                results.add(key, result)
                text = (
                    f"{subject.name} {number}/{len(rungs)} {rung.name}: {result['ratio']:.2f} "
                    f"times fewer crossbars, KL {result['kl']:.3g}, drop {result['drop']}, "
                    f"{result['seconds']:.0f} s"
                )
                progress.console.print(text, markup=False, soft_wrap=True)
            progress.advance(task)
            measured.append((rung, result))
    return measured


def title(subject: Subject) -> str:
    """Return what stands above a network's table."""
    spared, evaluated = len(subject.spared), len(subject.evaluated)
    return f"{subject.name}: {evaluated} images, calibrated on {spared} others"


def run(arguments: argparse.Namespace) -> None:
    """Measure the networks and rungs that were asked for, and write tables and picture."""
    folder = data_folder(arguments.data)
    output = Path(arguments.output)
    check_writable(output / "results.md")
    check_matplotlib()
    names = arguments.networks or (QUICK if arguments.quick else tuple(SUBJECTS))
    for name in names:
        if name not in SUBJECTS:
            raise InputError(f"--networks {name}: one of {', '.join(SUBJECTS)} is needed")
    subjects = [open_subject(name, folder, quick=arguments.quick) for name in names]
    for pattern in arguments.rungs or ():
        if not any(chosen(subject.rungs, [pattern]) for subject in subjects):
            methods = ", ".join(method.replace(" ", "-") for method in METHODS)
            raise InputError(f"--rungs {pattern} matches none; there are {methods} with a degree")
    found: dict[str, list[Measured]] = {}
    gains: dict[str, list[LayerGain]] = {}
    pictures = "![Accuracy over crossbars](pareto.png)\n\n![Gain of every layer](layers.png)\n"
    sections = [pictures, columns_as_markdown()]
    for subject in subjects:
        rungs = chosen(subject.rungs, arguments.rungs)
        if not rungs:
            continue
        measured = measure_all(subject, rungs, Results(output / f"{subject.name}.json"))
        climbed = [entry for entry in measured if entry[0].method in METHODS]
        if climbed:
            found[subject.name] = climbed
            table(title(subject), list(COLUMNS), rows(climbed))
            sections.append(as_markdown(title(subject), climbed))
        pairs = condition_rows(measured)
        if pairs:
            about = f"{subject.name}: where squeeze-out wins, and where it does not"
            table(about, list(CONDITION_COLUMNS), pairs)
            sections.append(markdown_table(about, CONDITION_COLUMNS, pairs))
        with staged_file(output / "results.md") as temporary:
            temporary.write_text("\n".join(sections), encoding="utf-8")
        gains[subject.name] = layer_gains(subject)
        with staged_file(output / "layers.png") as temporary:
            draw_gains(gains, temporary)
        if found:
            with staged_file(output / "pareto.png") as temporary:
                draw_pareto(found, temporary)


def main() -> int:
    """Return 0, or 2 if something is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", help="folder with weights and images")
    parser.add_argument(
        "--networks", nargs="+", metavar="NAME", help=f"of {', '.join(SUBJECTS)}; all by default"
    )
    parser.add_argument(
        "--rungs", nargs="+", metavar="PATTERN", help="shell patterns of names, such as 'split-*'"
    )
    parser.add_argument(
        "-o", "--output", default="build/squeeze_accuracy", help="folder for results"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"few images, by default only {' and '.join(QUICK)}"
    )
    return run_command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
