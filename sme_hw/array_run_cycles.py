"""The clocks of whole runs of a tile array, which follow from those of its units.

A run is a sequence of vectors; inputs come and results go as fast as the array lets them. Units
share packets, so each beat has to be followed: it waits for the slowest of its units.
"""

from collections.abc import Sequence

from .array_cycles import join_latency
from .array_image import ArrayImage
from .cycles import (
    COLLECT_LATENCY,
    GATHER_LATENCY,
    INPUT_BUFFERS,
    InputBlocks,
    input_beats,
)
from .params import HardwareParams, ceil_div
from .run_cycles import ResultClocks, TileSize, last_filled, steady_cycles

__all__ = ["array_run_clocks", "array_steady_cycles"]


def array_steady_cycles(
    hardware: HardwareParams, image: ArrayImage, bit_cycles: Sequence[Sequence[int]]
) -> int:
    """Return the clocks per vector in steady state, without stalls of the streams.

    For vectors that are alike: the slowest unit, or all beats of the vector on either stream.

    Parameters
    ----------
    hardware : HardwareParams
    image : ArrayImage
    bit_cycles : sequence of sequence of int
        For each tile, what :func:`sme_hw.run_cycles.steady_cycles` takes.
    """
    units = [
        steady_cycles(hardware, counts, tile.size)
        for tile, counts in zip(image.tiles, bit_cycles, strict=True)
    ]
    return max(
        *units,
        sum(input_beats(hardware, inputs) for inputs in image.packet_inputs),
        sum(ceil_div(columns, hardware.results_per_beat) for columns in image.packet_columns),
    )


class _UnitClocks:
    """Follows vectors through a unit of an array.

    Parameters
    ----------
    hardware : HardwareParams
    """

    def __init__(self, hardware: HardwareParams):
        self.hardware = hardware
        self.blocks = InputBlocks.of(hardware)
        self.results = ResultClocks(hardware)
        # Clocks in which the last two beats left the buffer before the unit, in which the last one
        # left each stage of row conversion, and in which the input register took or made up one.
        self.taken = [-1, -1]
        self.left = [-1, -1, -1]
        self.collected = -1
        self.filled = -self.blocks.clocks(hardware)
        self.released: list[int] = []
        # Clocks in which the last two beats of results were added.
        self.added = [-1, -1]

    @property
    def room(self) -> int:
        """Clock from which on the buffer before the unit takes a beat."""
        return self.taken[0] + 1

    def take(self, clock: int, number: int, beat: int, beats: int) -> None:
        """Take a beat of a vector, the last one included.

        Parameters
        ----------
        clock : int
            When it comes into the buffer before the unit.
        number : int
            Vectors that the unit had before.
        beat, beats : int
            Which one it is, of how many.
        """
        clock = max(clock, self.taken[1]) + 1
        if beat == 0 and number >= INPUT_BUFFERS:
            clock = max(clock, self.released[number - INPUT_BUFFERS] + 2)
        if self.hardware.input_index:
            self.taken = [self.taken[1], clock]
            return
        first, second, third = self.left
        clock = max(clock, first)
        self.taken = [self.taken[1], clock]
        first = max(clock + 1, second)
        second = max(first + 1, third)
        third = self._collect(second + 1, beat, beat == beats - 1)
        self.left = [first, second, third]

    def _collect(self, clock: int, beat: int, last: bool) -> int:
        """Put a beat into its block and return when; a slot or vector fills up its last block."""
        place = beat % self.hardware.slot_beats
        ends = last or place == self.hardware.slot_beats - 1
        missing = self.blocks.beats - 1 - place % self.blocks.beats
        taken = self.collected = max(clock, self.collected + 1)
        if ends or missing == 0:
            # The last place of a block waits until the block before has left.
            self.collected = max(taken + missing, self.filled + self.hardware.converted_bits)
            self.filled = self.collected
        return taken if missing else self.collected

    def begin_results(self, count: int, size: TileSize) -> None:
        """Compute a vector whose beats are there, in ``count`` blocks of bit-cycles."""
        hardware = self.hardware
        if hardware.input_index:
            ordered = self.taken[1] + GATHER_LATENCY
            self.filled = last_filled(hardware, ordered, self.filled, size.physical_rows)
        ready = self.filled + hardware.converted_bits + COLLECT_LATENCY
        handed_over = max(ready, self.results.last_step)
        steps = ceil_div(size.columns, hardware.adcs_per_crossbar)
        self.beats = self.results.vector(handed_over + (count - 1) * steps + 1, size)
        self.offered = next(self.beats)

    def send(self) -> int:
        """Return the clock from which on the next beat of results can be added."""
        # The buffer behind the unit has two places.
        self.sent = max(self.offered, self.added[0] + 1)
        return self.sent + 1

    def add(self, clock: int) -> None:
        """Note when that beat is added; after the last one, note the end of the vector."""
        self.added = [self.added[1], clock]
        try:
            self.offered = self.beats.send(self.sent)
        except StopIteration:
            self.released.append(self.results.last_step)


def array_run_clocks(
    hardware: HardwareParams,
    units: int,
    images: Sequence[ArrayImage],
    bit_cycles: Sequence[Sequence[int]],
) -> tuple[int, int]:
    """Return the fill latency and the clocks of a whole run.

    The one counts from the first input beat to the first result beat; the other to the last result
    beat, both included. The streams never stall.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Units of the array.
    images : sequence of ArrayImage
        That of every vector.
    bit_cycles : sequence of sequence of int
        Of every vector, for every tile: blocks of bit-cycles
        (:func:`sme_hw.cycles.bit_blocks`), all groups together.
    """
    state = [_UnitClocks(hardware) for _ in range(units)]
    numbers = [0] * units
    # Clocks in which the last two input beats were sent to units, and the last one came; the first
    # one comes in clock 0.
    sent, came, added = [-1, -1], -1, -1
    first = 0
    for vector, (image, counts) in enumerate(zip(images, bit_cycles, strict=True)):
        for packet, inputs in zip(image.routes.inputs, image.packet_inputs, strict=True):
            beats = input_beats(hardware, inputs)
            for beat in range(beats):
                came = max(came, sent[0]) + 1
                clock = max(came + 1, sent[1] + 1, *(state[unit].room for unit in packet))
                sent = [sent[1], clock]
                for unit in packet:
                    state[unit].take(clock, numbers[unit], beat, beats)
        for unit, (tile, count) in enumerate(zip(image.tiles, counts, strict=True)):
            state[unit].begin_results(count, tile.size)
            numbers[unit] += 1
        for packet, columns in zip(image.routes.results, image.packet_columns, strict=True):
            for beat in range(ceil_div(columns, hardware.results_per_beat)):
                added = max(added + 1, *(state[unit].send() for unit in packet))
                for unit in packet:
                    state[unit].add(added)
                if vector == beat == 0 and packet is image.routes.results[0]:
                    first = added
    behind = join_latency(units) - 1
    return first + behind, added + behind + 1
