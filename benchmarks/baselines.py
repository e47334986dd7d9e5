"""What units took when they were last looked at, and how far they may move from that."""

import json
import math
from pathlib import Path
from typing import Any

from rtl_gen.files import staged_file, write_json

__all__ = ["FPGA", "deviations", "read", "update"]

FPGA = Path(__file__).with_name("baselines") / "fpga.json"
"""The baseline of ``benchmarks.fpga``: tolerances, and every unit as it was measured."""


def read(path: Path = FPGA) -> dict[str, Any]:
    """Return tolerances and units of a baseline."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def update(measured: dict[str, dict[str, Any]], path: Path = FPGA) -> None:
    """Put measured units in the place of those of the baseline; others, and tolerances, stay."""
    baseline = read(path)
    baseline["units"] |= measured
    with staged_file(path) as temporary:
        write_json(temporary, baseline)


def deviations(unit: str, measured: dict[str, Any], baseline: dict[str, Any]) -> list[str]:
    """Return a line for every figure of a unit that is not where the baseline allows.

    Parameters
    ----------
    unit : str
        Name in the baseline.
    measured : dict
        Figures of the unit; those without a tolerance are not looked at.
    baseline : dict
        As :func:`read` returns it. A tolerance is a pair: what share of the figure may be lost and
        what may be gained, None for any. A figure that only one side has is a deviation.
    """
    if unit not in baseline["units"]:
        return [f"{unit}: not in the baseline; --update puts it there"]
    expected = baseline["units"][unit]
    lines = []
    for key, (loss, gain) in baseline["tolerances"].items():
        now, before = measured.get(key), expected.get(key)
        if now is None and before is None:
            continue
        if now is None or before is None:
            lines.append(f"{unit}: {key} is {now}, in the baseline {before}")
            continue
        low, high = before * (1 - loss), math.inf if gain is None else before * (1 + gain)
        if not low <= now <= high:
            lines.append(f"{unit}: {key} is {now}, allowed {low:.1f} to {high:.1f}")
    return lines
