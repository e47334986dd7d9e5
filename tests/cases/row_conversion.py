"""Cases of :class:`sme_hw.row_conversion.RowConversion`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.row_conversion import row_conversion
from sme_hw.cycles import ROW_CONVERSION_LATENCY
from sme_hw.params import HardwareParams
from sme_hw.row_conversion import RowConversion

from .case import SEED, Case, Clocked, Phase, Span, Streams
from .hardware import HARDWARE, converted_beat, random_inputs, random_shifts
from .values import lanes

__all__ = ["cases"]

VECTORS = 8

SETS = ("slc", "mlc-free-shifts", "no-shifts", "coarse-adc", "tall")


def _load(hardware: HardwareParams, beats: int, row_shifts: np.ndarray) -> Clocked:
    """Write the RCMR, last word first."""
    clocks = []
    if hardware.rcmr_bits:
        codes = (row_shifts // hardware.shift_step).reshape(beats, hardware.inputs_per_beat)
        for beat in reversed(range(beats)):
            driven = {
                "write__enable": 1,
                "write__address": beat,
                "write__data": lanes(codes[beat], hardware.rcmr_bits),
            }
            clocks.append((driven, {"mid_vector": 0}))
        clocks.append(({"write__enable": 0}, {}))
    clocks.append(({"last_beat": beats - 1}, {"mid_vector": 0}))
    return Clocked(f"load for {beats} beats", clocks)


def _stream(hardware: HardwareParams, name: str, inputs: np.ndarray, out: list[int]) -> Streams:
    """Send beats, shape (beats, lanes), and expect as many."""
    beats = len(inputs)
    return Streams(
        name,
        sends={"i": [lanes(beat, hardware.input_bits) for beat in inputs]},
        receives={"o": out},
        spans=[
            Span(("i", 0), ("i", beats - 1), beats - 1),
            *(Span(("i", k), ("o", k), ROW_CONVERSION_LATENCY) for k in range(beats)),
        ],
    )


def _phases(hardware: HardwareParams, beats: int) -> list[Phase]:
    """Convert vectors of this many beats, one of them in two parts."""
    rng = np.random.default_rng(SEED + beats)
    # Lanes beyond the last row are converted like the others.
    rows = beats * hardware.inputs_per_beat
    row_shifts = random_shifts(rng, hardware, rows)
    inputs = random_inputs(rng, hardware, VECTORS, rows)
    values = row_conversion(inputs, row_shifts)
    inputs = inputs.reshape(-1, hardware.inputs_per_beat)
    out = [
        converted_beat(hardware, beat, k % beats == beats - 1)
        for k, beat in enumerate(values.reshape(-1, hardware.inputs_per_beat))
    ]
    phases: list[Phase] = [_load(hardware, beats, row_shifts)]
    # The last vector is cut before its last beat.
    cut = len(inputs) - 1
    phases.append(_stream(hardware, "first part", inputs[:cut], out[:cut]))
    phases.append(Clocked("between parts", [({}, {"mid_vector": int(beats > 1)})]))
    phases.append(_stream(hardware, "second part", inputs[cut:], out[cut:]))
    phases.append(Clocked("end", [({}, {"mid_vector": 0})]))
    return phases


def cases() -> Iterator[Case]:
    """Yield one case per parameter set: vectors of all beats, of fewer, and of one."""
    for name in SETS:
        hardware = HARDWARE[name]
        sizes = sorted({hardware.row_beats, max(1, hardware.row_beats - 1), 1}, reverse=True)
        yield Case(
            f"row_conversion-{name}",
            lambda hardware=hardware: RowConversion(hardware=hardware),
            [phase for beats in sizes for phase in _phases(hardware, beats)],
        )
