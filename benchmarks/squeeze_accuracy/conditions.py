"""Under which conditions squeeze-out loses less than the control with as many planes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sim.compensation.params import FitParams

from .ladder import BIAS, COMPENSATED, NEAREST, UNIFORM, Rung
from .results import Measured
from .tables import drop_text

__all__ = ["CONDITIONS", "CONDITION_COLUMNS", "Condition", "condition_rows"]

SQUEEZED, PLAIN = "where", "where plain"
"""Methods of the two rungs of a condition."""


@dataclass(frozen=True)
class Condition:
    """Two rungs that differ in nothing but squeeze-out.

    Parameters
    ----------
    text : str
        What they have in common.
    squeezed, plain : Rung
        With as many planes.
    clips : bool
        ADCs may clip, which takes long to compute.
    """

    text: str
    squeezed: Rung
    plain: Rung
    clips: bool = False


def _condition(
    name: str,
    text: str,
    degree: int,
    fit: FitParams = NEAREST,
    *,
    inputs: str | None = None,
    plain: dict[str, Any] | None = None,
    **options: Any,
) -> Condition:
    """Return a condition under which rows move by up to ``degree``; ``plain`` is the control's."""
    squeezed = options | {"squeeze": degree}
    plain = squeezed | {"policy": "plain"} if plain is None else options | plain
    return Condition(
        text,
        Rung(SQUEEZED, name, squeezed, fit, inputs=inputs),
        Rung(PLAIN, name, plain, fit, UNIFORM, inputs=inputs),
        clips="adc_bits" in options,
    )


CONDITIONS = (
    _condition(
        "layer-5",
        "5 planes, one scale a layer",
        3,
        plain={"weight_bits": 5, "window": 5, "squeeze": 0},
        codec="int8",
        scale="layer-pow2",
    ),
    _condition("column-5", "5 planes, a scale a column", 3),
    _condition("mse-5", "5 planes, column scales of least error", 3, scale="column-mse"),
    _condition(
        "tensor-5",
        "the same, inputs with one scale a tensor",
        3,
        inputs="full",
        scale="column-mse",
    ),
    _condition(
        "channels-5",
        "the same, inputs with a scale a channel",
        3,
        inputs="channels",
        scale="column-mse",
    ),
    _condition("mse-4", "4 planes, column scales of least error", 4, scale="column-mse"),
    _condition("bias-4", "the same with bias correction", 4, BIAS, scale="column-mse"),
    _condition("compensated-4", "4 planes, compensated", 4, COMPENSATED),
    _condition("compensated-3", "3 planes, compensated", 5, COMPENSATED),
    _condition("mlc-6", "6 bits in 3 cells of 2 bits", 2, scale="column-mse", cell_bits=2),
    _condition("mlc-4", "4 bits in 2 cells of 2 bits", 4, scale="column-mse", cell_bits=2),
    _condition("adc-4", "5 planes, ADCs of 4 bits", 3, scale="column-mse", adc_bits=4),
    _condition("adc-3", "5 planes, ADCs of 3 bits", 3, scale="column-mse", adc_bits=3),
)
"""In the order of the table; scales are of columns unless another one is said."""


CONDITION_COLUMNS = (
    "condition",
    "KL squeezed",
    "KL plain",
    "plain / squeezed",
    "drop squeezed",
    "drop plain",
    "XB cycles squeezed",
    "XB cycles plain",
    "ADC squeezed",
    "ADC plain",
)


def condition_rows(measured: Iterable[Measured]) -> list[list[str]]:
    """Return a row for every condition of which both rungs were measured.

    They have :data:`CONDITION_COLUMNS`; ADC bits are those with which no column can clip.
    """
    results = {rung.name: result for rung, result in measured}
    found = []
    for condition in CONDITIONS:
        pair = [results.get(rung.name) for rung in (condition.squeezed, condition.plain)]
        if pair[0] is None or pair[1] is None:
            continue
        squeezed, plain = pair[0], pair[1]
        found.append(
            [
                condition.text,
                f"{squeezed['kl']:.3g}",
                f"{plain['kl']:.3g}",
                f"{plain['kl'] / squeezed['kl']:.2f}" if squeezed["kl"] else "-",
                *(drop_text(result) for result in (squeezed, plain)),
                *(f"{result['work']:.3f}" for result in (squeezed, plain)),
                *(str(result["adc_bits"]) for result in (squeezed, plain)),
            ]
        )
    return found
