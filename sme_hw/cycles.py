"""The cycle contract: how many clocks everything takes, in plain integers.

Mapper, manifest, hardware and tests all take their numbers from here; the tests hold the RTL to
them exactly.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from .heap_plan import heap_plan
from .params import HardwareParams, ceil_div

__all__ = [
    "ADC_LATENCY",
    "BLOCK_BEATS",
    "COLLECT_LATENCY",
    "GATHER_LATENCY",
    "INPUT_BUFFERS",
    "INPUT_REGISTER_LATENCY",
    "ROW_CONVERSION_LATENCY",
    "SHIFT_ADD_LATENCY",
    "InputBlocks",
    "TileSize",
    "bit_blocks",
    "bit_heap_latency",
    "clip_settle_cycles",
    "compute_cycles",
    "crossbar_latency",
    "fill_cycles",
    "group_bit_cycles",
    "group_latency",
    "input_beats",
    "load_cycles",
    "macro_latency",
    "merged_latency",
    "pipeline_latency",
    "result_buffer_depth",
    "row_beats",
    "run_cycles",
    "shift_add_latency",
    "splice_heights",
    "splice_latency",
    "steady_cycles",
]

INPUT_REGISTER_LATENCY = 3
"""Clocks from a bit-cycle's selection to its word lines: memory, its output register, choice."""

INPUT_BUFFERS = 8
"""Vectors that the input register holds, those that are loaded and computed included.

With so many, loading and computing never wait for one another where all vectors are alike and take
at least two clocks, or three if rows are reordered (``input_index``). Shorter ones need a place
again before it is free: they take up to one clock more than :func:`steady_cycles` says."""

COLLECT_LATENCY = 3
"""Clocks from a vector's last full block to its hand-over, besides one for each bit plane."""

BLOCK_BEATS = 16
"""Beats whose rows are turned into bit planes together, if there are as many.

More would take more logic; fewer would hold up loading, as a block leaves bit by bit."""

ROW_CONVERSION_LATENCY = 3
"""Clocks from an input beat to its converted beat."""

ADC_LATENCY = 1
"""Clocks from a column sum to its code."""

SHIFT_ADD_LATENCY = 4
"""Clocks from a spliced sample to a finished result, without lanes."""

GATHER_LATENCY = 6
"""Clocks from a vector's last input beat to its first beat in physical row order."""

_BUFFER_LATENCY = 3
"""Clocks from a finished result to the result stream: buffer memory, its output register."""


def bit_heap_latency(heights: Sequence[int]) -> int:
    """Return the clocks to add ``heights[w]`` bits of each binary weight w."""
    return len(heap_plan(tuple(heights)))


def crossbar_latency(hardware: HardwareParams) -> int:
    """Return the clocks from word lines and column select to column sums.

    One for the memory, one for its output register, one for the cell currents, and the adders.
    """
    return 3 + bit_heap_latency([hardware.group_rows] * hardware.cell_bits)


def macro_latency(hardware: HardwareParams) -> int:
    """Return the clocks from word lines and column select to ADC codes."""
    return crossbar_latency(hardware) + ADC_LATENCY


def splice_latency(hardware: HardwareParams) -> int:
    """Return the clocks from ADC codes to a spliced sample."""
    return bit_heap_latency(splice_heights(hardware)) + 1


def splice_heights(hardware: HardwareParams) -> list[int]:
    """Return the number of code bits of each binary weight, for one sign."""
    planes = list(zip(hardware.plane_weight_bits, hardware.plane_code_bits, strict=True))
    return [
        sum(weight <= w < weight + bits for weight, bits in planes)
        for w in range(max(weight + bits for weight, bits in planes))
    ]


def merged_latency(hardware: HardwareParams) -> int:
    """Return the clocks from word lines and column select to the samples of merged planes.

    As for a crossbar, with all planes in one heap, and one clock to take off the codes' offset.
    """
    return 3 + bit_heap_latency([hardware.group_rows] * hardware.merged_bits) + 1


