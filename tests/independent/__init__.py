"""A second opinion: mapping and computation in plain loops, for the tests alone.

Everything here is written from the project's specification (the SME paper, arXiv 2103.01705, and
the reconstructions that the documentation lists), without looking at :mod:`sim.mapping`,
:mod:`sim.golden` or :mod:`sme_hw`, and it imports none of them. It is meant to be obviously right,
not to be fast: weights are encoded one by one, rows are shifted one by one, and every conversion of
every analogue-to-digital converter is made in turn.

Matrices of weights and codes are lists of rows; a row is a list with one entry per output column.
"""

from .codebooks import additive_codebook, codebook, in_window, pow2_alpha, quantise
from .codecs import Encoded, encode_sizes
from .column_scales import column_error, factors_to_try
from .computation import (
    clips_of_units,
    compute,
    compute_layer,
    exact_outputs,
    row_groups,
    unit_compute,
)
from .crossbar_cycles import conventional_crossbar_cycles, crossbar_cycles
from .layer import Layer, Matrix, map_convolution, map_weights
from .options import Options
from .schedule import cycles_per_round, cycles_per_vector

__all__ = [
    "Encoded",
    "Layer",
    "Matrix",
    "Options",
    "additive_codebook",
    "clips_of_units",
    "codebook",
    "column_error",
    "compute",
    "compute_layer",
    "conventional_crossbar_cycles",
    "crossbar_cycles",
    "cycles_per_round",
    "cycles_per_vector",
    "encode_sizes",
    "exact_outputs",
    "factors_to_try",
    "in_window",
    "map_convolution",
    "map_weights",
    "pow2_alpha",
    "quantise",
    "row_groups",
    "unit_compute",
]
