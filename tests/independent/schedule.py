"""Clock cycles between the results of a compute unit in steady state."""

import math

from .computation import row_groups

__all__ = ["cycles_per_round", "cycles_per_vector"]


def cycles_per_vector(shifts, n_columns, options):
    """Return the FPGA's clock cycles between the results of two vectors in a tile."""
    return cycles_per_round([(shifts, n_columns)], options)


def cycles_per_round(tiles, options):
    """Return the clock cycles in which a unit computes one vector for each of its tiles in turn.

    Tiles are given as shifts of rows and number of columns. Computing, loading and sending go on
    beside one another; what takes longest for all tiles together sets the pace.
    """
    return max(map(sum, zip(*(occupied(*tile, options) for tile in tiles), strict=True)))


def occupied(shifts, n_columns, options):
    """Return the clock cycles that a vector occupies crossbars, input register and results."""
    groups = row_groups(len(shifts), options)
    busy = 0
    for first, end in groups:
        bits = range(min(shifts[first:end]), options.input_bits + max(shifts[first:end]))
        busy += len({t // options.emulation_lanes for t in bits})
    # Inputs become bit planes in blocks of at most 16 beats, all blocks of a slot equal; a block
    # takes as long as its beats, or as its planes if there are more of these.
    per_slot = math.ceil(options.active_rows / options.inputs_per_beat)
    block = math.ceil(per_slot / math.ceil(per_slot / 16))
    planes = options.input_bits + options.squeeze
    loading = 0
    for first, end in groups:
        beats = math.ceil((end - first) / options.inputs_per_beat)
        loading += math.ceil(beats / block) * max(block, planes)
    conversions = math.ceil(n_columns / options.adcs_per_crossbar)
    return busy * conversions, loading, math.ceil(n_columns / options.results_per_beat)
