"""Cases of :class:`sme_hw.input_register.InputRegister`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.input_register import input_register
from sim.golden.row_conversion import row_conversion
from sim.mapping import load_parameters
from sme_hw.cycles import (
    COLLECT_LATENCY,
    INPUT_BUFFERS,
    INPUT_REGISTER_LATENCY,
    InputBlocks,
)
from sme_hw.input_register import InputRegister
from sme_hw.pack import row_lanes
from sme_hw.params import HardwareParams, index_bits
from sme_hw.tile_image import EMPTY

from .case import SEED, Case, Clocked, Expected, Phase, Span, Streams, Values
from .hardware import HARDWARE, converted_beat, random_inputs, random_shifts
from .values import join, lanes, pipeline

__all__ = ["cases"]

VECTORS = 5
"""Vectors that are looked at bit by bit."""

SETS = (
    "slc",
    "mlc-free-shifts",
    "no-shifts",
    "coarse-adc",
    "tall",
    "zero-skip",
    "sets",
    "sets-reordered",
    "sets-quick",
    "two-lanes",
    "four-lanes",
)


class _Vectors:
    """Converted vectors of a parameter set, as beats and as word lines.

    Parameters
    ----------
    hardware : HardwareParams
    rows : int
        Physical rows of a vector.
    """

    def __init__(self, hardware: HardwareParams, rows: int):
        self.hardware = hardware
        self.rng = rng = np.random.default_rng(SEED + rows)
        self.sets = [int(rng.integers(hardware.weight_sets)) for _ in range(INPUT_BUFFERS)]
        # The one without any 1 comes first.
        inputs = np.roll(random_inputs(rng, hardware, INPUT_BUFFERS, rows), 1, axis=0)
        self.converted = row_conversion(inputs, random_shifts(rng, hardware, rows))
        self.places = row_lanes(hardware, rows)
        self.beats = len(self.places)

    def payloads(self, vector: int) -> list[int]:
        """Return all beats of a vector; lanes without a row hold ones, which must not count."""
        values = np.where(self.places == EMPTY, -1, self.converted[vector, self.places])
        if self.hardware.zero_skip:
            values = np.where(self.places == EMPTY, 0, values)
        last, weight_set = self.beats - 1, self.sets[vector]
        return [
            converted_beat(self.hardware, beat, k == last, weight_set)
            for k, beat in enumerate(values)
        ]

    def shown_sets(self, vector: int, loaded: int) -> Expected:
        """Return the sets beside ``vector``, which waits, of ``loaded`` vectors."""
        if self.hardware.weight_sets == 1:
            return {}
        names = ("vector__set", "vector__set_behind")
        return dict(zip(names, self.sets[vector:loaded], strict=False))

    def shown(self, vector: int, loaded: int) -> Expected:
        """Return all that is shown beside ``vector``, which waits, of ``loaded`` vectors."""
        masks = {"vector_masks": self.masks(vector)} if self.hardware.zero_skip else {}
        return {**self.shown_sets(vector, loaded), **masks}

    def masks(self, vector: int) -> int:
        """Return the bit-cycles in which each slot has a 1."""
        hardware = self.hardware
        slots = [
            int(np.bitwise_or.reduce(self.converted[vector, start : start + hardware.group_rows]))
            for start in range(0, hardware.slots * hardware.group_rows, hardware.group_rows)
        ]
        return lanes(slots, hardware.converted_bits)

    def selections(self, vector: int) -> list[tuple[Values, Expected]]:
        """Return every selection, and the word lines that it grounds for ``vector``."""
        hardware = self.hardware
        result = []
        lanes_count = hardware.emulation_lanes
        every = 2**lanes_count - 1
        for slot, block in np.ndindex(hardware.slots, hardware.bit_blocks):
            rows = self.converted[vector, slot * hardware.group_rows :][: hardware.group_rows]
            wanted = every if block == 0 else int(self.rng.integers(every + 1))
            lines = []
            for lane in range(lanes_count):
                t = block * lanes_count + lane
                wanted &= every if t < hardware.converted_bits else ~(1 << lane)
                off = 1 - input_register(rows, t) if wanted >> lane & 1 else np.ones(len(rows))
                # Rows that the vector does not have may be anything, so the last lane is not
                # compared beyond them, and the others only if it has them all.
                lines.append((lanes(off.astype(int), 1), hardware.group_rows))
            select = join(
                (block, index_bits(hardware.bit_blocks)),
                (wanted, lanes_count),
                (slot, index_bits(hardware.slots)),
            )
            full = len(rows) == hardware.group_rows
            bits = lanes_count * hardware.group_rows if full else len(rows)
            result.append(
                ({"select": select}, {"grounded": (join(*lines) & (1 << bits) - 1, bits)})
            )
        return result

    def accepted(self) -> tuple[list[int], int]:
        """Return the clocks in which a vector's beats are taken, and when its last block fills up.

        The first beat comes in clock 0, when no block leaves the register any more.
        """
        blocks = InputBlocks.of(self.hardware)
        clocks: list[int] = []
        filled = None
        slot_beats = self.hardware.slot_beats
        for start in range(0, self.beats, slot_beats):
            count = min(slot_beats, self.beats - start)
            for first in range(0, count, blocks.beats):
                begin = 0 if filled is None else filled + 1
                beats = min(blocks.beats, count - first)
                earliest = 0 if filled is None else filled + self.hardware.converted_bits
                filled = max(begin + blocks.beats - 1, earliest)
                clocks += [begin + k for k in range(beats)]
                if beats == blocks.beats:
                    clocks[-1] = filled
        assert filled is not None
        return clocks, filled


def _hand_over(vectors: _Vectors, vector: int, loaded: int) -> list[Phase]:
    """Take a vector that waits; ``loaded`` vectors are there in all."""
    return [
        Clocked(f"beside {vector}", [({}, vectors.shown(vector, loaded))]),
        Streams(f"hand over vector {vector}", receives={"vector": [0]}, unfinished=["vector"]),
        Clocked("handed over", [({}, {"vector__valid": int(vector + 1 < loaded)})]),
    ]


def _set_in_time(vectors: _Vectors) -> list[Phase]:
    """Load a vector; its set is shown from one clock before it is valid."""
    clocks, filled = vectors.accepted()
    beats = dict(zip(clocks, vectors.payloads(0), strict=True))
    valid = filled + vectors.hardware.converted_bits + COLLECT_LATENCY
    played: list[tuple[Values, Expected]] = []
    for clock in range(valid + 2):
        driven = {"i__valid": int(clock in beats), "i__payload": beats.get(clock, 0)}
        shown = vectors.shown_sets(0, 1) if clock >= valid - 1 else {}
        played.append((driven, {"vector__valid": int(clock >= valid), **shown}))
    return [Clocked("shown in time", played), *_hand_over(vectors, 0, 1)]


def _taken_at_full_rate(vectors: _Vectors) -> list[Phase]:
    """Let as many vectors wait as there may be, and take them in successive clocks."""
    load = [beat for v in range(INPUT_BUFFERS) for beat in vectors.payloads(v)]
    taken: list[tuple[Values, Expected]] = [
        ({"vector__ready": 1}, {"vector__valid": 1, **vectors.shown(v, INPUT_BUFFERS)})
        for v in range(INPUT_BUFFERS)
    ]
    taken.append(({"vector__ready": 0}, {"vector__valid": 0}))
    return [Streams("load to be taken at once", sends={"i": load}), Clocked("taken", taken)]


def _one_by_one(vectors: _Vectors) -> list[Phase]:
    """Load all vectors, then hand them over and look at them one after the other."""
    clocks, filled = vectors.accepted()
    latency = filled - clocks[-1] + vectors.hardware.converted_bits + COLLECT_LATENCY
    load = [beat for v in range(VECTORS) for beat in vectors.payloads(v)]
    phases: list[Phase] = [
        Clocked("nothing loaded", [({}, {"vector__valid": 0})]),
        Streams(
            "load and hand over",
            sends={"i": load},
            receives={"vector": [0] * VECTORS},
            spans=[
                *(Span(("i", 0), ("i", k), clock) for k, clock in enumerate(clocks)),
                Span(("i", vectors.beats - 1), ("vector", 0), latency),
            ],
        ),
        Streams("load all", sends={"i": load}),
    ]
    for k in range(VECTORS):
        phases += [*_hand_over(vectors, k, VECTORS), _look(vectors, k)]
    return phases + _set_in_time(vectors) + _taken_at_full_rate(vectors)


def _look(vectors: _Vectors, vector: int) -> Clocked:
    """Make every selection."""
    selections = vectors.selections(vector)
    return pipeline(
        f"word lines of vector {vector}",
        [driven for driven, _ in selections],
        [expected for _, expected in selections],
        INPUT_REGISTER_LATENCY,
    )


def _full_rate(vectors: _Vectors) -> list[Phase]:
    """Select from one vector and load the next one at the same time."""
    clocks, filled = vectors.accepted()
    phases: list[Phase] = [Streams("first vector", sends={"i": vectors.payloads(0)})]
    for k in range(VECTORS):
        phases += _hand_over(vectors, k, k + 1)
        payloads = vectors.payloads(k + 1) if k + 1 < VECTORS else []
        beats = dict(zip(clocks, payloads, strict=False))
        stimuli: list[Values] = []
        responses: list[Expected] = []
        selections = vectors.selections(k)
        for clock in range(max(len(selections), filled + 2)):
            driven, expected = selections[clock % len(selections)]
            arriving = {"i__valid": int(clock in beats), "i__payload": beats.get(clock, 0)}
            stimuli.append(driven | arriving)
            responses.append(expected)
        phases.append(
            pipeline(f"vector {k} beside loading", stimuli, responses, INPUT_REGISTER_LATENCY)
        )
    return phases


def _hardware_sets() -> Iterator[tuple[str, HardwareParams]]:
    """Yield the shared sets, and one with several blocks in a slot, the last ones short."""
    for name in SETS:
        yield name, HARDWARE[name]
    yield "blocks", load_parameters("tiny", rows=90, rows_active=71, input_bits=4).hardware


def cases() -> Iterator[Case]:
    """Yield one case per parameter set: vectors of all rows, of fewer, and of one."""
    for name, hardware in _hardware_sets():
        phases: list[Phase] = []
        for rows in sorted({hardware.rows, hardware.rows - 2, 1}, reverse=True):
            vectors = _Vectors(hardware, rows)
            phases += _one_by_one(vectors) + _full_rate(vectors)
        yield Case(
            f"input_register-{name}",
            lambda hardware=hardware: InputRegister(hardware=hardware),
            phases,
        )
