"""All cases."""

from . import (
    adc,
    array_macro,
    block_memory,
    bus_unit,
    clip_counters,
    compute_unit,
    configuration,
    crossbar,
    group_scheduler,
    input_gather,
    input_register,
    program_check,
    program_port,
    register_file,
    result_buffer,
    row_conversion,
    shift_add,
    splice,
    stream_register,
    xb_group,
)
from .case import Case

__all__ = ["CASES"]

_MODULES = (
    adc,
    array_macro,
    block_memory,
    bus_unit,
    clip_counters,
    compute_unit,
    configuration,
    crossbar,
    group_scheduler,
    input_gather,
    input_register,
    program_check,
    program_port,
    register_file,
    result_buffer,
    row_conversion,
    shift_add,
    splice,
    stream_register,
    xb_group,
)

CASES: dict[str, Case] = {case.name: case for module in _MODULES for case in module.cases()}
"""Cases by name."""
