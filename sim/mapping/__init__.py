"""Weights to crossbar contents: encode, slice, squeeze, tile, count."""

from .counts import Counts, Errors
from .layer_params import LayerRule, layer_parameters, read_layer_rules
from .layout import PlacedCodes, lay_out
from .mapping import map_layer, map_matrix
from .model import LayerMapping, MatrixMapping, Tile, TilePart
from .params import OPTIONS, MappingParams, Parameters, load_parameters, presets
from .quantisation import LayerCalibration, Quantisation
from .schedule import MAX_UNITS, Schedule, Spread, schedule, spread
from .store import SeenImages, describe, load_mapping, load_seen, save_mapping
from .weights import LayerWeights, read_array, read_arrays, read_layers

__all__ = [
    "MAX_UNITS",
    "OPTIONS",
    "Counts",
    "Errors",
    "LayerCalibration",
    "LayerMapping",
    "LayerRule",
    "LayerWeights",
    "MappingParams",
    "MatrixMapping",
    "Parameters",
    "PlacedCodes",
    "Quantisation",
    "Schedule",
    "SeenImages",
    "Spread",
    "Tile",
    "TilePart",
    "describe",
    "lay_out",
    "layer_parameters",
    "load_mapping",
    "load_parameters",
    "load_seen",
    "map_layer",
    "map_matrix",
    "presets",
    "read_array",
    "read_arrays",
    "read_layer_rules",
    "read_layers",
    "save_mapping",
    "schedule",
    "spread",
]
