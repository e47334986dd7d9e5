"""The clocks of whole runs, which follow from those of :mod:`sme_hw.cycles`.

A run is a sequence of vectors; inputs come and results go as fast as the unit lets them.
"""

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .cycles import (
    COLLECT_LATENCY,
    GATHER_LATENCY,
    INPUT_BUFFERS,
    ROW_CONVERSION_LATENCY,
    InputBlocks,
    compute_cycles,
    input_beats,
    load_cycles,
    pipeline_latency,
    result_buffer_depth,
)
from .params import HardwareParams, ceil_div

__all__ = [
    "ResultClocks",
    "TileSize",
    "fill_cycles",
    "last_filled",
    "run_cycles",
    "steady_cycles",
]


@dataclass(frozen=True)
class TileSize:
    """What the clocks of a tile depend on, beside its bit-cycles.

    Parameters
    ----------
    inputs : int
        Inputs of a vector.
    physical_rows : int
        Physical rows up to the last one in use.
    columns : int
        Columns in use.
    """

    inputs: int
    physical_rows: int
    columns: int


def steady_cycles(hardware: HardwareParams, bit_cycles: Sequence[int], size: TileSize) -> int:
    """Return the clocks per vector in steady state, without stalls of the streams.

    For vectors that are alike; see :data:`sme_hw.cycles.INPUT_BUFFERS` for when it is not exact.

    Parameters
    ----------
    hardware : HardwareParams
    bit_cycles : sequence of int
        Blocks of bit-cycles (:func:`bit_blocks`) of every group in use.
    size : TileSize
    """
    return max(
        compute_cycles(hardware, bit_cycles, size.columns),
        load_cycles(hardware, size.physical_rows),
        input_beats(hardware, size.inputs),
        ceil_div(size.columns, hardware.results_per_beat),
    )


def fill_cycles(hardware: HardwareParams, bit_cycles: Sequence[int], size: TileSize) -> int:
    """Return the fill latency: clocks from the first input beat to the first result beat.

    Parameters as for :func:`steady_cycles`.
    """
    first, _ = _result_clocks(hardware, [sum(bit_cycles)], [size])
    return first


def run_cycles(
    hardware: HardwareParams, bit_cycles: Sequence[int], sizes: Sequence[TileSize]
) -> int:
    """Return the clocks of a whole run, from the first input beat to the last result beat.

    Both beats count; the streams never stall.

    Parameters
    ----------
    hardware : HardwareParams
    bit_cycles : sequence of int
        Blocks of bit-cycles (:func:`bit_blocks`) of every vector, all groups together. They differ
        with its weight set, and with ``zero_skip``.
    sizes : sequence of TileSize
        Size of every vector's tile.
    """
    _, last = _result_clocks(hardware, bit_cycles, sizes)
    return last + 1


class ResultClocks:
    """Follows results through the result buffer of a unit.

    Parameters
    ----------
    hardware : HardwareParams
    """

    def __init__(self, hardware: HardwareParams):
        self.hardware = hardware
        # Clocks in which the last results left the buffer's memory, and in which the last one
        # came into its output register and left that, and in which the last beat was taken.
        self.fetched: deque[int] = deque(maxlen=result_buffer_depth(hardware) - 1)
        self.moved = self.left = self.last_step = self.taken = -1

    def vector(self, step: int, size: TileSize) -> Generator[int, int, None]:
        """Send a vector's results; in the end, ``last_step`` is the clock of its last step.

        Parameters
        ----------
        step : int
            Clock in which the first step that ends in a result could be made.
        size : TileSize

        Yields
        ------
        int
            Clock from which on a beat is on offer; that in which it is taken is to be sent back.
        """
        a, b = self.hardware.adcs_per_crossbar, self.hardware.results_per_beat
        latency = pipeline_latency(self.hardware)
        for column in range(0, size.columns, a):
            step = self._with_room(step)
            self.fetched.append(max(step + latency + 1, self.moved))
            self.moved = max(self.fetched[-1] + 1, self.left)
            done = min(column + a, size.columns)
            if b <= a:
                for part in range(ceil_div(done - column, b)):
                    self.taken = yield (self.taken if part else self.moved) + 1
                self.left = self.taken
            else:
                self.left = max(self.moved + 1, self.taken)
                if done % b == 0 or done == size.columns:
                    self.taken = yield self.left + 1
            self.last_step = step
            step += 1

    def _with_room(self, step: int) -> int:
        """Return the clock from ``step`` on in which there is room for a result.

        The clock before, two entries must have been free, not counting a result whose step came
        in that clock. An entry is free two clocks after its result was fetched.
        """
        room = self.fetched.maxlen or 0
        if step == self.last_step + 1:
            if len(self.fetched) < room or self.fetched[0] + 3 <= step:
                return step
            step += 1
        if len(self.fetched) < room - 1:
            return step
        return max(step, self.fetched[1 - room] + 3)


def last_filled(hardware: HardwareParams, ordered: int, filled: int, physical_rows: int) -> int:
    """Return the clock in which the input register has a vector's last block.

    Parameters
    ----------
    hardware : HardwareParams
    ordered : int
        Clock in which the vector's first beat comes to row conversion; the others follow.
    filled : int
        Clock in which the last block of the vector before was there.
    physical_rows : int
    """
    blocks = InputBlocks.of(hardware)
    taken = max(ordered + ROW_CONVERSION_LATENCY, filled + 1)
    filled = max(taken + blocks.beats - 1, filled + hardware.converted_bits)
    return filled + (blocks.count(hardware, physical_rows) - 1) * blocks.clocks(hardware)


def _result_clocks(
    hardware: HardwareParams, bit_cycles: Sequence[int], sizes: Sequence[TileSize]
) -> tuple[int, int]:
    """Return the clocks of the first and the last result beat of a run."""
    results = ResultClocks(hardware)
    # Clock of each event, the first beat on the input stream being clock 0.
    first = -1
    sent, filled = -1, -InputBlocks.of(hardware).clocks(hardware)
    released: list[int] = []
    for number, (count, size) in enumerate(zip(bit_cycles, sizes, strict=True)):
        # A vector may come when there is a place for it in the input register, which is known late.
        place = released[number - INPUT_BUFFERS] + 2 if number >= INPUT_BUFFERS else 0
        start = max(sent + 1, place)
        sent = start + input_beats(hardware, size.inputs) - 1
        ordered = sent + GATHER_LATENCY if hardware.input_index else start
        filled = last_filled(hardware, ordered, filled, size.physical_rows)
        ready = filled + hardware.converted_bits + COLLECT_LATENCY
        handed_over = max(ready, results.last_step)
        steps = ceil_div(size.columns, hardware.adcs_per_crossbar)
        beats = results.vector(handed_over + (count - 1) * steps + 1, size)
        offered = next(beats)
        first = offered if number == 0 else first
        # Each beat is taken at once.
        with suppress(StopIteration):
            while True:
                offered = beats.send(offered)
        released.append(results.last_step)
    return first, results.taken
