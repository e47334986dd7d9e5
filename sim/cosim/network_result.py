"""What the co-simulation of whole networks showed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.mapping import LayerMapping

from .cosim import TileResult

__all__ = ["LayerCosim", "NetworkCosim"]


@dataclass(frozen=True, eq=False)
class LayerCosim:
    """What the co-simulation of a layer showed.

    Parameters
    ----------
    layer : LayerMapping
    vectors : int
    outputs : numpy.ndarray of int64, shape (vectors, outputs)
        What the RTL returned, row tiles summed, in code steps times input steps.
    tiles : list of TileResult
        At least one for each unit; several if there are many vectors, or a run with stalls.
    """

    layer: LayerMapping
    vectors: int
    outputs: np.ndarray
    tiles: list[TileResult]

    @property
    def equal(self) -> bool:
        """Every value, clip counter and cycle count is as the golden model says."""
        return all(tile.equal for tile in self.tiles)

    def as_dict(self) -> dict[str, Any]:
        """Return what machines read; sums leave out what was run again with stalls."""
        timed = [tile for tile in self.tiles if not tile.stalled]
        return {
            "name": self.layer.name,
            "equal": self.equal,
            "tiles": self.layer.counts.tiles,
            "vectors": self.vectors,
            "results": self.outputs.size,
            "mismatches": sum(tile.mismatches for tile in self.tiles),
            "clips": np.sum([tile.clips for tile in timed], axis=0).tolist(),
            "golden_clips": np.sum([tile.golden_clips for tile in timed], axis=0).tolist(),
            "clocks": sum(tile.cycles for tile in timed),
            "predicted_clocks": sum(tile.predicted_cycles for tile in timed),
            "chip_cycles": sum(tile.chip_cycles for tile in timed),
            "stalled_runs": len(self.tiles) - len(timed),
        }


@dataclass(frozen=True, eq=False)
class NetworkCosim:
    """What the co-simulation of layers showed.

    Parameters
    ----------
    layers : list of LayerCosim
    designs : int
        Designs that were built: one for each set of hardware parameters.
    processes : int
    seconds : dict
        ``generate`` and ``build`` are sums over the designs, which are built side by side;
        ``run`` is the time until the last tile was compared, ``total`` that of everything.
    """

    layers: list[LayerCosim]
    designs: int
    processes: int
    seconds: dict[str, float]

    @property
    def equal(self) -> bool:
        """Every value, clip counter and cycle count is as the golden model says."""
        return all(layer.equal for layer in self.layers)

    @property
    def failures(self) -> list[str]:
        """A line for each tile that is not as the golden model says, with its layer and name."""
        return [tile.difference for layer in self.layers for tile in layer.tiles if not tile.equal]

    def as_dict(self) -> dict[str, Any]:
        """Return what machines read."""
        layers = [layer.as_dict() for layer in self.layers]
        keys = ("tiles", "results", "mismatches", "clocks", "predicted_clocks", "chip_cycles")
        return {
            "equal": self.equal,
            **{key: sum(layer[key] for layer in layers) for key in keys},
            "clips": sum(sum(layer["clips"]) for layer in layers),
            "golden_clips": sum(sum(layer["golden_clips"]) for layer in layers),
            "failures": self.failures,
            "layers": layers,
            "designs": self.designs,
            "processes": self.processes,
            "seconds": self.seconds,
        }
