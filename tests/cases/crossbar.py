"""Cases of :class:`sme_hw.crossbar.CrossbarBank` and :class:`sme_hw.crossbar.Crossbar`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.crossbar import crossbar
from sme_hw.crossbar import Crossbar, CrossbarBank
from sme_hw.cycles import crossbar_latency
from sme_hw.params import HardwareParams

from .case import SEED, Case, Clocked, Expected, Values
from .hardware import HARDWARE
from .values import lanes, pattern, pipeline

__all__ = ["cases", "column_word"]

READS = 60

DEPTHS = {"slc": 5, "mlc-free-shifts": 1, "coarse-adc": 7, "tall": 40, "two-lanes": 4}
"""Words of a bank, by parameter set; odd sizes, the smallest, and one for block RAM."""


def column_word(levels: np.ndarray, cell_bits: int) -> int:
    """Return the memory word of a column: its bits 0, then its bits 1."""
    return lanes([int(level) >> b & 1 for b in range(cell_bits) for level in levels], 1)


def _phase(hardware: HardwareParams, depth: int, adcs: int, bank: bool) -> Clocked:
    """Program every word, then read and rewrite at random.

    Port names differ between a bank and a crossbar; a crossbar of one bank writes the same.
    """
    rng = np.random.default_rng(SEED)
    rows, cell_bits = hardware.group_rows, hardware.cell_bits
    prefix = "write_" if bank else "write__"
    sums = "totals" if bank else "sums"
    width = hardware.sum_max.bit_length()
    shape = (hardware.emulation_lanes, rows)
    cells = np.zeros((rows, depth, adcs), np.uint8)
    stimuli: list[Values] = []
    responses: list[Expected] = []

    def write(address: int, adc: int, levels: np.ndarray) -> None:
        cells[:, address, adc] = levels
        values = {
            f"{prefix}enable": 1,
            f"{prefix}data": column_word(levels, cell_bits),
            "address": address,
        }
        stimuli.append(values if bank else values | {"write__adc": adc})
        responses.append({})  # a write suspends reading

    def read(address: int, word_lines: np.ndarray) -> None:
        """Read with word lines of shape (lanes, rows)."""
        # Shape (adcs, lanes).
        totals = crossbar(word_lines, cells[:, address]).T.ravel()
        stimuli.append(
            {
                f"{prefix}enable": 0,
                f"{prefix}data": pattern(int(rng.integers(2**62)), rows * cell_bits),
                "address": address,
                "grounded": lanes(1 - word_lines.ravel(), 1),
            }
        )
        responses.append({sums: lanes(totals, width)})

    for address in range(depth):
        for adc in range(adcs):
            write(address, adc, rng.integers(hardware.cell_max + 1, size=rows))
    write(0, 0, np.full(rows, hardware.cell_max))
    read(0, np.ones(shape, np.uint8))  # the largest sum
    for _ in range(READS):
        if rng.random() < 0.2:
            levels = rng.integers(hardware.cell_max + 1, size=rows)
            write(int(rng.integers(depth)), int(rng.integers(adcs)), levels)
        read(int(rng.integers(depth)), rng.integers(2, size=shape))
    return pipeline("write and read", stimuli, responses, crossbar_latency(hardware))


def cases() -> Iterator[Case]:
    """Yield a bank and a crossbar per parameter set."""
    for name, depth in DEPTHS.items():
        hardware = HARDWARE[name]
        sizes = {
            "rows": hardware.group_rows,
            "cell_bits": hardware.cell_bits,
            "depth": depth,
            "lanes": hardware.emulation_lanes,
        }
        yield Case(
            f"crossbar_bank-{name}",
            lambda sizes=sizes: CrossbarBank(**sizes),
            [_phase(hardware, depth, 1, bank=True)],
        )
        adcs = hardware.adcs_per_crossbar
        yield Case(
            f"crossbar-{name}",
            lambda sizes=sizes, adcs=adcs: Crossbar(**sizes, adcs=adcs),
            [_phase(hardware, depth, adcs, bank=False)],
        )
