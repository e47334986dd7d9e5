"""Co-simulation: the generated Verilog runs in a simulator and is held to the golden model."""

from .cosim import CosimResult, TileResult, cosim
from .jobs import check_inputs, tile_jobs

__all__ = ["CosimResult", "TileResult", "check_inputs", "cosim", "tile_jobs"]
