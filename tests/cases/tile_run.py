"""Input vectors through a compute unit that holds a tile, as phases of a case."""

import numpy as np

from sim.golden.compute_unit import compute_unit, vector_bit_blocks
from sim.golden.program_port import program_port
from sim.golden.result_buffer import result_buffer
from sme_hw.cycles import clip_settle_cycles, fill_cycles, run_cycles
from sme_hw.params import PROGRAM_BITS, HardwareParams
from sme_hw.program import Region, entry_words, pack, pack_inputs
from sme_hw.tile_image import TileImage

from .case import Clocked, Expected, Phase, Span, Streams, Values
from .values import join, lanes, pattern, signed

__all__ = ["TileRun"]


class TileRun:
    """A program, input vectors, and what must come of them.

    Parameters
    ----------
    hardware : HardwareParams
    image : TileImage
        What the program loads.
    inputs : numpy.ndarray of integers, shape (vectors, rows)
    clips_before : numpy.ndarray of integers, shape (planes,), optional
        What the clip counters show before the run.
    """

    def __init__(
        self,
        hardware: HardwareParams,
        image: TileImage,
        inputs: np.ndarray,
        clips_before: np.ndarray | int = 0,
    ):
        self.hardware = hardware
        self.image = image
        counts = vector_bit_blocks(image, hardware, inputs).tolist()
        self.clocks = run_cycles(hardware, counts, image.size)
        self.fill = fill_cycles(hardware, counts[:1], image.size)
        self.program = pack(image, hardware)

        beats = pack_inputs(inputs, hardware)
        self.beats = beats.shape[1]
        self.inputs = [
            lanes(beat, hardware.input_bits) for beat in beats.reshape(-1, hardware.inputs_per_beat)
        ]

        results, clips = compute_unit(image, hardware, inputs)
        self.clips = clips + clips_before
        self.results = [
            join(
                *((signed(value, hardware.result_bits), hardware.result_bits) for value in beat),
                (b == len(vector) - 1, 1),
            )
            for vector in result_buffer(results, hardware.results_per_beat)
            for b, beat in enumerate(vector)
        ]

    def load(self) -> list[Phase]:
        """Return the program alone."""
        words = len(self.program)
        return [
            Streams(
                "program",
                sends={"program": self.program.tolist()},
                spans=[Span(("program", 0), ("program", -1), words - 1)],
            ),
            Clocked("programmed", [({}, {"busy": 0})]),
            self._counters(np.zeros_like(self.clips)),
        ]

    def _counters(self, clips: np.ndarray) -> Clocked:
        """Look at the clip counters of all planes."""
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
        writes.sort(key=lambda write: (write[0] == last, -write[1]))
        words = []
        for region, entry, value in writes:
            words += [int(region) << 28 | entry, 1]
            for w in range(entry_words(self.hardware, region)):
                words.append(pattern(value >> PROGRAM_BITS * w, PROGRAM_BITS))
        clocks = [
            ({"program__valid": 1, "program__payload": word}, {"program__ready": 1})
            for word in words
        ]
        return Clocked(f"new shifts, {last.name} last", clocks)

    def run(self) -> list[Phase]:
        """Return the vectors, with the clocks of the cycle contract, and the clip counters."""
        spans = [
            Span(("i", 0), ("o", 0), self.fill),
            # Of a run, both its first and its last clock count.
            Span(("i", 0), ("o", -1), self.clocks - 1),
        ]
        return [
            Streams("run", sends={"i": self.inputs}, receives={"o": self.results}, spans=spans),
            Clocked("end of run", [({}, {"busy": 0})]),
            self._counters(self.clips),
        ]

    def run_behind_program(self) -> list[Phase]:
        """Return the vectors and the clip counters, right behind a program sent clock by clock."""
        return [
            Streams(
                "run right behind a program",
                sends={"i": self.inputs},
                receives={"o": self.results},
                levels={"program__valid": 0},
            ),
            Clocked("end of run", [({}, {"busy": 0})]),
            self._counters(self.clips),
        ]

    def run_held(self) -> Phase:
        """Return the vectors, no result being taken until everything has come to a stop."""
        return Streams(
            "run with held results",
            sends={"i": self.inputs},
            receives={"o": self.results},
            holds={"o": 2 * self.clocks},
        )

    def run_watched(self) -> list[Phase]:
        """Return the first vector with pauses between its beats; all the way nothing is idle."""
        under_way = {"busy": 1, "program__ready": 0}
        clocks: list[tuple[Values, Expected]] = []
        for beat in self.inputs[: self.beats]:
            driven = {"i__valid": 1, "i__payload": beat}
            clocks.append((driven, {"i__ready": 1} | (under_way if clocks else {})))
            clocks.append(({"i__valid": 0}, under_way))
        clocks += [({}, under_way)] * self.clocks
        results = -(-self.image.columns // self.hardware.results_per_beat)
        return [
            Clocked("beats with pauses", clocks),
            Streams("results of one vector", receives={"o": self.results[:results]}),
            Clocked("idle again", [({}, {"busy": 0})]),
        ]

    def run_reprogrammed(self) -> Phase:
        """Return the vectors together with their own program: it waits for those under way."""
        return Streams(
            "same program while running",
            sends={"program": self.program.tolist(), "i": self.inputs},
            receives={"o": self.results},
        )

    def run_before(self, following: "TileRun", hold: bool) -> Phase:
        """Return the vectors with the program of another run right behind them.

        The program waits for these vectors, with ``hold`` for their results alone.
        """
        return Streams(
            f"other program behind {'held results' if hold else 'vectors'}",
            sends={"i": self.inputs, "program": following.program.tolist()},
            receives={"o": self.results},
            holds={"o": 2 * self.clocks} if hold else {},
            after={"program": "i"},
        )
