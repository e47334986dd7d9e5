"""All cases."""

from . import (
    adc,
    array_macro,
    block_memory,
    clip_counters,
    compute_unit,
    configuration,
    crossbar,
    group_scheduler,
    input_gather,
    input_register,
    program_check,
    program_port,
    result_buffer,
    row_conversion,
    shift_add,
    splice,
    tile_array,
    xb_group,
)
from .case import Case

__all__ = ["CASES"]

_MODULES = (
    adc,
    array_macro,
    block_memory,
    clip_counters,
    compute_unit,
    configuration,
    crossbar,
    group_scheduler,
    input_gather,
    input_register,
    program_check,
    program_port,
    result_buffer,
    row_conversion,
    shift_add,
    splice,
    tile_array,
    xb_group,
)

CASES: dict[str, Case] = {case.name: case for module in _MODULES for case in module.cases()}
"""Cases by name."""
