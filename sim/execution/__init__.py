"""Fast execution of mapped layers, bit for bit what the golden model computes."""

from .layer import LayerEngine, Paths

__all__ = ["LayerEngine", "Paths"]
