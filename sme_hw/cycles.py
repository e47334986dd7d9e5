"""The cycle contract: how many clocks everything takes, in plain integers.

Mapper, manifest, hardware and tests all take their numbers from here; the tests hold the RTL to
them exactly.
"""

from collections.abc import Sequence

from .heap_plan import heap_plan
from .params import HardwareParams

__all__ = [
    "ADC_LATENCY",
    "CLIP_COUNTER_LATENCY",
    "INPUT_REGISTER_LATENCY",
    "SHIFT_ADD_LATENCY",
    "bit_heap_latency",
    "compute_cycles",
    "crossbar_latency",
    "fill_cycles",
    "group_bit_cycles",
    "macro_latency",
    "pipeline_latency",
    "result_buffer_depth",
    "run_cycles",
    "splice_heights",
    "splice_latency",
    "steady_cycles",
]

INPUT_REGISTER_LATENCY = 1
"""Clocks from a bit-cycle's selection to its word lines."""

ADC_LATENCY = 1
"""Clocks from a column sum to its code."""

SHIFT_ADD_LATENCY = 4
"""Clocks from a spliced sample to a finished result."""

CLIP_COUNTER_LATENCY = 2
"""Clocks from a conversion's clip flags to the counter that includes them."""

_START_LATENCY = 3
"""Clocks from the last input beat to the first step: row conversion, input register, start."""

_BUFFER_LATENCY = 2
"""Clocks from a finished result to the result stream: write and read of the buffer."""


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


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


def pipeline_latency(hardware: HardwareParams) -> int:
    """Return the clocks from a step of the scheduler to its result, if it is the last one."""
    return (
        INPUT_REGISTER_LATENCY
        + macro_latency(hardware)
        + splice_latency(hardware)
        + SHIFT_ADD_LATENCY
    )


def result_buffer_depth(hardware: HardwareParams) -> int:
    """Return the buffer entries with which results of one vector never hold up the next one.

    A whole vector may wait in the buffer while the pipeline behind it is full.
    """
    return hardware.column_steps + pipeline_latency(hardware) + _BUFFER_LATENCY + 2


def group_bit_cycles(hardware: HardwareParams, shift_min: int, shift_max: int) -> int:
    """Return the bit-cycles of a group whose row shifts span ``shift_min..shift_max``.

    SPEC: a group runs t = s_min .. s_max + Ma - 1 (reconstructed).
    """
    return hardware.input_bits + shift_max - shift_min


def compute_cycles(hardware: HardwareParams, bit_cycles: Sequence[int], columns: int) -> int:
    """Return the clocks one vector occupies the crossbars.

    Parameters
    ----------
    hardware : HardwareParams
    bit_cycles : sequence of int
        Bit-cycles of every group in use.
    columns : int
        Columns in use.
    """
    return sum(bit_cycles) * _ceil_div(columns, hardware.adcs_per_crossbar)


def steady_cycles(
    hardware: HardwareParams, bit_cycles: Sequence[int], rows: int, columns: int
) -> int:
    """Return the clocks per vector in steady state, without stalls of the streams.

    Parameters
    ----------
    hardware : HardwareParams
    bit_cycles : sequence of int
        Bit-cycles of every group in use.
    rows, columns : int
        Rows and columns in use.
    """
    return max(
        compute_cycles(hardware, bit_cycles, columns),
        _ceil_div(rows, hardware.inputs_per_beat),
        _ceil_div(columns, hardware.results_per_beat),
    )


def fill_cycles(
    hardware: HardwareParams, bit_cycles: Sequence[int], rows: int, columns: int
) -> int:
    """Return the fill latency: clocks from the first input beat to the first result beat.

    Parameters as for :func:`steady_cycles`.
    """
    steps = _ceil_div(columns, hardware.adcs_per_crossbar)
    # A result beat wider than one conversion waits until its last column was converted.
    gathered = _ceil_div(min(columns, hardware.results_per_beat), hardware.adcs_per_crossbar)
    gather_register = hardware.results_per_beat > hardware.adcs_per_crossbar
    return (
        _ceil_div(rows, hardware.inputs_per_beat)
        - 1
        + _START_LATENCY
        + (compute_cycles(hardware, bit_cycles, columns) - steps)
        + pipeline_latency(hardware)
        + _BUFFER_LATENCY
        + (gathered - 1)
        + gather_register
    )


def run_cycles(hardware: HardwareParams, bit_cycles: Sequence[int], rows: int, columns: int) -> int:
    """Return the clocks of a whole run, from the first input beat to the last result beat.

    Both beats count; the streams never stall.

    Parameters
    ----------
    hardware : HardwareParams
    bit_cycles : sequence of int
        Bit-cycles of every vector, all groups together. They differ with ``zero_skip`` only.
    rows, columns : int
        Inputs of a vector, and columns in use.
    """
    load = _ceil_div(rows, hardware.inputs_per_beat)
    steps = _ceil_div(columns, hardware.adcs_per_crossbar)
    beats = _ceil_div(columns, hardware.results_per_beat)
    gathers = hardware.results_per_beat > hardware.adcs_per_crossbar
    # Clock of each event, the first beat on the input stream being clock 0; the input register
    # takes it a clock later, and hands a vector over a clock after its last beat at the earliest.
    loaded, handed_over, last_step, last_beat = 0, 0, 0, 0
    for count in bit_cycles:
        loaded = max(loaded + 1, handed_over) + load - 1
        handed_over = max(loaded + 1, last_step)
        last_step = handed_over + count * steps
        first_result = last_step - (steps - 1) + pipeline_latency(hardware) + _BUFFER_LATENCY
        for beat in range(beats):
            final_column = min(columns, (beat + 1) * hardware.results_per_beat) - 1
            ready = first_result + final_column // hardware.adcs_per_crossbar + gathers
            last_beat = max(last_beat + 1, ready)
    return last_beat + 1
