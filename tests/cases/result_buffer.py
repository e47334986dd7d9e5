"""Cases of :class:`sme_hw.result_buffer.ResultBuffer`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.result_buffer import result_buffer
from sme_hw.cycles import pipeline_latency, result_buffer_depth
from sme_hw.pack import in_order
from sme_hw.params import HardwareParams, index_bits
from sme_hw.result_buffer import ResultBuffer

from .case import SEED, Case, Clocked, Credited, Phase, Span, Streams, Values
from .hardware import HARDWARE, random_order
from .values import join, lanes

__all__ = ["cases"]

SETS = (
    "slc",
    "mlc-free-shifts",
    "no-shifts",
    "coarse-adc",
    "narrow",
    "sets",
    "sets-reordered",
    "sets-quick",
)

HOLD = 60
"""Clocks without a taker: longer than it takes to fill the buffer."""


class _Results:
    """Random result vectors, as column steps go in and as beats come out.

    Parameters
    ----------
    hardware : HardwareParams
    columns : list of int
        Columns of each set.
    """

    def __init__(self, hardware: HardwareParams, columns: list[int]):
        rng = np.random.default_rng(SEED + columns[0])
        a, b, bits = hardware.adcs_per_crossbar, hardware.results_per_beat, hardware.result_bits
        self.hardware = hardware
        self.column_steps = [-(-count // a) for count in columns]
        self.beats_per_vector = [-(-count // b) for count in columns]
        # About twice as many results as the buffer holds.
        vectors = max(2, 2 * result_buffer_depth(hardware) // sum(self.column_steps))
        limit = 2 ** (bits - 1)
        steps, beats = [], []
        for weight_set, count in enumerate(columns):
            values = rng.integers(-limit, limit, size=(vectors, count))
            values[0], values[1] = limit - 1, -limit
            # The columns after the last one convert zeros: their cells are 0.
            padded = np.zeros((vectors, self.column_steps[weight_set], a), np.int64)
            padded.reshape(vectors, -1)[:, :count] = values
            steps.append(
                [[{"i": lanes(step, bits)} for step in vector] for vector in padded.tolist()]
            )
            beats.append(
                [
                    [
                        join(*((value, bits) for value in beat), (k == len(vector) - 1, 1))
                        for k, beat in enumerate(vector)
                    ]
                    for vector in result_buffer(values, b).tolist()
                ]
            )
        self.order = random_order(rng, len(columns), vectors)
        self.steps = [step for vector in in_order(self.order, steps) for step in vector]
        self.sets = [{"i_set": int(s)} for s in self.order for _ in range(self.column_steps[s])]
        self.beats = [beat for vector in in_order(self.order, beats) for beat in vector]

    @property
    def levels(self) -> Values:
        """Inputs that tell the size of a vector."""
        hardware = self.hardware
        return {
            "last_column_step": lanes(
                [count - 1 for count in self.column_steps], index_bits(hardware.column_steps)
            ),
            "last_beat": lanes(
                [count - 1 for count in self.beats_per_vector], index_bits(hardware.result_beats)
            ),
        }

    def credited(self, count: int | None = None) -> Credited:
        """Return the pipeline that the first ``count`` results come from."""
        return Credited(
            reserve="reserve",
            room="room",
            valid="i_valid",
            latency=pipeline_latency(self.hardware),
            payloads=self.steps[:count],
            announced=self.sets[:count] if self.hardware.weight_sets > 1 else (),
        )


def _running(results: _Results, hold: int) -> list[Phase]:
    """Send results as fast as there is room, with a consumer that may start late."""
    steps, beats = len(results.steps), len(results.beats)
    spans = []
    if not hold and results.hardware.weight_sets == 1:
        # At full rate the slower side has no bubble.
        a, b = results.hardware.adcs_per_crossbar, results.hardware.results_per_beat
        spans = [
            Span(("reserve", 0), ("reserve", steps - 1), steps - 1)
            if b >= a
            else Span(("o", 0), ("o", beats - 1), beats - 1)
        ]
    return [
        Streams(
            f"running, {results.column_steps} column steps, held for {hold} clocks",
            receives={"o": results.beats},
            credited=results.credited(),
            levels=results.levels,
            holds={"o": hold} if hold else {},
            spans=spans,
        ),
        Clocked("end", [({}, {"empty": 1, "room": 1, "o__valid": 0})]),
    ]


def _waiting(results: _Results) -> list[Phase]:
    """Let the results of one vector wait: a beat on offer is not forgotten."""
    steps = results.column_steps[results.order[0]]
    beats = results.beats_per_vector[results.order[0]]
    return [
        Streams("one vector", credited=results.credited(steps), levels=results.levels),
        Clocked("waits", [({}, {"empty": 0, "o__valid": 1})]),
        Streams("taken", receives={"o": results.beats[:beats]}),
        Clocked("end", [({}, {"empty": 1, "o__valid": 0})]),
    ]


def cases() -> Iterator[Case]:
    """Yield one case per parameter set: all columns, fewer, and one column."""
    for name in SETS:
        hardware = HARDWARE[name]
        phases: list[Phase] = []
        sizes = [hardware.cols, hardware.cols - 2, 1]
        for first in range(len(sizes)):
            # Other sets have other sizes.
            columns = [sizes[(first + s) % len(sizes)] for s in range(hardware.weight_sets)]
            results = _Results(hardware, columns)
            phases += _running(results, hold=0) + _running(results, hold=HOLD)
            phases += _waiting(results)
        yield Case(
            f"result_buffer-{name}",
            lambda hardware=hardware: ResultBuffer(hardware=hardware),
            phases,
        )
