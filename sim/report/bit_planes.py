"""A picture of the bit planes of a tile, before and after squeeze-out."""

from pathlib import Path

import numpy as np

from sim.mapping import LayerMapping, Tile
from sim.mapping.slicing import cell_levels
from sme_hw.errors import InputError

__all__ = ["draw_bit_planes"]

_POSITIVE, _NEGATIVE, _EMPTY, _RELEASED = "#2166ac", "#b2182b", "#ffffff", "#d9d9d9"


def _most_moved_tile(layer: LayerMapping) -> Tile:
    """Return the tile with the most moved rows: there is most to see."""
    hardware = layer.parameters.hardware
    matrix = layer.matrices[0]

    def moved(tile: Tile) -> int:
        return int(np.count_nonzero(matrix.row_shifts[tile.rows, tile.column_tile]))

    return max(matrix.tiles(hardware), key=moved)


def _signed_planes(layer: LayerMapping, tile: Tile) -> np.ndarray:
    """Return a tile's cell levels with their weights' signs, shape (planes, rows, columns).

    Planes that squeeze-out released come first, as zeros.
    """
    parameters = layer.parameters
    hardware = parameters.hardware
    codes = layer.matrices[0].codes[tile.rows, tile.columns]
    planes = parameters.code_bits // hardware.cell_bits
    return cell_levels(np.abs(codes), hardware.cell_bits, planes) * np.sign(codes)


def draw_bit_planes(before: LayerMapping, after: LayerMapping, path: Path) -> None:
    """Draw the planes of the tile with the most moved rows, without and with squeeze-out.

    Parameters
    ----------
    before, after : LayerMapping
        The same layer mapped both ways.
    path : path
        Image file to write; its suffix chooses the format.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.colors import ListedColormap
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("the picture needs matplotlib: pip install sme[demo]") from None
    tile = _most_moved_tile(after)
    stacks = [_signed_planes(before, tile), _signed_planes(after, tile)]
    count = len(stacks[0])
    cell_bits = after.parameters.hardware.cell_bits
    released = after.parameters.mapping.squeeze // cell_bits
    figure = Figure(figsize=(1.6 * count + 0.8, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, count, squeeze=False)
    colours = ListedColormap([_NEGATIVE, _EMPTY, _POSITIVE])
    shifts = after.matrices[0].row_shifts[tile.rows, tile.column_tile]
    for row, (planes, label) in enumerate(zip(stacks, ("before", "after"), strict=True)):
        for plane, axis in enumerate(axes[row]):
            axis.set_xticks([])
            axis.set_yticks([])
            axis.imshow(
                np.sign(planes[plane]), cmap=colours, vmin=-1, vmax=1, interpolation="nearest"
            )
            ones = np.count_nonzero(planes[plane])
            title = f"plane {plane + 1}: {ones}" if ones else f"plane {plane + 1}: empty"
            if row and plane < released:
                axis.set_facecolor(_RELEASED)
                axis.images[0].set_alpha(0)
                title = f"plane {plane + 1}: released"
            axis.set_title(title, fontsize=9)
        axes[row][0].set_ylabel(f"{label} squeeze-out\nrows (inputs)", fontsize=9)
    moved = int(np.count_nonzero(shifts))
    figure.suptitle(
        f"{after.name}, {tile.name}: non-zero cells of every bit plane (blue +, red -); "
        f"{moved} of {len(shifts)} rows moved down",
        fontsize=10,
    )
    figure.savefig(path, dpi=120)
