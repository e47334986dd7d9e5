"""All cases."""

from . import (
    adc,
    array_macro,
    block_memory,
    clip_counters,
    compute_unit,
    configuration,
    crossbar,
    frame_receiver,
    frame_sender,
    group_scheduler,
    input_gather,
    input_register,
    link_bridge,
    program_check,
    program_port,
    result_buffer,
    row_conversion,
    shift_add,
    slip_decoder,
    slip_encoder,
    splice,
    uart_bridge,
    uart_receiver,
    uart_transmitter,
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
    frame_receiver,
    frame_sender,
    group_scheduler,
    input_gather,
    input_register,
    link_bridge,
    program_check,
    program_port,
    result_buffer,
    row_conversion,
    shift_add,
    slip_decoder,
    slip_encoder,
    splice,
    uart_bridge,
    uart_receiver,
    uart_transmitter,
    xb_group,
)

CASES: dict[str, Case] = {case.name: case for module in _MODULES for case in module.cases()}
"""Cases by name."""
