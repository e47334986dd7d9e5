"""Measure what squeeze-out costs: ``python -m benchmarks.squeeze_accuracy --data FOLDER``.

Networks are mapped in all ways from the paper's to the best without training, beside an honest
control without squeeze-out, and run on crossbars exactly. What is measured is kept in the output
folder and not measured again. The folder with weights and images may also be given by the variable
SME_DATA; nothing of it is in this project.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.networks.data import data_folder
from rtl_gen.files import check_writable, staged_file
from sim.report.figure import check_matplotlib
from sme_cli.console import table
from sme_hw.errors import InputError

from .ladder import Rung, chosen
from .measure import measure, result_key
from .picture import draw_pareto
from .results import Results
from .subjects import QUICK, SUBJECTS, Subject, open_subject
from .tables import COLUMNS, as_markdown, columns_as_markdown, rows

Measured = list[tuple[Rung, dict[str, Any]]]


def measure_all(subject: Subject, patterns: list[str] | None, results: Results) -> Measured:
    """Return the results of all chosen rungs; what is not known is measured, and shown."""
    rungs = chosen(subject.rungs, patterns)
    measured: Measured = []
    for number, rung in enumerate(rungs, 1):
        key = result_key(subject, rung)
        result = results.get(key)
        if result is None:
            result = measure(subject, rung)
            results.add(key, result)
            print(
                f"{subject.name} {number}/{len(rungs)} {rung.name}: {result['ratio']:.2f} times "
                f"fewer crossbars, KL {result['kl']:.3g}, drop {result['drop']}, "
                f"{result['seconds']:.0f} s",
                file=sys.stderr,
                flush=True,
            )
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
    found: dict[str, Measured] = {}
    sections = [columns_as_markdown()]
    for name in names:
        subject = open_subject(name, folder, quick=arguments.quick)
        found[name] = measure_all(subject, arguments.rungs, Results(output / f"{name}.json"))
        table(title(subject), list(COLUMNS), list(rows(found[name])))
        sections.append(as_markdown(title(subject), found[name]))
        with staged_file(output / "results.md") as temporary:
            temporary.write_text("\n".join(sections), encoding="utf-8")
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
    try:
        run(parser.parse_args())
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
