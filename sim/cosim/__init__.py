"""Co-simulation: the generated Verilog runs in a simulator and is held to the golden model."""

from .cosim import CosimError, CosimResult, Session, TileResult, cosim
from .jobs import check_inputs, tile_jobs
from .network import cosim_layers
from .network_result import LayerCosim, NetworkCosim

__all__ = [
    "CosimError",
    "CosimResult",
    "LayerCosim",
    "NetworkCosim",
    "Session",
    "TileResult",
    "check_inputs",
    "cosim",
    "cosim_layers",
    "tile_jobs",
]
