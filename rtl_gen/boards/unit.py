"""What is built for a board: a unit with the bus or the serial line that its host has."""

from sme_hw.bus.axi_unit import AxiUnit
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

from .board import Board
from .estimate import Design

__all__ = ["board_design"]


def board_design(board: Board, hardware: HardwareParams) -> Design:
    """Return the design for a board.

    Parameters
    ----------
    board : Board
    hardware : HardwareParams
    """
    if board.link == "axi":
        return Design(AxiUnit(hardware=hardware), hardware)
    raise InputError(f"board {board.name}: there is no unit with a serial line yet")
