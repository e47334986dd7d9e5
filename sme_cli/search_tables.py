"""What `sme search` prints, from its report for machines."""

from typing import Any

from .console import output, table
from .eval_tables import print_accuracy

__all__ = ["one_line", "print_search"]


def _shares(entry: dict[str, Any]) -> tuple[float, float]:
    """Return how many times fewer crossbars there are, and the part of crossbars times cycles."""
    crossbars, cycles = entry["crossbars"], entry["crossbar_cycles"]
    return (
        crossbars["conventional"] / max(crossbars["squeezed"], 1),
        cycles["squeezed"] / cycles["conventional"],
    )


def _drop(accuracy: dict[str, Any]) -> str:
    if accuracy["drop"] is None:
        return "-"
    return f"{accuracy['drop']} ± {accuracy['drop_standard_error']}"


def one_line(trial: dict[str, Any], number: int) -> str:
    """Return what is shown of a trial as soon as it is done."""
    ratio, cycles = _shares(trial)
    accuracy = trial["accuracy"]
    return (
        f"trial {number}: {ratio:.2f} times fewer crossbars, {cycles:.3f} of crossbars x cycles; "
        f"KL {accuracy['kl']:.4g}, agreement {accuracy['agreement']} %, drop {_drop(accuracy)}: "
        f"{'target met' if trial['met'] else 'not met'}"
    )


def print_search(report: dict[str, Any]) -> None:
    """Print all trials, and what the best one is made of."""
    trials = sorted(report["trials"], key=lambda t: t["crossbar_cycles"]["squeezed"])
    rows = []
    for trial in trials:
        ratio, cycles = _shares(trial)
        accuracy = trial["accuracy"]
        rows.append(
            [
                "yes" if trial["met"] else "no",
                trial["crossbars"]["squeezed"],
                f"{ratio:.2f}",
                f"{cycles:.3f}",
                f"{trial['price']:.3g}",
                f"{accuracy['kl']:.4g}",
                accuracy["agreement"],
                _drop(accuracy),
            ]
        )
    columns = ["target met", "crossbars", "ratio", "XB x cycles", "nats an XB-cycle saves"]
    table("Trials", [*columns, "KL", "agreement %", "drop"], rows)

    best = report["trials"][report["best"]]
    rows = []
    for layer in best["layers"]:
        _, cycles = _shares(layer)
        rows.append(
            [
                layer["name"],
                layer["policy"],
                layer["squeeze"],
                layer["window"],
                layer["crossbars"]["conventional"],
                layer["crossbars"]["squeezed"],
                f"{cycles:.3f}",
                f"{layer['pieces'] / layer['rows']:.2f}",
                f"{layer['estimated_divergence']:.2g}",
            ]
        )
    columns = ["layer", "policy", "x", "S", "conventional", "crossbars", "XB x cycles"]
    table("The best trial", [*columns, "pieces a row", "estimated KL"], rows)
    if report["accuracy"] is None:
        output.print("No images are left that had no part in the search.")
    else:
        output.print("On images that had no part in the search:")
        print_accuracy(report["accuracy"])
