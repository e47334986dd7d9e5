"""Parameters of the mapper, and presets that set mapper and hardware together."""

import json
import tomllib
from collections.abc import Mapping as AbstractMapping
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from sme_hw.errors import InputError, ParameterError
from sme_hw.params import HardwareParams, check_choice, check_int, plain_values

from .codecs import CODECS
from .grouping import GROUPINGS
from .scales import SCALES
from .squeeze import POLICIES

__all__ = ["OPTIONS", "MappingParams", "Parameters", "load_parameters", "presets"]

AUTO = "auto"
ALL = "all"

ROW_BITS_MIN = 5
"""Fewest bits that ``row_bits`` may name: the paper's mixed precision has 5 to 8."""


@dataclass(frozen=True, kw_only=True)
class MappingParams:
    """What only the mapper needs to know.

    Parameters
    ----------
    codec : str
        How weights become codes (:data:`sim.mapping.codecs.CODECS`); ``"auto"`` takes integers as
        the codes they are and quantises floats with ``sme``.
    weight_bits : int
        Magnitude bits Nq, 2..8; the sign is apart.
    window : int
        S: only that many consecutive bits of a magnitude may be 1; Nq is no restriction.
    scale : str
        What sets the scale (:data:`sim.mapping.scales.SCALES`).
    policy : str
        How leading planes are emptied (:data:`sim.mapping.squeeze.POLICIES`).
    squeeze : int
        Squeeze degree x: leading bits that are emptied and released.
    grouping : str
        Order of rows on their crossbars (:data:`sim.mapping.grouping.GROUPINGS`).
    row_bits : int or tuple of int or "all"
        Codec ``mixed`` only: leading bits, 5..weight_bits, that a row's codes keep; several numbers
        repeat over the rows of a layer (of each group) in the order (cin, kh, kw), so that 9 of
        them are those of the positions of a 3 x 3 kernel. The policy ``plain`` ignores them.

    Raises
    ------
    ParameterError
        A value is out of range.
    """

    codec: str
    weight_bits: int
    window: int
    scale: str
    policy: str
    squeeze: int
    grouping: str
    row_bits: int | tuple[int, ...] | str

    def __post_init__(self) -> None:
        check_choice("codec", self.codec, [AUTO, *CODECS])
        check_int("weight_bits", self.weight_bits, 2, 8)
        check_int("window", self.window, 1, self.weight_bits, " (1..weight_bits)")
        check_choice("scale", self.scale, list(SCALES))
        check_choice("policy", self.policy, list(POLICIES))
        check_int("squeeze", self.squeeze, 0, 7)
        check_choice("grouping", self.grouping, list(GROUPINGS))
        self._check_row_bits()

    def _check_row_bits(self) -> None:
        if self.row_bits == ALL:
            return
        if self.codec != "mixed":
            raise ParameterError("row_bits", self.row_bits, "only codec mixed takes other than all")
        numbers = self.row_bits if isinstance(self.row_bits, tuple) else (self.row_bits,)
        possible = range(ROW_BITS_MIN, self.weight_bits + 1)
        if not numbers or not all(type(bits) is int and bits in possible for bits in numbers):
            span = f"{ROW_BITS_MIN}..weight_bits = {self.weight_bits}"
            raise ParameterError("row_bits", self.row_bits, f'numbers in {span}, or "all"')

    def empty_bits(self, rows: int) -> np.ndarray:
        """Return how many low bits each of so many rows leaves empty: int16, shape (rows, 1)."""
        kept = self.weight_bits if self.row_bits == ALL else self.row_bits
        return (self.weight_bits - np.resize(kept, (rows, 1))).astype(np.int16)

    def code_bits(self, cell_bits: int) -> int:
        """Return N, the code width padded at the most significant end to whole cells."""
        return -(-self.weight_bits // cell_bits) * cell_bits


_DERIVED = ("planes", "max_shift", "shift_step", "input_index")
"""Fields of HardwareParams that follow from the mapping."""

HARDWARE_OPTIONS = tuple(f.name for f in fields(HardwareParams) if f.name not in _DERIVED)
MAPPING_OPTIONS = tuple(f.name for f in fields(MappingParams))
OPTIONS = HARDWARE_OPTIONS + MAPPING_OPTIONS
"""Keys of a preset, and names of the overrides."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of mapper and hardware that fit each other.

    Parameters
    ----------
    hardware : HardwareParams
    mapping : MappingParams
    """

    hardware: HardwareParams
    mapping: MappingParams

    @classmethod
    def build(cls, options: AbstractMapping[str, Any]) -> "Parameters":
        """Derive what the hardware takes from the mapping: planes and row shifts.

        Parameters
        ----------
        options : mapping
            A value for every one of :data:`OPTIONS`; lists may stand for tuples, as in JSON.

        Raises
        ------
        ParameterError
            A value is out of range, or contradicts another one.
        """
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        mapping = MappingParams(**{key: options[key] for key in MAPPING_OPTIONS})
        cell_bits = options["cell_bits"]
        check_int("cell_bits", cell_bits, 1, 2)
        width = mapping.code_bits(cell_bits)
        if mapping.squeeze % cell_bits or mapping.squeeze > width - cell_bits:
            why = f"0..{width - cell_bits} in steps of cell_bits = {cell_bits} is possible"
            raise ParameterError("squeeze", mapping.squeeze, why)
        step = POLICIES[mapping.policy].shift_step(mapping.squeeze)
        hardware = HardwareParams(
            **{key: options[key] for key in HARDWARE_OPTIONS},
            planes=(width - mapping.squeeze) // cell_bits,
            max_shift=mapping.squeeze if step else 0,
            shift_step=step or 1,
            input_index=mapping.grouping != "none",
        )
        return cls(hardware, mapping)

    @property
    def code_bits(self) -> int:
        """Padded code width N."""
        return self.mapping.code_bits(self.hardware.cell_bits)

    def without_squeeze(self) -> "Parameters":
        """Return the parameters with all planes kept, and ADCs that fit them."""
        # A list of ADC bits would have too few entries.
        options = {"squeeze": 0, "adc_bits": "lossless", "adc_lsb": 0}
        return Parameters.build(self.as_dict() | options)

    def as_dict(self) -> dict[str, object]:
        """Return all options as plain JSON values."""
        hardware = self.hardware.as_dict()
        return {key: hardware[key] for key in HARDWARE_OPTIONS} | plain_values(asdict(self.mapping))

    def as_preset(self) -> str:
        """Return all options as the text of a preset, for :func:`load_parameters`."""
        values = self.as_dict()
        lines = []
        for table, keys in (("hardware", HARDWARE_OPTIONS), ("mapping", MAPPING_OPTIONS)):
            # What JSON writes for these values is TOML, too.
            lines += [f"[{table}]", *(f"{key} = {json.dumps(values[key])}" for key in keys), ""]
        return "\n".join(lines)


def presets() -> list[str]:
    """Return the names of the presets that come with the package."""
    folder = resources.files("sme_hw") / "presets"
    names = sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )
    return sorted(names, key=lambda name: name != "paper")


