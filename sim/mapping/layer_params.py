"""Parameters of single layers: a file of rules that change options where layer names match."""

import tomllib
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sme_hw.errors import InputError, ParameterError, some_of

from .params import OPTIONS, Parameters

__all__ = ["LayerRule", "layer_parameters", "read_layer_rules"]


@dataclass(frozen=True, eq=False)
class LayerRule:
    """Options that differ where a layer's name matches.

    Parameters
    ----------
    label : str
        Where the rule stands, for messages.
    match : str
        Shell pattern of :func:`fnmatch.fnmatchcase`.
    options : mapping
        Values for some of :data:`sim.mapping.OPTIONS`.
    """

    label: str
    match: str
    options: AbstractMapping[str, Any]


def layer_parameters(
    base: Parameters, rules: Sequence[LayerRule], names: Sequence[str]
) -> dict[str, Parameters]:
    """Return the parameters of every layer.

    Parameters
    ----------
    base : Parameters
        Of layers that no rule matches, and for options that no rule sets.
    rules : sequence of LayerRule
        For each option, the last one that matches a layer and sets it counts.
    names : sequence of str
        Names of all layers.

    Returns
    -------
    dict of str to Parameters
        In the order of ``names``; equal parameters are one object.

    Raises
    ------
    InputError
        A rule matches no layer, or a value is not possible, by itself or beside the layer's other
        options; the rule is named.

    Examples
    --------
    >>> from sim.mapping import load_parameters
    >>> rules = [LayerRule("rule 1", "*.dw", {"squeeze": 2})]
    >>> found = layer_parameters(load_parameters(), rules, ["a.dw", "b.fc"])
    >>> {name: parameters.mapping.squeeze for name, parameters in found.items()}
    {'a.dw': 2, 'b.fc': 1}
    """
    for rule in rules:
        if not any(fnmatchcase(name, rule.match) for name in names):
            raise InputError(f"{rule.label} matches no layer, there are {some_of(names)}")
    known = {base: base}
    found = (_of_layer(base, rules, name) for name in names)
    return {
        name: known.setdefault(parameters, parameters)
        for name, parameters in zip(names, found, strict=True)
    }


def _of_layer(base: Parameters, rules: Sequence[LayerRule], name: str) -> Parameters:
    matching = [rule for rule in rules if fnmatchcase(name, rule.match)]
    options = base.as_dict()
    for rule in matching:
        options |= rule.options
    try:
        return Parameters.build(options)
    except ParameterError as error:
        # An option of the base may have become impossible beside those of the last rule.
        blamed = [rule for rule in matching if error.key in rule.options] or matching
        raise InputError(f"{blamed[-1].label}, layer {name}: {error}") from None


def read_layer_rules(path: str | Path) -> tuple[LayerRule, ...]:
    """Read a TOML file of rules for layers.

    It holds an array of tables ``[[layer]]``, each with ``match``, a shell pattern on layer names
    (:func:`fnmatch.fnmatchcase`), and values for any of :data:`sim.mapping.OPTIONS`.

    Parameters
    ----------
    path : path

    Raises
    ------
    InputError
        The file cannot be read, is no valid TOML, or a rule lacks ``match`` or sets an option that
        does not exist.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    tables = content.pop("layer", None)
    for key in content:
        raise InputError(f"{path}: {key} is unknown, only [[layer]] may stand here")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{path}: at least one table [[layer]] is needed")
    labels = (f"{path}: [[layer]] {i}" for i in range(1, len(tables) + 1))
    return tuple(map(_read_rule, labels, tables))


def _read_rule(label: str, table: dict[str, Any]) -> LayerRule:
    options = dict(table)
    match = options.pop("match", None)
    if not isinstance(match, str):
        raise InputError(f'{label}: match = "..." is needed, a pattern of layer names')
    label = f'{label} (match = "{match}")'
    for key in options:
        if key not in OPTIONS:
            raise InputError(f"{label}: {key} is unknown, there are only {', '.join(OPTIONS)}")
    return LayerRule(label, match, options)
