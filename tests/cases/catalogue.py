"""All cases."""

from . import (
    adc,
    array_macro,
    block_memory,
    broadcast,
    bus_unit,
    clip_counters,
    compute_unit,
    configuration,
    crossbar,
    group_scheduler,
    input_gather,
    input_register,
    input_router,
    program_check,
    program_port,
    program_router,
    register_file,
    result_buffer,
    result_join,
    result_router,
    route_check,
    row_conversion,
    shift_add,
    skid_buffer,
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
    broadcast,
    bus_unit,
    clip_counters,
    compute_unit,
    configuration,
    crossbar,
    group_scheduler,
    input_gather,
    input_register,
    input_router,
    program_check,
    program_port,
    program_router,
    register_file,
    result_buffer,
    result_join,
    result_router,
    route_check,
    row_conversion,
    shift_add,
    skid_buffer,
    splice,
    tile_array,
    xb_group,
)

CASES: dict[str, Case] = {case.name: case for module in _MODULES for case in module.cases()}
"""Cases by name."""
