"""Cases of :class:`sme_hw.xb_group.XbGroup` and of its merged counterpart."""

from collections.abc import Iterator

import numpy as np

from sim.golden.adc import adc
from sim.golden.crossbar import crossbar
from sim.golden.splice import splice
from sme_hw.cycles import group_latency, macro_latency
from sme_hw.merged_xb_group import MergedXbGroup
from sme_hw.pack import merge_cells
from sme_hw.params import HardwareParams
from sme_hw.xb_group import XbGroup

from .case import SEED, Case, Clocked, Expected, Values
from .crossbar import column_word
from .hardware import HARDWARE
from .values import lanes, pipeline

__all__ = ["cases"]

READS = 80

SETS = ("slc", "mlc-free-shifts", "coarse-adc", "two-lanes", "no-shifts", "four-lanes", "sets")


def _place(hardware: HardwareParams, number: int, slot: int, step: int) -> dict[str, int]:
    """Return where a column is."""
    weight_set = {"set": number} if hardware.set_bits else {}
    return {"slot": slot, "column_step": step} | weight_set


def _writes(hardware: HardwareParams, cells: np.ndarray) -> Iterator[Values]:
    """Yield writes of all columns; cells have shape (planes, 2, sets, slots, rows, steps, adcs)."""
    planes, signs, sets, slots, _, steps, adcs = cells.shape
    merged = merge_cells(cells, hardware)
    for number, slot, step, a in np.ndindex(sets, slots, steps, adcs):
        where = _place(hardware, number, slot, step)
        if hardware.merged:
            word = column_word(merged[number, slot, :, step, a], hardware.merged_bits)
            yield where | {"write__enable": 1, "write__adc": a, "write__data": word}
            continue
        for plane, sign in np.ndindex(planes, signs):
            word = column_word(cells[plane, sign, number, slot, :, step, a], hardware.cell_bits)
            enable = 1 << 2 * plane + sign
            yield where | {"write__enable": enable, "write__adc": a, "write__data": word}


def _phase(hardware: HardwareParams) -> Clocked:
    """Program all cells, then convert at random, the largest sums of either sign among them."""
    rng = np.random.default_rng(SEED)
    g, a, steps = hardware.group_rows, hardware.adcs_per_crossbar, hardware.column_steps
    shape = (hardware.planes, 2, hardware.weight_sets, hardware.slots, g, steps, a)
    cells = rng.integers(hardware.cell_max + 1, size=shape)
    # The first column step has the largest weights: positive ones in its first column.
    cells[..., 0, :] = 0
    cells[:, 1, ..., 0, :] = hardware.cell_max
    cells[..., 0, 0] = cells[:, ::-1, ..., 0, 0]
    stimuli: list[Values] = list(_writes(hardware, cells))
    # Between the last write and the first conversion; the pipeline's junk is not looked at.
    stimuli.append({"write__enable": 0})
    responses: list[Expected] = [{}] * len(stimuli)
    clips_late: list[Expected] = [{}] * len(stimuli)
    for k in range(READS):
        number, slot, step = (
            int(rng.integers(n)) for n in (hardware.weight_sets, hardware.slots, steps)
        )
        word_lines = rng.integers(2, size=(hardware.emulation_lanes, g))
        if k == 0:
            step, word_lines = 0, np.ones_like(word_lines)
        stimuli.append(
            _place(hardware, number, slot, step) | {"grounded": lanes(1 - word_lines.ravel(), 1)}
        )
        # Sums of shape (planes, signs, lanes, adcs).
        sums = np.array(
            [
                [
                    crossbar(word_lines, cells[plane, sign, number, slot, :, step])
                    for sign in range(2)
                ]
                for plane in range(hardware.planes)
            ]
        )
        codes, clips = np.empty_like(sums), np.empty(sums.shape, bool)
        for plane, bits in enumerate(hardware.plane_adc_bits):
            codes[plane], clips[plane] = adc(sums[plane], bits=bits, lsb=hardware.adc_lsb)
        samples = splice(codes[:, 0], codes[:, 1], hardware)
        responses.append({"samples": lanes(samples.T.ravel(), hardware.splice_bits)})
        clips_late.append({"clips": lanes(clips.transpose(0, 1, 3, 2).ravel(), 1)})
    clocks = pipeline("program and convert", stimuli, responses, group_latency(hardware)).clocks
    if hardware.merged:
        return Clocked("program and convert", clocks)
    # Clips come before the samples: they belong to the codes.
    early = pipeline("clips", stimuli, clips_late, macro_latency(hardware)).clocks
    return Clocked(
        "program and convert",
        [
            (driven, {**expected, **(early[k][1] if k < len(early) else {})})
            for k, (driven, expected) in enumerate(clocks)
        ],
    )


def cases() -> Iterator[Case]:
    """Yield one case per parameter set; merged where nothing is lost."""
    for name in SETS:
        hardware = HARDWARE[name]
        kind = MergedXbGroup if hardware.merged else XbGroup
        yield Case(
            f"{'merged_' if hardware.merged else ''}xb_group-{name}",
            lambda hardware=hardware, kind=kind: kind(hardware=hardware),
            [_phase(hardware)],
        )
