"""Cases of :class:`sme_hw.input_gather.InputGather`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sim.golden.input_gather import input_gather
from sme_hw.cycles import GATHER_LATENCY, INPUT_BUFFERS
from sme_hw.input_gather import InputGather
from sme_hw.pack import in_order, input_lanes, pack_inputs, row_lanes
from sme_hw.params import HardwareParams, index_bits
from sme_hw.program import index_fields
from sme_hw.tile_image import EMPTY

from .case import SEED, Case, Clocked, Phase, Span, Streams
from .hardware import HARDWARE, input_beat, random_inputs, random_order
from .values import join, lanes

__all__ = ["cases"]

SETS = ("reordered", "reordered-zero-skip", "sets-reordered")


def _load(hardware: HardwareParams, indices: Sequence[np.ndarray], inputs: list[int]) -> Clocked:
    """Write the input index of every set, last word first."""
    widths = index_fields(hardware)
    clocks = []
    stride = 1 << (hardware.row_beats - 1).bit_length()
    last_row_beats = []
    for weight_set, input_index in enumerate(indices):
        words = row_lanes(hardware, len(input_index))
        last_row_beats.append(len(words) - 1)
        for beat in reversed(range(len(words))):
            fields = []
            for row in words[beat]:
                source = EMPTY if row == EMPTY else int(input_index[row])
                place, lane = divmod(max(0, source), hardware.inputs_per_beat)
                values = {"beat": place, "lane": lane, "keep": int(source != EMPTY)}
                fields += [(values[name], width) for name, width in widths.items()]
            driven = {
                "write__enable": 1,
                "write__address": weight_set * stride + beat,
                "write__data": join(*fields),
            }
            clocks.append((driven, {"mid_vector": 0}))
    last_beats = [len(input_lanes(hardware, count)) - 1 for count in inputs]
    levels = {
        "write__enable": 0,
        "last_beat": lanes(last_beats, index_bits(hardware.input_beats)),
        "last_row_beat": lanes(last_row_beats, index_bits(hardware.row_beats)),
    }
    clocks.append((levels, {"mid_vector": 0}))
    return Clocked(f"load indices of {[len(index) for index in indices]} rows", clocks)


def _random_index(rng: np.random.Generator, inputs: int, rows: int) -> np.ndarray:
    """Return an index; half of its rows may be empty."""
    input_index = np.full(rows, EMPTY)
    used = min(inputs, max(1, rows - rows // 3))
    input_index[rng.permutation(rows)[:used]] = rng.permutation(inputs)[:used]
    return input_index


def _phases(
    rng: np.random.Generator, hardware: HardwareParams, sizes: list[tuple[int, int]]
) -> list[Phase]:
    """Send as many vectors as there may be; each set has its number of inputs and of rows."""
    count = INPUT_BUFFERS // len(sizes)
    indices = [_random_index(rng, inputs, rows) for inputs, rows in sizes]
    sent, out = [], []
    for weight_set, (index, (inputs, rows)) in enumerate(zip(indices, sizes, strict=True)):
        values = random_inputs(rng, hardware, count, inputs)
        gathered = input_gather(values, index)
        places = row_lanes(hardware, rows)
        ordered = np.where(places == EMPTY, 0, gathered[:, places])
        for target, vectors in ((sent, pack_inputs(values, hardware)), (out, ordered)):
            target.append([[input_beat(hardware, b, weight_set) for b in v] for v in vectors])
    order = random_order(rng, len(sizes), count)
    incoming, outgoing = in_order(order, sent), in_order(order, out)
    # A vector is read when it is complete and the one before has been read.
    arrived = np.cumsum([len(vector) for vector in incoming]) - 1
    ends = -1
    for arrival, vector in zip(arrived, outgoing, strict=True):
        ends = max(int(arrival) + GATHER_LATENCY, ends + 1) + len(vector) - 1
    beats = int(arrived[-1]) + 1
    full_speed = Streams(
        f"inputs to rows: {sizes}",
        sends={"i": [beat for vector in incoming for beat in vector]},
        receives={"o": [beat for vector in outgoing for beat in vector]},
        spans=[
            Span(("i", 0), ("i", beats - 1), beats - 1),
            Span(("i", int(arrived[0])), ("o", 0), GATHER_LATENCY),
            # The slower side sets the pace.
            Span(("i", 0), ("o", -1), ends),
        ],
    )
    # A vector that finds nothing before it is read as soon as it came; backwards, because every
    # place in the memories would get the same vector again.
    one_by_one = [
        Streams(f"vector {k}", sends={"i": incoming[k]}, receives={"o": outgoing[k]})
        for k in reversed(range(len(order)))
    ]
    # The pipeline holds less than a long vector, so that all of them wait to be read.
    held = replace(full_speed, name=f"held: {sizes}", holds={"o": 2 * beats}, spans=[])
    load = _load(hardware, indices, [inputs for inputs, _ in sizes])
    return [load, full_speed, *one_by_one, held]


def _hardware_sets() -> Iterator[tuple[str, HardwareParams]]:
    """Yield the shared sets, and one with vectors of more beats than the pipeline holds."""
    for name in SETS:
        yield name, HARDWARE[name]
    yield "long", replace(HARDWARE["reordered"], rows=13)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set; more inputs than rows, and more rows than inputs."""
    for name, hardware in _hardware_sets():
        rng = np.random.default_rng(SEED)
        r = hardware.rows
        phases: list[Phase] = []
        sizes = [(r, r), (r, 1), (1, r), (r - 1, r), (r, r - 2)]
        for first in range(len(sizes)):
            # Other sets have other sizes.
            chosen = [sizes[(first + s) % len(sizes)] for s in range(hardware.weight_sets)]
            phases += _phases(rng, hardware, chosen)
        yield Case(
            f"input_gather-{name}",
            lambda hardware=hardware: InputGather(hardware=hardware),
            phases,
        )
