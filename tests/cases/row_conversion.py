"""Cases of :class:`sme_hw.row_conversion.RowConversion`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.row_conversion import row_conversion
from sme_hw.cycles import ROW_CONVERSION_LATENCY
from sme_hw.pack import in_order
from sme_hw.params import HardwareParams, index_bits
from sme_hw.row_conversion import RowConversion

from .case import SEED, Case, Clocked, Phase, Span, Streams
from .hardware import (
    HARDWARE,
    converted_beat,
    input_beat,
    random_inputs,
    random_order,
    random_shifts,
)
from .values import lanes

__all__ = ["cases"]

VECTORS = 8

SETS = (
    "slc",
    "mlc-free-shifts",
    "no-shifts",
    "coarse-adc",
    "tall",
    "sets",
    "sets-reordered",
    "sets-quick",
)


def _load(hardware: HardwareParams, row_shifts: list[np.ndarray]) -> Clocked:
    """Write the RCMR of every set, last word first."""
    clocks = []
    beats = [len(shifts) // hardware.inputs_per_beat for shifts in row_shifts]
    if hardware.rcmr_bits:
        stride = 1 << (hardware.row_beats - 1).bit_length()
        for weight_set, shifts in enumerate(row_shifts):
            codes = (shifts // hardware.shift_step).reshape(-1, hardware.inputs_per_beat)
            for beat in reversed(range(len(codes))):
                driven = {
                    "write__enable": 1,
                    "write__address": weight_set * stride + beat,
                    "write__data": lanes(codes[beat], hardware.rcmr_bits),
                }
                clocks.append((driven, {"mid_vector": 0}))
        clocks.append(({"write__enable": 0}, {}))
    last_beats = lanes([count - 1 for count in beats], index_bits(hardware.row_beats))
    clocks.append(({"last_beat": last_beats}, {"mid_vector": 0}))
    return Clocked(f"load for {beats} beats", clocks)


def _stream(name: str, sent: list[int], out: list[int]) -> Streams:
    """Send beats and expect as many."""
    beats = len(sent)
    return Streams(
        name,
        sends={"i": sent},
        receives={"o": out},
        spans=[
            Span(("i", 0), ("i", beats - 1), beats - 1),
            *(Span(("i", k), ("o", k), ROW_CONVERSION_LATENCY) for k in range(beats)),
        ],
    )


def _phases(hardware: HardwareParams, sizes: list[int]) -> list[Phase]:
    """Convert vectors of so many beats, one size for each set, one of them in two parts."""
    rng = np.random.default_rng(SEED + sizes[0])
    row_shifts, sent, converted = [], [], []
    for weight_set, beats in enumerate(sizes):
        # Lanes beyond the last row are converted like the others.
        rows = beats * hardware.inputs_per_beat
        row_shifts.append(random_shifts(rng, hardware, rows))
        inputs = random_inputs(rng, hardware, VECTORS, rows)
        values = row_conversion(inputs, row_shifts[-1])
        shape = (VECTORS, beats, hardware.inputs_per_beat)
        sent.append(
            [[input_beat(hardware, b, weight_set) for b in v] for v in inputs.reshape(shape)]
        )
        converted.append(
            [
                [converted_beat(hardware, b, k == beats - 1, weight_set) for k, b in enumerate(v)]
                for v in values.reshape(shape)
            ]
        )
    order = random_order(rng, len(sizes), VECTORS)
    stream = [beat for vector in in_order(order, sent) for beat in vector]
    out = [beat for vector in in_order(order, converted) for beat in vector]
    phases: list[Phase] = [_load(hardware, row_shifts)]
    # The last vector is cut before its last beat.
    cut = len(stream) - 1
    phases.append(_stream("first part", stream[:cut], out[:cut]))
    parted = int(sizes[order[-1]] > 1)
    phases.append(Clocked("between parts", [({}, {"mid_vector": parted})]))
    phases.append(_stream("second part", stream[cut:], out[cut:]))
    phases.append(Clocked("end", [({}, {"mid_vector": 0})]))
    return phases


def cases() -> Iterator[Case]:
    """Yield one case per parameter set: vectors of all beats, of fewer, and of one."""
    for name in SETS:
        hardware = HARDWARE[name]
        sizes = sorted({hardware.row_beats, max(1, hardware.row_beats - 1), 1}, reverse=True)
        phases = []
        for first in range(len(sizes)):
            # Other sets have other sizes.
            chosen = [sizes[(first + s) % len(sizes)] for s in range(hardware.weight_sets)]
            phases += _phases(hardware, chosen)
        yield Case(
            f"row_conversion-{name}",
            lambda hardware=hardware: RowConversion(hardware=hardware),
            phases,
        )
