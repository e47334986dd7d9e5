"""The cycle contract: how many clocks everything takes, in plain integers.

Mapper, manifest, hardware and tests all take their numbers from here and, for whole runs, from
:mod:`sme_hw.run_cycles`; the tests hold the RTL to them exactly.
"""

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
    "bit_blocks",
    "bit_heap_latency",
    "clip_settle_cycles",
    "compute_cycles",
    "crossbar_latency",
    "group_bit_cycles",
    "group_latency",
    "input_beats",
    "load_cycles",
    "macro_latency",
    "merged_latency",
    "pipeline_latency",
    "result_buffer_depth",
    "row_beats",
    "shift_add_latency",
    "splice_heights",
    "splice_latency",
]

INPUT_REGISTER_LATENCY = 3
"""Clocks from a bit-cycle's selection to its word lines: memory, its output register, choice."""

INPUT_BUFFERS = 8
"""Vectors that the input register holds, those that are loaded and computed included.

With so many, loading and computing never wait for one another where all vectors are alike and take
at least two clocks, or three if rows are reordered (``input_index``). Shorter ones need a place
again before it is free: they take up to one clock more than
:func:`sme_hw.run_cycles.steady_cycles` says."""

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
