"""Shares crossbars out to the layers of a network and to their tiles."""

from collections.abc import Sequence

from sim.mapping import Parameters
from sim.mapping.layers import placements
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams, ceil_div

from .budget import largest_gains
from .plan import LayerPlan
from .profile import Profile
from .rows import rows_of

__all__ = ["allocate", "conventional_crossbars", "plans_at"]


def _tiles(shape: tuple[int, int, int], hardware: HardwareParams) -> int:
    """Return the tiles of a layer that is mapped conventionally."""
    return sum(
        ceil_div(place.shape[0], hardware.rows) * ceil_div(place.shape[1], hardware.cols)
        for place in placements(shape[0], shape[1], shape[2], hardware.rows, hardware.cols)
    )


def conventional_crossbars(shape: tuple[int, int, int], parameters: Parameters) -> int:
    """Return the crossbars of a layer with all planes kept.

    Parameters
    ----------
    shape : tuple of int
        Groups, rows, columns.
    parameters : Parameters
    """
    hardware = parameters.hardware
    return _tiles(shape, hardware) * (parameters.code_bits // hardware.cell_bits)


def allocate(
    parameters: Sequence[Parameters],
    profiles: Sequence[Profile],
    crossbars: int,
) -> list[LayerPlan]:
    """Plan layers so that a number of crossbars keeps the network's output as near as it can.

    Parameters
    ----------
    parameters : sequence of Parameters
    profiles : sequence of Profile
    crossbars : int
        How many all layers may have.

    Raises
    ------
    InputError
        They are too few for some layers.
    """
    layers = [rows_of(own, profile) for own, profile in zip(parameters, profiles, strict=True)]
    units = [layer.units() for layer in layers]
    flat = [unit for own in units for unit in own]
    fewest = sum(layer.least for layer in layers)
    if crossbars < fewest:
        raise InputError(
            f"{crossbars} crossbars are too few, at least {fewest} are needed: the ratio is too "
            "large"
        )
    least = sum(unit.least for unit in flat)
    given = largest_gains([unit.gains[unit.least :] for unit in flat], crossbars - least)
    counts = iter([unit.least + more for unit, more in zip(flat, given, strict=True)])
    return [
        layer.plan([next(counts) for _ in own]) for layer, own in zip(layers, units, strict=True)
    ]


def plans_at(
    ratio: float, parameters: Sequence[Parameters], profiles: Sequence[Profile]
) -> list[LayerPlan]:
    """Plan layers for the crossbars of a conventional mapping over ``ratio``, as :func:`allocate`.

    Parameters
    ----------
    ratio : float
    parameters : sequence of Parameters
    profiles : sequence of Profile
    """
    shapes = [profile.weights.shape for profile in profiles]
    total = sum(map(conventional_crossbars, shapes, parameters))
    return allocate(parameters, profiles, int(total / ratio))
