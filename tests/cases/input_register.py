"""Cases of :class:`sme_hw.input_register.InputRegister`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.input_register import input_register
from sim.golden.row_conversion import row_conversion
from sme_hw.cycles import INPUT_REGISTER_LATENCY
from sme_hw.input_register import InputRegister
from sme_hw.params import HardwareParams
from sme_hw.tile_image import EMPTY

from .case import SEED, Case, Clocked, Expected, Phase, Span, Streams, Values
from .hardware import HARDWARE, lane_bits, random_inputs, random_shifts
from .values import join, lanes, pipeline

__all__ = ["cases"]

VECTORS = 4

SETS = (
    "slc",
    "mlc-free-shifts",
    "no-shifts",
    "coarse-adc",
    "reordered",
    "zero-skip",
    "reordered-zero-skip",
)


class _Vectors:
    """Converted vectors of a parameter set, as beats and as word lines.

    Parameters
    ----------
    hardware : HardwareParams
    beats : int
        Beats of a vector.
    """

    def __init__(self, hardware: HardwareParams, beats: int):
        self.hardware = hardware
        self.beats = beats
        rng = np.random.default_rng(SEED + beats)
        rows = min(hardware.rows, beats * hardware.inputs_per_beat)
        inputs = random_inputs(rng, hardware, VECTORS, rows)
        shifts = random_shifts(rng, hardware, rows)
        #: Inputs in the order in which they come, and where each goes (EMPTY: nowhere).
        self.values = row_conversion(inputs, np.arange(rows), shifts)
        self.places = np.arange(rows)
        if hardware.input_index:
            self.places = rng.permutation(rows)
            self.places[rng.integers(rows)] = EMPTY
        kept = self.places != EMPTY
        #: Values on physical rows; rows that no input goes to keep nothing that matters.
        self.converted = np.zeros_like(self.values)
        self.converted[:, self.places[kept]] = self.values[:, kept]
        self.driven = np.zeros(rows, bool)
        self.driven[self.places[kept]] = True

    def beat(self, vector: int, beat: int) -> int:
        """Return the payload of a beat."""
        hardware = self.hardware
        first = beat * hardware.inputs_per_beat
        part = slice(first, first + hardware.inputs_per_beat)
        values = self.values[vector, part] % 2**hardware.converted_bits
        if hardware.input_index:
            keep = 1 << hardware.row_index_bits - 1
            places = np.where(self.places[part] == EMPTY, 0, self.places[part] | keep)
            values = values | places << hardware.converted_bits
        return lanes(values, lane_bits(hardware))

    def masks(self, vector: int) -> int:
        """Return the bit-cycles in which each slot has a 1."""
        hardware = self.hardware
        slots = [
            int(np.bitwise_or.reduce(self.converted[vector, start : start + hardware.group_rows]))
            for start in range(0, hardware.slots * hardware.group_rows, hardware.group_rows)
        ]
        return lanes(slots, hardware.converted_bits)

    def payloads(self, vector: int) -> list[int]:
        """Return all beats of a vector."""
        return [self.beat(vector, beat) for beat in range(self.beats)]

    def selections(self, vector: int) -> list[tuple[Values, Expected]]:
        """Return every selection, and the word lines that it drives from ``vector``."""
        hardware = self.hardware
        result = []
        for slot, t in np.ndindex(hardware.slots, hardware.converted_bits):
            rows = self.converted[vector, slot * hardware.group_rows :][: hardware.group_rows]
            select = join(
                (t, max(1, (hardware.converted_bits - 1).bit_length())),
                (slot, max(1, (hardware.slots - 1).bit_length())),
            )
            # Rows that the vector does not have may be anything.
            known = np.argmin([*self.driven[slot * hardware.group_rows :][: len(rows)], False])
            expected = {"word_lines": (lanes(input_register(rows[:known], t), 1), int(known))}
            result.append(({"select": select}, expected))
        return result


def _masks(vectors: _Vectors, vector: int) -> list[Phase]:
    """Look at the masks of a vector that waits to be handed over."""
    if not vectors.hardware.zero_skip:
        return []
    return [Clocked(f"masks of {vector}", [({}, {"vector_masks": vectors.masks(vector)})])]


def _handshakes(vectors: _Vectors) -> list[Phase]:
    """Load vector k + 1 while vector k is handed over; then look at vector k."""
    last = vectors.beats - 1
    first = vectors.payloads(0)
    phases: list[Phase] = [
        Streams("all beats but one", sends={"i": first[:-1]}, levels={"last_beat": last}),
        Clocked("not loaded", [({}, {"vector__valid": 0, "mid_vector": int(last > 0)})]),
        Streams("last beat", sends={"i": first[-1:]}),
        Clocked("loaded", [({}, {"vector__valid": 1, "i__ready": 0, "mid_vector": 0})]),
        *_masks(vectors, 0),
    ]
    # The hand-over makes room for a beat in the same clock; then comes one beat a clock.
    spans = [Span(("vector", 0), ("i", beat), beat) for beat in range(vectors.beats)]
    for k in range(VECTORS):
        following = vectors.payloads(k + 1) if k + 1 < VECTORS else []
        phases.append(
            Streams(
                f"hand over vector {k}",
                sends={"i": following},
                receives={"vector": [0]},
                unfinished=["vector"],
                spans=spans if following else [],
            )
        )
        selections = vectors.selections(k)
        phases.append(
            pipeline(
                f"word lines of vector {k}",
                [driven for driven, _ in selections],
                [expected for _, expected in selections],
                INPUT_REGISTER_LATENCY,
            )
        )
        waiting = int(k + 1 < VECTORS)
        flags = {"vector__valid": waiting, "i__ready": 1 - waiting, "mid_vector": 0}
        phases.append(Clocked(f"after vector {k}", [({}, flags)]))
        phases += _masks(vectors, k + 1) if waiting else []
    return phases


def _full_rate(vectors: _Vectors) -> list[Phase]:
    """Select and load at the same time, without a pause between vectors."""
    stimuli: list[Values] = []
    responses: list[Expected] = []
    for beat in range(vectors.beats):
        stimuli.append({"i__valid": 1, "i__payload": vectors.beat(0, beat)})
        responses.append({})
    stimuli.append({"i__valid": 0, "vector__ready": 1})
    responses.append({})
    for k in range(VECTORS):
        selections = vectors.selections(k)
        while len(selections) < vectors.beats + 1:
            selections += vectors.selections(k)  # to have clocks enough for loading
        for clock, (driven, expected) in enumerate(selections):
            loads = k + 1 < VECTORS and clock < vectors.beats
            stimuli.append(
                driven
                | {
                    "i__valid": int(loads),
                    "i__payload": vectors.beat(k + 1, clock) if loads else 0,
                    # What is selected in the clock of a hand-over is still of the vector before.
                    "vector__ready": int(clock == len(selections) - 1 and k + 1 < VECTORS),
                }
            )
            responses.append(expected)
    return [pipeline("full rate", stimuli, responses, INPUT_REGISTER_LATENCY)]


def cases() -> Iterator[Case]:
    """Yield one case per parameter set: vectors of all beats and of one beat."""
    for name in SETS:
        hardware = HARDWARE[name]
        phases: list[Phase] = []
        for beats in sorted({hardware.input_beats, 1}, reverse=True):
            vectors = _Vectors(hardware, beats)
            phases += _handshakes(vectors) + _full_rate(vectors)
        yield Case(
            f"input_register-{name}",
            lambda hardware=hardware: InputRegister(hardware=hardware),
            phases,
        )
