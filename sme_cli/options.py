"""The options that are parameters, the same for every subcommand."""

from collections.abc import Callable, Container, Sequence
from typing import Any

import click

from sim.mapping import (
    OPTIONS,
    Parameters,
    layer_parameters,
    load_parameters,
    read_layer_rules,
)
from sim.mapping.codecs import CODECS
from sim.mapping.grouping import GROUPINGS
from sim.mapping.params import ALL, AUTO
from sim.mapping.scales import SCALES
from sim.mapping.squeeze import POLICIES
from sme_hw.errors import InputError

__all__ = [
    "json_option",
    "layers_option",
    "parameter_options",
    "refuse",
    "take_layer_parameters",
    "take_parameters",
]


class _NumberOrWord(click.ParamType[Any]):
    """A number, one particular word, or (if ``many``) numbers separated by commas."""

    def __init__(self, word: str, *, many: bool = False):
        self.word = word
        self.many = many
        self.name = f"n[,n...]|{word}" if many else f"n|{word}"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return an int, a tuple of int, or the word."""
        if not isinstance(value, str) or value == self.word:
            return value
        try:
            numbers = tuple(int(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        if not numbers or (len(numbers) > 1 and not self.many):
            allowed = "numbers separated by commas" if self.many else "a number"
            self.fail(f"{value!r} is neither {allowed} nor {self.word!r}", param, ctx)
        return numbers[0] if len(numbers) == 1 else numbers


_OPTIONS: dict[str, dict[str, Any]] = {
    "rows": {"type": int, "help": "Crossbar rows R (word lines), 4..512."},
    "cols": {"type": int, "help": "Crossbar columns C (bit lines), 4..512."},
    "cell_bits": {"type": int, "help": "Bits a ReRAM cell holds: 1 (SLC) or 2 (MLC)."},
    "input_bits": {"type": int, "help": "Input bits Ma, 1..16, fed bit-serially."},
    "signed_inputs": {"help": "Inputs are two's complement."},
    "rows_active": {
        "type": _NumberOrWord("all"),
        "help": "Rows that are active together, or 'all'.",
    },
    "adc_bits": {
        "type": _NumberOrWord("lossless", many=True),
        "help": "ADC resolution, 1..12: one for all planes, one for each built plane (most "
        "significant first), or 'lossless'.",
    },
    "adc_lsb": {"type": int, "help": "ADC LSB size k, 0..8: a code counts 2^k cell levels."},
    "adcs_per_crossbar": {"type": int, "help": "ADCs of a crossbar: columns converted per clock."},
    "weight_sets": {
        "type": int,
        "help": "Tiles that a unit holds at once, 1..4: each vector names its own.",
    },
    "inputs_per_beat": {"type": int, "help": "Inputs per transfer on the input stream."},
    "emulation_lanes": {
        "type": int,
        "help": "Bit-cycles computed in one FPGA clock: 1, 2 or 4; results are the same.",
    },
    "results_per_beat": {"type": int, "help": "Results per transfer on the result stream."},
    "codec": {
        "type": click.Choice([AUTO, *CODECS]),
        "help": "How weights become codes; auto: integers as they are, floats by sme.",
    },
    "weight_bits": {"type": int, "help": "Magnitude bits Nq of a weight, 2..8."},
    "window": {"type": int, "help": "S: how many consecutive bits of a magnitude may be 1."},
    "scale": {
        "type": click.Choice(list(SCALES)),
        "help": "What sets the scale of the codes: the largest weight, or the least squared error.",
    },
    "policy": {"type": click.Choice(list(POLICIES)), "help": "Squeeze policy."},
    "grouping": {
        "type": click.Choice(list(GROUPINGS)),
        "help": "Order of rows: as they are; sorted by shift in every tile; dealt to tiles for few "
        "bit-cycles and small column sums; or dealt by magnitude for few crossbars.",
    },
    "row_bits": {
        "type": _NumberOrWord(ALL, many=True),
        "help": "Codec mixed: leading bits that rows keep, 5..weight_bits; several repeat over the "
        "rows in the order (cin, kh, kw).",
    },
    "zero_skip": {"help": "Skip bit-cycles in which no active row has a 1."},
    "squeeze": {"type": int, "help": "Squeeze degree x: leading bits emptied and released."},
}


def parameter_options(
    default_preset: str | None = "paper", **defaults: Any
) -> Callable[[Any], Any]:
    """Return a decorator that adds ``--preset`` and one option for every parameter.

    Parameters
    ----------
    default_preset : str or None
        None where the board says it.
    **defaults
        Options that differ from the preset unless they are given.
    """

    def decorate(function: Any) -> Any:
        for key in reversed(OPTIONS):
            flag = f"--{key.replace('_', '-')}"
            flag += {"signed_inputs": "/--unsigned-inputs", "zero_skip": "/--no-zero-skip"}.get(
                key, ""
            )
            default = defaults.get(key)
            shown = default is not None
            function = click.option(
                flag, key, default=default, show_default=shown, **_OPTIONS[key]
            )(function)
        return click.option(
            "--preset",
            default=default_preset,
            show_default=default_preset or "the board's",
            help="Preset that options change: a name (see sme presets) or a .toml file.",
        )(function)

    return decorate


def refuse(context: click.Context, names: Container[str | None], why: str) -> None:
    """Refuse options that were given but mean nothing.

    Raises
    ------
    InputError
        One of ``names`` was given.
    """
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in names and source is not click.core.ParameterSource.DEFAULT:
            raise InputError(f"{option.opts[0]} {why}")


def take_parameters(options: dict[str, Any]) -> Parameters:
    """Take the parameters out of a command's options, and check them."""
    preset = options.pop("preset")
    given = {key: options.pop(key) for key in OPTIONS}
    return load_parameters(preset, **{k: v for k, v in given.items() if v is not None})


def take_layer_parameters(
    base: Parameters, layers_file: str | None, names: Sequence[str]
) -> dict[str, Parameters]:
    """Return the parameters of every layer: the command's, changed by ``--layer-parameters``."""
    rules = () if layers_file is None else read_layer_rules(layers_file)
    return layer_parameters(base, rules, names)


layers_option = click.option(
    "--layer-parameters",
    "layers_file",
    type=click.Path(exists=True, dir_okay=False),
    help="Options for some of the layers, which override all others: a TOML file of tables "
    "[[layer]], each with match, a shell pattern on layer names, and options as in a preset.",
)
"""``--layer-parameters FILE``."""

json_option = click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False),
    help="Write the report for machines to this file.",
)
"""``--json FILE``."""