def _read_preset(preset: str) -> dict[str, Any]:
    """Return the options of a preset, with those that it extends underneath."""
    if preset.endswith(".toml"):
        try:
            text = Path(preset).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"preset {preset} cannot be read: {error}") from None
    elif preset in presets():
        text = (resources.files("sme_hw") / "presets" / f"{preset}.toml").read_text("utf-8")
    else:
        allowed = f"one of {', '.join(presets())} or the path of a .toml file is needed"
        raise ParameterError("preset", preset, allowed)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"preset {preset} is no valid TOML: {error}") from None

    base = content.pop("extends", None)
    if base is not None and base not in presets():
        raise ParameterError("extends", base, f"one of {', '.join(presets())} is needed")
    options = {} if base is None else _read_preset(base)
    for table, keys in (("hardware", HARDWARE_OPTIONS), ("mapping", MAPPING_OPTIONS)):
        values = content.pop(table, {})
        if not isinstance(values, dict):
            raise InputError(f"preset {preset}: {table} must be a table, [{table}]")
        for key, value in values.items():
            if key not in keys:
                allowed = f"[{table}] has only {', '.join(keys)}"
                raise ParameterError(key, value, allowed)
            options[key] = value
    for key, value in content.items():
        raise ParameterError(key, value, "only extends, [hardware] and [mapping] may stand here")
    return options


def load_parameters(preset: str = "paper", **overrides: Any) -> Parameters:
    """Return the parameters of a preset, with some of them changed.

    Parameters
    ----------
    preset : str
        Name of a preset, or path of a TOML file like those in ``sme_hw/presets``; with
        ``extends = "paper"`` it need only hold what differs.
    **overrides
        Values for any of :data:`OPTIONS`.

    Raises
    ------
    InputError
        The preset cannot be read, a key is unknown or missing, or a value is not possible.
    """
    options = _read_preset(preset)
    for key, value in overrides.items():
        if key not in OPTIONS:
            raise ParameterError(key, value, f"there are only {', '.join(OPTIONS)}")
        options[key] = value
    missing = [key for key in OPTIONS if key not in options]
    if missing:
        raise InputError(f'preset {preset} lacks {", ".join(missing)} (or extends = "paper")')
    return Parameters.build(options)
