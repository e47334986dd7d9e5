"""Input vectors through what holds tiles, as phases of a case."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from sim.golden.compute_unit import compute_unit_sets, vector_bit_blocks
from sim.golden.program_port import program_port
from sim.golden.result_buffer import result_buffer
from sme_hw.cycles import clip_settle_cycles
from sme_hw.pack import in_order, pack, pack_inputs
from sme_hw.params import PROGRAM_BITS, HardwareParams
from sme_hw.program import REGION_OFFSET, SET_OFFSET, Region, entry_words
from sme_hw.run_cycles import fill_cycles, run_cycles
from sme_hw.tile_image import TileImage

from .case import Clocked, Expected, Phase, Span, Streams, Values
from .hardware import input_beat
from .values import join, pattern, signed

__all__ = ["TileRun", "VectorRun", "result_beats", "result_payloads"]


def result_beats(results: np.ndarray, results_per_beat: int) -> list[list[list[int]]]:
    """Return the values in each beat of result vectors, shape (vectors, columns)."""
    return result_buffer(results, results_per_beat).tolist()


def result_payloads(beats: Sequence[Sequence[int]], bits: int) -> list[int]:
    """Return the payloads of a vector's beats, whose values must fit so many bits."""
    return [
        join(*((signed(value, bits), bits) for value in beat), (b == len(beats) - 1, 1))
        for b, beat in enumerate(beats)
    ]


class VectorRun(ABC):
    """A program, input vectors, and what must come of them.

    Parameters
    ----------
    program : numpy.ndarray of uint32, shape (words,)
    inputs, results : list of list of int
        Payloads of each vector's beats.
    clips : numpy.ndarray of integers
        What the clip counters show in the end.
    clocks, fill : int
        Length of the run, and clocks to the first result beat.
    """

    program: np.ndarray
    inputs: list[list[int]]
    results: list[list[int]]
    clips: np.ndarray
    clocks: int
    fill: int

    @abstractmethod
    def counters(self, clips: np.ndarray) -> Clocked:
        """Return a look at all clip counters."""

    @property
    def streams(self) -> dict[str, dict[str, list[int]]]:
        """All vectors and their results, as what is sent and received."""
        return {
            "sends": {"i": [beat for vector in self.inputs for beat in vector]},
            "receives": {"o": [beat for vector in self.results for beat in vector]},
        }

    def load(self) -> list[Phase]:
        """Return the program alone."""
        words = len(self.program)
        return [
            Streams(
                "program",
                sends={"program": self.program.tolist()},
                spans=[Span(("program", 0), ("program", -1), words - 1)],
            ),
            Clocked("programmed", [({}, {"busy": 0, "error": 0})]),
            self.counters(np.zeros_like(self.clips)),
        ]

    def run(self) -> list[Phase]:
        """Return the vectors, with the clocks of the cycle contract, and the clip counters."""
        spans = [
            Span(("i", 0), ("o", 0), self.fill),
            # Of a run, both its first and its last clock count.
            Span(("i", 0), ("o", -1), self.clocks - 1),
        ]
        return [
            Streams("run", **self.streams, spans=spans),
            Clocked("end of run", [({}, {"busy": 0})]),
            self.counters(self.clips),
        ]

    def run_held(self) -> Phase:
        """Return the vectors, no result being taken until everything has come to a stop."""
        return Streams(
            "run with held results",
            **self.streams,
            holds={"o": 2 * self.clocks},
        )

    def run_watched(self) -> list[Phase]:
        """Return the first vector with pauses between its beats; all the way nothing is idle."""
        under_way = {"busy": 1, "program__ready": 0}
        clocks: list[tuple[Values, Expected]] = []
        for beat in self.inputs[0]:
            driven = {"i__valid": 1, "i__payload": beat}
            clocks.append((driven, {"i__ready": 1} | (under_way if clocks else {})))
            clocks.append(({"i__valid": 0}, under_way))
        clocks += [({}, under_way)] * self.clocks
        return [
            Clocked("beats with pauses", clocks),
            Streams("results of one vector", receives={"o": self.results[0]}),
            Clocked("idle again", [({}, {"busy": 0})]),
        ]

    def run_reprogrammed(self) -> Phase:
        """Return the vectors together with their own program: it waits for those under way."""
        streams = self.streams
        streams["sends"]["program"] = self.program.tolist()
        return Streams("same program while running", **streams)

    def run_before(self, following: "VectorRun", hold: bool) -> Phase:
        """Return the vectors with the program of another run right behind them.

        The program waits for these vectors, with ``hold`` for their results alone.
        """
        streams = self.streams
        streams["sends"]["program"] = following.program.tolist()
        return Streams(
            f"other program behind {'held results' if hold else 'vectors'}",
            **streams,
            holds={"o": 2 * self.clocks} if hold else {},
            after={"program": "i"},
        )