def group_latency(hardware: HardwareParams) -> int:
    """Return the clocks from word lines and column select to spliced samples."""
    if hardware.merged:
        return merged_latency(hardware)
    return macro_latency(hardware) + splice_latency(hardware)


def shift_add_latency(hardware: HardwareParams) -> int:
    """Return the clocks from spliced samples to a finished result.

    The accumulator memory, its output register, selection, and the sum; with several lanes, one
    more for each level of the tree that adds them.
    """
    return SHIFT_ADD_LATENCY + hardware.lane_bits


def clip_settle_cycles(planes: int, flags: int) -> int:
    """Return the clocks after which a selected clip counter includes a conversion.

    The flags of a clock are added up and collected, wait for their counter to come round, and for
    it to come round again to be shown.
    """
    return bit_heap_latency([flags]) + 2 * max(2, planes) + 3


def pipeline_latency(hardware: HardwareParams) -> int:
    """Return the clocks from a step of the scheduler to its result, if it is the last one."""
    return INPUT_REGISTER_LATENCY + group_latency(hardware) + shift_add_latency(hardware)


def result_buffer_depth(hardware: HardwareParams) -> int:
    """Return the buffer entries with which results of one vector never hold up the next one.

    A whole vector may wait in the buffer while the pipeline behind it is full. A power of two.
    """
    needed = hardware.column_steps + pipeline_latency(hardware) + _BUFFER_LATENCY + 4
    return 1 << (needed - 1).bit_length()


def group_bit_cycles(hardware: HardwareParams, shift_min: int, shift_max: int) -> int:
    """Return the bit-cycles of a group whose row shifts span ``shift_min..shift_max``.

    SPEC: a group runs t = s_min .. s_max + Ma - 1 (reconstructed).
    """
    return hardware.input_bits + shift_max - shift_min


def bit_blocks(hardware: HardwareParams, first: int, count: int) -> int:
    """Return the blocks of ``emulation_lanes`` bit-cycles that ``count`` ones from ``first`` touch.

    A block is what the FPGA computes in one clock; without lanes, it is a bit-cycle.
    """
    lanes = hardware.emulation_lanes
    return (first + count - 1) // lanes - first // lanes + 1


def compute_cycles(hardware: HardwareParams, bit_cycles: Sequence[int], columns: int) -> int:
    """Return the clocks one vector occupies the crossbars.

    Parameters
    ----------
    hardware : HardwareParams
    bit_cycles : sequence of int
        Of every group in use: bit-cycles for the clocks of a chip, blocks
        (:func:`bit_blocks`) for those of the FPGA.
    columns : int
        Columns in use.
    """
    return sum(bit_cycles) * ceil_div(columns, hardware.adcs_per_crossbar)


@dataclass(frozen=True)
class InputBlocks:
    """How the input register cuts the rows of a slot into blocks.

    Parameters
    ----------
    beats : int
        Beats that fill a block.
    per_slot : int
        Blocks of a slot.
    beats_of_last : int
        Beats that the last block of a full slot really gets.
    """

    beats: int
    per_slot: int
    beats_of_last: int

    @classmethod
    def of(cls, hardware: HardwareParams) -> "InputBlocks":
        """Return the blocks of some hardware."""
        beats = ceil_div(hardware.slot_beats, ceil_div(hardware.slot_beats, BLOCK_BEATS))
        per_slot = ceil_div(hardware.slot_beats, beats)
        return cls(beats, per_slot, hardware.slot_beats - (per_slot - 1) * beats)

    def clocks(self, hardware: HardwareParams) -> int:
        """Return the clocks between blocks: its beats come in, or its bit planes leave."""
        return max(self.beats, hardware.converted_bits)

    def count(self, hardware: HardwareParams, physical_rows: int) -> int:
        """Return the blocks of a vector."""
        full, rest = divmod(physical_rows, hardware.group_rows)
        beats = ceil_div(rest, hardware.inputs_per_beat)
        return full * self.per_slot + ceil_div(beats, self.beats)


