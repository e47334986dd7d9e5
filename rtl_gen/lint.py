"""What Verilator's linter is told to keep quiet about, and why: the file ``design.vlt``.

``verilator --lint-only -Wall design.vlt design.v`` says nothing about a generated design. Each
waiver names a rule, a pattern for its messages as narrow as can be, and the reason.
"""

import textwrap
from dataclasses import dataclass

from sme_hw.target import TARGETS

__all__ = ["WAIVERS", "WAIVER_FILE", "Waiver", "waiver_file"]

WAIVER_FILE = "design.vlt"

_DESIGN = "*design*.v"
_MODELS = "*model_*.v"


@dataclass(frozen=True)
class Waiver:
    """Messages of Verilator that say nothing is wrong.

    Parameters
    ----------
    rule : str
        Verilator's name of the warning.
    matches : tuple of str
        Patterns for the message, with wildcards; empty if the rule is waived whatever it says.
    reason : str
        Why that is right.
    targets : tuple of str
        Whose designs need it.
    file : str
        Pattern for the file's name.
    """

    rule: str
    matches: tuple[str, ...]
    reason: str
    targets: tuple[str, ...] = TARGETS
    file: str = _DESIGN


WAIVERS = (
    Waiver(
        "DECLFILENAME",
        ("Filename 'design*' does not match MODULE name: 'sme_*'",),
        "All modules of a design are in one file.",
    ),
    Waiver(
        "WIDTHEXPAND",
        (
            "Operator * expects * bits on the LHS, but *",
            "Operator * expects * bits on the RHS, but *",
        ),
        "Verilog extends the shorter operand of an operator, which is meant: Amaranth leaves "
        "leading zeros, and sign bits where $signed stands, to that rule. Ports and assignments of "
        "different widths are still reported.",
    ),
    Waiver(
        "WIDTHTRUNC",
        ("Operator ASSIGNW expects * bits on the Assign RHS, but Assign RHS's SHIFTR generates *",),
        "A choice from an array is its bits shifted right, of which the lowest are taken.",
    ),
    Waiver(
        "UNUSEDSIGNAL",
        ("Signal is not used: *",),
        "Fields of structures and ports of submodules have names of their own, for waveforms, and "
        "a module has all its ports whatever the parameters need. These names are thousands, like "
        "those of all other signals: no pattern tells one that was forgotten, nor does the module. "
        "So tests look at what each of them stands for. Two things are computed for nothing: the "
        "next address of a group table of one entry, and the top bit of a popcount that can never "
        "fill it.",
    ),
    Waiver(
        "UNUSEDSIGNAL",
        ("Bits of signal are not used: *",),
        "Sums and products have all their bits, and counters that wrap take the lowest; of fields, "
        "a module takes those that it needs.",
    ),
    Waiver(
        "UNSIGNED",
        ("Comparison is constant due to unsigned arithmetic",),
        "Bit-cycles are compared with the number of a lane, which is 0 for the first.",
    ),
    Waiver(
        "CMPCONST",
        ("Comparison is constant due to limited range",),
        "A field is compared with the largest value that the parameters allow, which may be the "
        "largest that it can hold.",
    ),
    Waiver(
        "PINMISSING",
        ("Instance has missing pin: 'S1'",),
        "The upper sum of the last carry cell of a chain of odd length.",
        targets=("ecp5",),
    ),
    Waiver(
        "DECLFILENAME",
        (),
        "The models of primitives, which are not synthesised, have lower-case file names.",
        targets=("ecp5",),
        file=_MODELS,
    ),
    Waiver(
        "UNUSEDPARAM",
        (),
        "The models of primitives take all parameters that instances set, and need some of them.",
        targets=("ecp5",),
        file=_MODELS,
    ),
)


def waiver_file(target: str) -> str:
    """Return the text of ``design.vlt``.

    Parameters
    ----------
    target : str
        What the design is emitted for (:mod:`sme_hw.target`).
    """
    lines = ["`verilator_config", ""]
    for waiver in WAIVERS:
        if target not in waiver.targets:
            continue
        lines += textwrap.wrap(waiver.reason, 98, initial_indent="// ", subsequent_indent="// ")
        command = f'lint_off -rule {waiver.rule} -file "{waiver.file}"'
        lines += [f'{command} -match "{match}"' for match in waiver.matches] or [command]
        lines.append("")
    return "\n".join(lines)