class TileRun(VectorRun):
    """A program for a compute unit, input vectors, and what must come of them.

    Parameters
    ----------
    hardware : HardwareParams
    images : sequence of TileImage
        What the program loads, one for each weight set in use.
    inputs : sequence of numpy.ndarray of integers, shape (vectors, rows)
        For each of them, its vectors.
    order : numpy.ndarray of integers, shape (all vectors,)
        Set of every vector, in the order in which they are sent.
    clips_before : numpy.ndarray of integers, shape (planes,), optional
        What the clip counters show before the run.
    """

    def __init__(
        self,
        hardware: HardwareParams,
        images: Sequence[TileImage],
        inputs: Sequence[np.ndarray],
        order: np.ndarray,
        clips_before: np.ndarray | int = 0,
    ):
        self.hardware = hardware
        self.images = images
        self.order = order
        pairs = list(zip(images, inputs, strict=True))
        counts = in_order(order, [vector_bit_blocks(i, hardware, v).tolist() for i, v in pairs])
        sizes = [images[s].size for s in order]
        self.clocks = run_cycles(hardware, counts, sizes)
        self.fill = fill_cycles(hardware, counts[:1], sizes[0])
        self.program = pack(images, hardware)

        beats = [
            [[input_beat(hardware, beat, s) for beat in vector] for vector in vectors]
            for s, vectors in enumerate(pack_inputs(v, hardware) for v in inputs)
        ]
        self.inputs = in_order(order, beats)

        results, clips = compute_unit_sets(images, hardware, inputs)
        self.clips = clips + clips_before
        bits, per_beat = hardware.result_bits, hardware.results_per_beat
        payloads = [
            [result_payloads(vector, bits) for vector in result_beats(part, per_beat)]
            for part in results
        ]
        self.results = in_order(order, payloads)

    def counters(self, clips: np.ndarray) -> Clocked:
        """Return a look at the clip counters of all planes."""
        hardware = self.hardware
        settle = clip_settle_cycles(hardware.planes, hardware.clip_flags)
        clocks: list[tuple[Values, Expected]] = []
        for plane, count in enumerate(clips.tolist()):
            clocks.append(({"clip_plane": plane}, {}))
            clocks += [({}, {})] * (settle - 1)
            clocks.append(({}, {"clips": count}))
        return Clocked("clip counters", clocks)

    def load_shifts(self, last: Region) -> Phase:
        """Return a program of row shifts and groups only, without a pause before what follows.

        The first entry of region ``last``, the first that is read again, is written last.
        """
        writes = [
            write
            for write in program_port(self.program, self.hardware)
            if write[0] in (Region.GROUPS, Region.RCMR)
        ]
        first_set = self.order[0]
        writes.sort(key=lambda write: (write[0] == last, write[1] == first_set, -write[2]))
        words = []
        for region, weight_set, entry, value in writes:
            words += [int(region) << REGION_OFFSET | weight_set << SET_OFFSET | entry, 1]
            for w in range(entry_words(self.hardware, region)):
                words.append(pattern(value >> PROGRAM_BITS * w, PROGRAM_BITS))
        clocks = [
            ({"program__valid": 1, "program__payload": word}, {"program__ready": 1})
            for word in words
        ]
        return Clocked(f"new shifts, {last.name} last", clocks)

    def run_behind_program(self) -> list[Phase]:
        """Return the vectors and the clip counters, right behind a program sent clock by clock."""
        return [
            Streams(
                "run right behind a program",
                **self.streams,
                levels={"program__valid": 0},
            ),
            Clocked("end of run", [({}, {"busy": 0})]),
            self.counters(self.clips),
        ]
