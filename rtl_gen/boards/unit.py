# amaranth: UnusedElaboratable=no
# A unit may be refused for what it is, before it is elaborated.
"""What is built for a board: a unit with the bus or the serial line that its host has."""

from sme_hw.bus.axi_unit import AxiUnit
from sme_hw.bus.link_format import FRAME_BYTES
from sme_hw.bus.uart_unit import UartUnit
from sme_hw.params import HardwareParams

from .board import Board
from .estimate import Design

__all__ = ["board_design"]


def board_design(board: Board, hardware: HardwareParams, units: int) -> Design:
    """Return the design for a board.

    Parameters
    ----------
    board : Board
    hardware : HardwareParams
    units : int
        Compute units behind the bus.

    Raises
    ------
    ParameterError
        A beat is too large for the link.
    """
    if board.link == "axi":
        return Design(AxiUnit(hardware=hardware, units=units), hardware, units, board.link)
    divisor = board.clock_hz / board.baud
    unit = UartUnit(hardware=hardware, units=units, divisor=divisor, frame_bytes=FRAME_BYTES)
    return Design(unit, hardware, units, board.link)
