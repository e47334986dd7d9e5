"""Settings of loops: always legal, never too fast, and the closest there are."""

import numpy as np
import pytest

from rtl_gen.boards.pll import EHXPLLL, PLLE2, SB_PLL40, pll_settings
from sme_hw.errors import ParameterError

# The guides' rules, written down once more: MHz of input, phase detector, oscillator and output,
# then the possible dividers of the reference, multipliers, and dividers of the output.
ICE40 = ((10, 133), (10, 133), (533, 1066), (16, 275))
ECP5 = ((8, 400), (10, 400), (400, 800), (3.125, 400))
SERIES7 = ((19, 800), (19, 450), (800, 1600), (6.25, 464))
LOOPS = {
    "ice40": (SB_PLL40, ICE40, np.arange(16) + 1, np.arange(128) + 1, 2 ** np.arange(1, 7)),
    "ecp5": (EHXPLLL, ECP5, np.arange(128) + 1, np.arange(128) + 1, np.arange(128) + 1),
    "series7": (PLLE2, SERIES7, np.arange(56) + 1, np.arange(63) + 2, np.arange(128) + 1),
}


def every_output(given, spans, references, multiplies, divides):
    """Return all legal outputs from an input, in MHz, by trying all settings."""
    _, phases, oscillators, outputs = spans
    phase = given / references
    phase = phase[(phase >= phases[0]) & (phase <= phases[1])]
    oscillator = np.outer(phase, multiplies).ravel()
    legal = (oscillator >= oscillators[0] - 1e-9) & (oscillator <= oscillators[1] + 1e-9)
    output = np.outer(oscillator[legal], 1 / divides).ravel()
    return output[(output >= outputs[0] - 1e-9) & (output <= outputs[1] + 1e-9)]


@pytest.mark.parametrize("loop", LOOPS)
def test_settings_are_legal_and_the_closest(loop):
    """Over many inputs and wanted outputs, nothing legal lies between output and wish."""
    rules, spans, references, multiplies, divides = LOOPS[loop]
    rng = np.random.default_rng(2026)
    inputs = [12, 16, 25, 27, 48, 50, 100, 125, *rng.integers(20_000, 133_000, 4) / 1000]
    found = 0
    for given in inputs:
        if not spans[0][0] <= given <= spans[0][1]:
            continue
        possible = every_output(given, spans, references, multiplies, divides)
        for wanted in [24, 100, *rng.integers(6_000, 300_000, 4) / 1000]:
            slower = possible[possible <= wanted + 1e-9]
            hertz = round(given * 1e6), round(wanted * 1e6)
            if not len(slower) or wanted > spans[3][1]:
                with pytest.raises(ParameterError, match="target_MHz"):
                    pll_settings(rules, *hertz)
                continue
            s = pll_settings(rules, *hertz)
            phase = given / s.reference_divide
            oscillator = phase * s.multiply
            output = oscillator / s.output_divide
            assert s.reference_divide in references
            assert s.multiply in multiplies
            assert s.output_divide in divides
            for value, (low, high) in zip((given, phase, oscillator, output), spans, strict=True):
                assert low - 1e-9 <= value <= high + 1e-9
            assert output == pytest.approx(float(s.output_hz) / 1e6)
            assert output <= wanted + 1e-9
            assert output == pytest.approx(slower.max())
            found += 1
    assert found > 25


def test_known_settings():
    """Figures of the vendors' own tools: 12 to 24 MHz on an iCE40, 25 to 100 on an ECP5."""
    s = pll_settings(SB_PLL40, 12_000_000, 24_000_000)
    assert (s.reference_divide, s.multiply, s.output_divide) == (1, 64, 32)
    s = pll_settings(EHXPLLL, 25_000_000, 100_000_000)
    assert (s.reference_divide, s.output_hz) == (1, 100_000_000)


@pytest.mark.parametrize(
    ("rules", "given", "wanted", "words"),
    [
        (SB_PLL40, 9, 24, "input_MHz = 9.0 is not possible: SB_PLL40 takes 10 to 133 MHz"),
        (SB_PLL40, 12, 15, "target_MHz = 15.0 is not possible: SB_PLL40 makes 16 to 275 MHz"),
        (SB_PLL40, 12, 276, "target_MHz = 276.0 is not possible: SB_PLL40 makes 16 to 275 MHz"),
        (PLLE2, 900, 100, "input_MHz = 900.0 is not possible: PLLE2 takes 19 to 800 MHz"),
    ],
)
def test_impossible(rules, given, wanted, words):
    """What a loop cannot take or make is named, with what it can."""
    with pytest.raises(ParameterError) as refused:
        pll_settings(rules, given * 10**6, wanted * 10**6)
    assert str(refused.value) == words