def load_cycles(hardware: HardwareParams, physical_rows: int) -> int:
    """Return the clocks in which the input register takes a vector."""
    blocks = InputBlocks.of(hardware)
    return blocks.count(hardware, physical_rows) * blocks.clocks(hardware)


def row_beats(hardware: HardwareParams, physical_rows: int) -> int:
    """Return the beats of a vector in the order of the physical rows."""
    full, rest = divmod(physical_rows, hardware.group_rows)
    return full * hardware.slot_beats + ceil_div(rest, hardware.inputs_per_beat)


def input_beats(hardware: HardwareParams, inputs: int) -> int:
    """Return the beats of a vector on the input stream."""
    if hardware.input_index:
        return ceil_div(inputs, hardware.inputs_per_beat)
    return row_beats(hardware, inputs)


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

    For vectors that are alike; see :data:`INPUT_BUFFERS` for when it is not exact.

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


class _Results:
    """Follows results through the result buffer.

    Parameters
    ----------
    hardware : HardwareParams
    """

    def __init__(self, hardware: HardwareParams):
        self.hardware = hardware
        self.first_beat = self.last_beat = -1
        # Clocks in which the last results left the buffer's memory, and in which the last one
        # came into its output register and left that.
        self.fetched: deque[int] = deque(maxlen=result_buffer_depth(hardware) - 1)
        self.moved = self.left = self.last_step = -1

    def vector(self, step: int, size: TileSize) -> int:
        """Send a vector's results; returns the clock of its last step.

        Parameters
        ----------
        step : int
            Clock in which the first step that ends in a result could be made.
        size : TileSize
        """
        a, b = self.hardware.adcs_per_crossbar, self.hardware.results_per_beat
        latency = pipeline_latency(self.hardware)
        for column in range(0, size.columns, a):
            step = self._with_room(step)
            self.fetched.append(max(step + latency + 1, self.moved))
            self.moved = max(self.fetched[-1] + 1, self.left)
            done = min(column + a, size.columns)
            if b <= a:
                self._send(self.moved + 1)
                self.left = self.last_beat = self.moved + ceil_div(done - column, b)
            else:
                self.left = self.moved + 1
                if done % b == 0 or done == size.columns:
                    self._send(self.left + 1)
            self.last_step = step
            step += 1
        return self.last_step

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

    def _send(self, clock: int) -> None:
        """Note a beat on the result stream."""
        if self.first_beat < 0:
            self.first_beat = clock
        self.last_beat = clock


def _result_clocks(
    hardware: HardwareParams, bit_cycles: Sequence[int], sizes: Sequence[TileSize]
) -> tuple[int, int]:
    """Return the clocks of the first and the last result beat of a run."""
    blocks = InputBlocks.of(hardware)
    block_clocks = blocks.clocks(hardware)
    results = _Results(hardware)
    # Clock of each event, the first beat on the input stream being clock 0.
    sent, filled, last_step = -1, -block_clocks, 0
    released: list[int] = []
    for number, (count, size) in enumerate(zip(bit_cycles, sizes, strict=True)):
        # A vector may come when there is a place for it in the input register, which is known late.
        place = released[number - INPUT_BUFFERS] + 2 if number >= INPUT_BUFFERS else 0
        start = max(sent + 1, place)
        sent = start + input_beats(hardware, size.inputs) - 1
        ordered = sent + GATHER_LATENCY if hardware.input_index else start
        taken = max(ordered + ROW_CONVERSION_LATENCY, filled + 1)
        filled = max(taken + blocks.beats - 1, filled + hardware.converted_bits)
        filled += (blocks.count(hardware, size.physical_rows) - 1) * block_clocks
        ready = filled + hardware.converted_bits + COLLECT_LATENCY
        handed_over = max(ready, last_step)
        steps = ceil_div(size.columns, hardware.adcs_per_crossbar)
        last_step = results.vector(handed_over + (count - 1) * steps + 1, size)
        released.append(last_step)
    return results.first_beat, results.last_beat
