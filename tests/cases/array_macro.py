"""Cases of :class:`sme_hw.array_macro.ArrayMacro`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.array_macro import array_macro
from sme_hw.array_macro import ArrayMacro
from sme_hw.cycles import macro_latency
from sme_hw.params import HardwareParams

from .case import SEED, Case, Clocked, Expected, Values
from .crossbar import column_word
from .hardware import HARDWARE
from .values import lanes, pipeline

__all__ = ["cases"]

READS = 80

SETS = (
    "slc",
    "mlc-free-shifts",
    "narrow",
    "coarse-adc",
    "two-lanes",
    "sets",
    "sets-quick",
)


def _phase(hardware: HardwareParams, plane: int) -> Clocked:
    """Program all sets of the crossbar, then convert at random."""
    rng = np.random.default_rng(SEED)
    g, a, steps = hardware.group_rows, hardware.adcs_per_crossbar, hardware.column_steps
    sets = hardware.weight_sets
    # Physical cells: the rows after the last one and the columns after the last one stay 0.
    cells = np.zeros((sets, hardware.slots * g, steps * a), np.uint8)
    used = cells[:, : hardware.rows, : hardware.cols]
    used[:] = rng.integers(hardware.cell_max + 1, size=used.shape)
    used[:, :, 0] = hardware.cell_max
    stimuli: list[Values] = []
    responses: list[Expected] = []

    def place(weight_set: int, slot: int, step: int) -> dict[str, int]:
        ports = {"slot": slot, "column_step": step}
        return ports | ({"set": weight_set} if sets > 1 else {})

    for number, slot, step, adc in np.ndindex(sets, hardware.slots, steps, a):
        column = cells[number, slot * g : (slot + 1) * g, step * a + adc]
        word = column_word(column, hardware.cell_bits)
        stimuli.append(
            {"write__enable": 1, "write__adc": adc, "write__data": word} | place(number, slot, step)
        )
        responses.append({})
    adc_bits = hardware.plane_adc_bits[plane]
    code_width = max(1, min(2**adc_bits - 1, hardware.sum_max >> hardware.adc_lsb).bit_length())
    for k in range(READS * sets):
        number, slot, step = (int(rng.integers(n)) for n in (sets, hardware.slots, steps))
        shape = (hardware.emulation_lanes, g)
        word_lines = rng.integers(2, size=shape)
        if k == 0:  # the largest sum
            slot, step, word_lines = 0, 0, np.ones(shape, np.int64)
        codes, clips = array_macro(
            word_lines,
            cells[number, slot * g : (slot + 1) * g],
            adc_bits=adc_bits,
            adc_lsb=hardware.adc_lsb,
        )
        columns = slice(step * a, (step + 1) * a)
        stimuli.append(
            {"write__enable": 0, "grounded": lanes(1 - word_lines.ravel(), 1)}
            | place(number, slot, step)
        )
        responses.append(
            {
                "codes": lanes(codes[:, columns].T.ravel(), code_width),
                "clips": lanes(clips[:, columns].T.ravel(), 1),
            }
        )
    return pipeline("convert", stimuli, responses, macro_latency(hardware))


def cases() -> Iterator[Case]:
    """Yield one case per parameter set, of its last plane."""
    for name in SETS:
        hardware = HARDWARE[name]
        plane = hardware.planes - 1
        yield Case(
            f"array_macro-{name}",
            lambda hardware=hardware, plane=plane: ArrayMacro(
                hardware=hardware, adc_bits=hardware.plane_adc_bits[plane]
            ),
            [_phase(hardware, plane)],
        )
