"""Cases of :class:`sme_hw.compute_unit.ComputeUnit`: tiles loaded one after the other."""

from collections.abc import Iterator

import numpy as np

from sim.golden.compute_unit import compute_unit
from sim.golden.result_buffer import result_buffer
from sme_hw.compute_unit import ComputeUnit
from sme_hw.cycles import fill_cycles, run_cycles
from sme_hw.params import CLIP_COUNTER_BITS, HardwareParams
from sme_hw.program import TileImage, pack

from .case import SEED, Case, Clocked, Phase, Span, Streams
from .hardware import HARDWARE, random_image, random_inputs, slot_groups
from .values import join, lanes

__all__ = ["cases"]

VECTORS = 5


def _extreme_image(hardware: HardwareParams, sign: int) -> TileImage:
    """Return a full tile with the largest weights of one sign, every second row shifted."""
    cells = np.zeros((2, hardware.planes, hardware.rows, hardware.cols), np.uint8)
    cells[sign] = hardware.cell_max
    shifts = np.full(hardware.rows, hardware.max_shift, np.uint8)
    shifts[1::2] = 0
    return TileImage(cells, shifts, slot_groups(hardware, shifts))


class _Run:
    """Input vectors of a tile, and what must come of them.

    Parameters
    ----------
    hardware : HardwareParams
    image : TileImage
    inputs : numpy.ndarray of integers, shape (vectors, rows)
    """

    def __init__(self, hardware: HardwareParams, image: TileImage, inputs: np.ndarray):
        self.hardware = hardware
        self.image = image
        self.vectors = len(inputs)
        self.program = pack(image, hardware).tolist()

        lane_count = hardware.inputs_per_beat
        beats = -(-image.rows // lane_count)
        padded = np.zeros((self.vectors, beats * lane_count), np.int64)
        padded[:, : image.rows] = inputs
        self.inputs = [
            lanes(beat, hardware.input_bits) for beat in padded.reshape(-1, lane_count).tolist()
        ]

        results, clips = compute_unit(image, hardware, inputs)
        self.clips = lanes(clips.tolist(), CLIP_COUNTER_BITS)
        self.results = [
            join(*((value, hardware.result_bits) for value in beat), (b == len(vector) - 1, 1))
            for vector in result_buffer(results, hardware.results_per_beat).tolist()
            for b, beat in enumerate(vector)
        ]

    def _spans(self) -> list[Span]:
        sizes = self.hardware, self.image.bit_cycles, self.image.rows, self.image.columns
        return [
            Span(("i", 0), ("o", 0), fill_cycles(*sizes)),
            # Of a run, both its first and its last clock count.
            Span(("i", 0), ("o", -1), run_cycles(*sizes, self.vectors) - 1),
        ]

    def phases(self, name: str) -> list[Phase]:
        """Return program, run and clip counters."""
        return [
            Streams(
                f"{name}: program",
                sends={"program": self.program},
                spans=[Span(("program", 0), ("program", -1), len(self.program) - 1)],
            ),
            Clocked(f"{name}: programmed", [({}, {"busy": 0, "clips": 0})]),
            Streams(
                f"{name}: run",
                sends={"i": self.inputs},
                receives={"o": self.results},
                spans=self._spans(),
            ),
            Clocked(f"{name}: end", [({}, {"busy": 0, "clips": self.clips})]),
        ]

    def held(self, name: str) -> Phase:
        """Return a run whose results are not taken until everything has come to a stop."""
        hold = run_cycles(
            self.hardware,
            self.image.bit_cycles,
            self.image.rows,
            self.image.columns,
            self.vectors,
        )
        return Streams(
            f"{name}: held results",
            sends={"i": self.inputs},
            receives={"o": self.results},
            holds={"o": 2 * hold},
        )

    def reprogrammed(self, name: str) -> Phase:
        """Return a run into which the same program falls: it must wait for vectors under way."""
        return Streams(
            f"{name}: same program while running",
            sends={"program": self.program, "i": self.inputs},
            receives={"o": self.results},
        )


def _phases(hardware: HardwareParams) -> list[Phase]:
    rng = np.random.default_rng(SEED)
    rows, columns = hardware.rows, hardware.cols
    images = {
        "random tile": random_image(rng, hardware, rows, columns),
        "largest positive weights": _extreme_image(hardware, 0),
        "largest negative weights": _extreme_image(hardware, 1),
        "short tile": random_image(rng, hardware, rows - 2, columns - 1),
        "one row and column": random_image(rng, hardware, 1, 1),
    }
    phases: list[Phase] = [Clocked("before any program", [({"i__valid": 1}, {"i__ready": 0})])]
    phases.append(Clocked("idle", [({"i__valid": 0}, {"busy": 0})]))
    for name, image in images.items():
        run = _Run(hardware, image, random_inputs(rng, hardware, VECTORS, image.rows))
        phases += run.phases(name)
        if name == "short tile":
            phases += [run.held(name), run.reprogrammed(name)]
    return phases


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name, hardware in HARDWARE.items():
        yield Case(
            f"compute_unit-{name}",
            lambda hardware=hardware: ComputeUnit(hardware=hardware),
            _phases(hardware),
        )
