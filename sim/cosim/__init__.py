"""Co-simulation: the generated Verilog runs in a simulator and is held to the golden model."""

from .cosim import CosimError, CosimResult, Session, TileResult, cosim
from .jobs import check_inputs, tile_jobs

__all__ = [
    "CosimError",
    "CosimResult",
    "Session",
    "TileResult",
    "check_inputs",
    "cosim",
    "tile_jobs",
]
