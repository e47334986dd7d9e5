"""Cases of :class:`sme_hw.result_buffer.ResultBuffer`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.result_buffer import result_buffer
from sme_hw.cycles import pipeline_latency, result_buffer_depth
from sme_hw.params import HardwareParams
from sme_hw.result_buffer import ResultBuffer

from .case import SEED, Case, Clocked, Credited, Phase, Span, Streams, Values
from .hardware import HARDWARE
from .values import join, lanes

__all__ = ["cases"]

SETS = ("slc", "mlc-free-shifts", "no-shifts", "coarse-adc", "narrow")

HOLD = 60
"""Clocks without a taker: longer than it takes to fill the buffer."""


class _Results:
    """Random result vectors, as column steps go in and as beats come out.

    Parameters
    ----------
    hardware : HardwareParams
    columns : int
    """

    def __init__(self, hardware: HardwareParams, columns: int):
        rng = np.random.default_rng(SEED + columns)
        a, bits = hardware.adcs_per_crossbar, hardware.result_bits
        self.hardware = hardware
        self.column_steps = -(-columns // a)
        # About twice as many results as the buffer holds.
        vectors = max(2, 2 * result_buffer_depth(hardware) // self.column_steps)
        limit = 2 ** (bits - 1)
        self.values = rng.integers(-limit, limit, size=(vectors, columns))
        self.values[0], self.values[1] = limit - 1, -limit
        # The columns after the last one convert zeros: their cells are 0.
        padded = np.zeros((vectors, self.column_steps * a), np.int64)
        padded[:, :columns] = self.values
        self.steps = [lanes(step, bits) for step in padded.reshape(-1, a).tolist()]

        beats = result_buffer(self.values, hardware.results_per_beat)
        self.beats_per_vector = beats.shape[1]
        self.beats = [
            join(*((value, bits) for value in beat), (b == len(vector) - 1, 1))
            for vector in beats.tolist()
            for b, beat in enumerate(vector)
        ]

    @property
    def levels(self) -> Values:
        """Inputs that tell the size of a vector."""
        return {
            "last_column_step": self.column_steps - 1,
            "last_beat": self.beats_per_vector - 1,
        }

    def credited(self, count: int | None = None) -> Credited:
        """Return the pipeline that the first ``count`` results come from."""
        return Credited(
            reserve="reserve",
            room="room",
            valid="i_valid",
            payload="i",
            latency=pipeline_latency(self.hardware),
            payloads=self.steps[:count],
        )


def _running(results: _Results, hold: int) -> list[Phase]:
    """Send results as fast as there is room, with a consumer that may start late."""
    steps, beats = len(results.steps), len(results.beats)
    spans = []
    if not hold:
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
    steps, beats = results.column_steps, results.beats_per_vector
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
        for columns in (hardware.cols, hardware.cols - 2, 1):
            results = _Results(hardware, columns)
            phases += _running(results, hold=0) + _running(results, hold=HOLD)
            phases += _waiting(results)
        yield Case(
            f"result_buffer-{name}",
            lambda hardware=hardware: ResultBuffer(hardware=hardware),
            phases,
        )
