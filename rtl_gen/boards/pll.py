"""Settings of phase-locked loops: what an FPGA can make of an input clock.

All of them divide the input clock for the phase detector, keep an oscillator at a multiple of that,
and divide the oscillator::

    phase = input / reference_divide
    oscillator = phase * multiply
    output = oscillator / output_divide
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sme_hw.errors import ParameterError

__all__ = ["EHXPLLL", "PLLE2", "SB_PLL40", "PllRules", "PllSettings", "pll_settings"]

_MHZ = 1_000_000


@dataclass(frozen=True)
class PllRules:
    """What a loop can be set to.

    Parameters
    ----------
    name : str
        Its primitive.
    reference_hz, phase_hz, oscillator_hz, output_hz : tuple of int
        Lowest and highest frequency of the input, at the phase detector, and so on.
    reference_divides, multiplies, output_divides : sequence of int
        Possible values, rising.
    """

    name: str
    reference_hz: tuple[int, int]
    phase_hz: tuple[int, int]
    oscillator_hz: tuple[int, int]
    output_hz: tuple[int, int]
    reference_divides: Sequence[int]
    multiplies: Sequence[int]
    output_divides: Sequence[int]


def _mhz(low: float, high: float) -> tuple[int, int]:
    return round(low * _MHZ), round(high * _MHZ)


SB_PLL40 = PllRules(
    "SB_PLL40",
    reference_hz=_mhz(10, 133),
    phase_hz=_mhz(10, 133),
    oscillator_hz=_mhz(533, 1066),
    output_hz=_mhz(16, 275),
    reference_divides=range(1, 17),
    multiplies=range(1, 129),
    output_divides=tuple(1 << n for n in range(1, 7)),
)
"""iCE40, feedback path SIMPLE (Lattice, sysCLOCK PLL guide FPGA-TN-02052 and the data sheets)."""

EHXPLLL = PllRules(
    "EHXPLLL",
    reference_hz=_mhz(8, 400),
    phase_hz=_mhz(10, 400),
    oscillator_hz=_mhz(400, 800),
    output_hz=_mhz(3.125, 400),
    reference_divides=range(1, 129),
    # The feedback's own output divides by this: it runs at the phase detector's frequency.
    multiplies=range(1, 129),
    output_divides=range(1, 129),
)
"""ECP5 (Lattice, data sheet FPGA-DS-02012 and clocking guide FPGA-TN-02200)."""

PLLE2 = PllRules(
    "PLLE2",
    reference_hz=_mhz(19, 800),
    phase_hz=_mhz(19, 450),
    oscillator_hz=_mhz(800, 1600),
    output_hz=_mhz(6.25, 464),
    reference_divides=range(1, 57),
    multiplies=range(2, 65),
    output_divides=range(1, 129),
)
"""7 series, slowest speed grade (AMD, data sheet DS181 and clocking guide UG472)."""


@dataclass(frozen=True)
class PllSettings:
    """A loop's dividers.

    Parameters
    ----------
    input_hz : int
    reference_divide, multiply, output_divide : int
    """

    input_hz: int
    reference_divide: int
    multiply: int
    output_divide: int

    @property
    def phase_hz(self) -> Fraction:
        """Frequency of the phase detector."""
        return Fraction(self.input_hz, self.reference_divide)

    @property
    def output_hz(self) -> Fraction:
        """Frequency of the output."""
        return self.phase_hz * self.multiply / self.output_divide


def pll_settings(rules: PllRules, input_hz: int, wanted_hz: int) -> PllSettings:
    """Return the settings for the highest output that is not above the one that is wanted.

    Of several, the ones with the fastest phase detector, which has the least jitter, and of those
    with the fastest oscillator.

    Parameters
    ----------
    rules : PllRules
    input_hz, wanted_hz : int
        Frequencies, in Hz.

    Raises
    ------
    ParameterError
        The loop cannot take this input, or make what is wanted.
    """
    if not _within(input_hz, rules.reference_hz):
        allowed = f"{rules.name} takes {_text(rules.reference_hz)}"
        raise ParameterError("input_MHz", input_hz / _MHZ, allowed)
    found = [
        settings
        for divide in rules.reference_divides
        if _within(Fraction(input_hz, divide), rules.phase_hz)
        for multiply in rules.multiplies
        if (settings := _slow_enough(rules, input_hz, divide, multiply, wanted_hz))
    ]
    if not found or wanted_hz > rules.output_hz[1]:
        allowed = f"{rules.name} makes {_text(rules.output_hz)}"
        raise ParameterError("target_MHz", wanted_hz / _MHZ, allowed)
    return max(found, key=lambda s: (s.output_hz, s.phase_hz, s.multiply))


def _within(hz: Fraction | int, span: tuple[int, int]) -> bool:
    return span[0] <= hz <= span[1]


def _text(span: tuple[int, int]) -> str:
    return f"{span[0] / _MHZ:g} to {span[1] / _MHZ:g} MHz"


def _slow_enough(
    rules: PllRules, input_hz: int, divide: int, multiply: int, wanted_hz: int
) -> PllSettings | None:
    """Return the settings with the least output divider that is not too fast, if any."""
    oscillator = Fraction(input_hz * multiply, divide)
    if not _within(oscillator, rules.oscillator_hz):
        return None
    for output_divide in rules.output_divides:
        output = oscillator / output_divide
        if output <= wanted_hz and _within(output, rules.output_hz):
            return PllSettings(input_hz, divide, multiply, output_divide)
    return None
