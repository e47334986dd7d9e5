"""Cases of :class:`sme_hw.input_gather.InputGather`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.input_gather import input_gather
from sme_hw.cycles import GATHER_LATENCY
from sme_hw.input_gather import InputGather
from sme_hw.params import HardwareParams
from sme_hw.program import index_fields, input_lanes, pack_inputs, row_lanes
from sme_hw.tile_image import EMPTY

from .case import SEED, Case, Clocked, Phase, Span, Streams
from .hardware import HARDWARE, random_inputs
from .values import join, lanes

__all__ = ["cases"]

VECTORS = 7

SETS = ("reordered", "reordered-zero-skip")


def _load(hardware: HardwareParams, input_index: np.ndarray, inputs: int) -> Clocked:
    """Write the input index, last word first."""
    widths = index_fields(hardware)
    clocks = []
    words = row_lanes(hardware, len(input_index))
    for beat in reversed(range(len(words))):
        fields = []
        for row in words[beat]:
            source = EMPTY if row == EMPTY else int(input_index[row])
            place, lane = divmod(max(0, source), hardware.inputs_per_beat)
            values = {"beat": place, "lane": lane, "keep": int(source != EMPTY)}
            fields += [(values[name], width) for name, width in widths.items()]
        driven = {"write__enable": 1, "write__address": beat, "write__data": join(*fields)}
        clocks.append((driven, {"mid_vector": 0}))
    levels = {
        "write__enable": 0,
        "last_beat": len(input_lanes(hardware, inputs)) - 1,
        "last_row_beat": len(words) - 1,
    }
    clocks.append((levels, {"mid_vector": 0}))
    return Clocked(f"load an index of {len(input_index)} rows", clocks)


def _phases(
    rng: np.random.Generator, hardware: HardwareParams, inputs: int, rows: int
) -> list[Phase]:
    """Send vectors; half of the index's rows may be empty."""
    input_index = np.full(rows, EMPTY)
    used = min(inputs, max(1, rows - rows // 3))
    input_index[rng.permutation(rows)[:used]] = rng.permutation(inputs)[:used]
    values = random_inputs(rng, hardware, VECTORS, inputs)
    sent = pack_inputs(values, hardware)
    gathered = input_gather(values, input_index)
    places = row_lanes(hardware, rows)
    out = np.where(places == EMPTY, 0, gathered[:, places])
    before, after = sent.shape[1], out.shape[1]
    width = hardware.input_bits
    full_speed = Streams(
        f"{inputs} inputs to {rows} rows",
        sends={"i": [lanes(beat, width) for beat in sent.reshape(-1, hardware.inputs_per_beat)]},
        receives={"o": [lanes(beat, width) for beat in out.reshape(-1, hardware.inputs_per_beat)]},
        spans=[
            Span(("i", 0), ("i", VECTORS * before - 1), VECTORS * before - 1),
            Span(("i", before - 1), ("o", 0), GATHER_LATENCY),
            # The slower side sets the pace.
            Span(
                ("o", 0),
                ("o", VECTORS * after - 1),
                (VECTORS - 1) * max(before, after) + after - 1,
            ),
        ],
    )
    return [_load(hardware, input_index, inputs), full_speed]


def cases() -> Iterator[Case]:
    """Yield one case per parameter set; more inputs than rows, and more rows than inputs."""
    for name in SETS:
        hardware = HARDWARE[name]
        rng = np.random.default_rng(SEED)
        r = hardware.rows
        phases: list[Phase] = []
        for inputs, rows in ((r, r), (r, 1), (1, r), (r - 1, r), (r, r - 2)):
            phases += _phases(rng, hardware, inputs, rows)
        yield Case(
            f"input_gather-{name}",
            lambda hardware=hardware: InputGather(hardware=hardware),
            phases,
        )
