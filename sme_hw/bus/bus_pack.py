"""The program of a bus unit, whether it holds one compute unit or several."""

from collections.abc import Sequence

import numpy as np

from sme_hw.array_image import ArrayImage
from sme_hw.array_pack import pack_array
from sme_hw.pack import pack
from sme_hw.params import HardwareParams

__all__ = ["bus_program"]


def bus_program(images: Sequence[ArrayImage], hardware: HardwareParams, units: int) -> np.ndarray:
    """Return the program that loads tiles and enables the units.

    Parameters
    ----------
    images : sequence of ArrayImage
        One for each weight set in use; of a single tile for a single unit, which has no routes.
    hardware : HardwareParams
    units : int
        Compute units behind the bus.

    Returns
    -------
    numpy.ndarray of uint32, shape (words,)

    Raises
    ------
    InputError
        As :func:`sme_hw.pack.pack` and :func:`sme_hw.array_pack.pack_array` do.
    """
    if units > 1:
        return pack_array(images, hardware, units)
    return pack([tile for image in images for tile in image.tiles], hardware)
