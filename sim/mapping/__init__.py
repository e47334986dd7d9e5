"""Weights to crossbar contents: encode, slice, squeeze, tile, count."""

from .mapping import Counts, Errors, LayerMapping, MatrixMapping, map_layer, map_matrix
from .params import OPTIONS, MappingParams, Parameters, load_parameters, presets

__all__ = [
    "OPTIONS",
    "Counts",
    "Errors",
    "LayerMapping",
    "MappingParams",
    "MatrixMapping",
    "Parameters",
    "load_parameters",
    "map_layer",
    "map_matrix",
    "presets",
]
