"""From pixels, 0 to 255, to the numbers that a network was trained on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sme_hw.errors import InputError

__all__ = ["NORMALISATIONS", "Normalise", "parse_normalise"]


@dataclass(frozen=True)
class Normalise:
    """What becomes of a pixel v of channel c: (v - offset[c]) / divisor[c].

    Parameters
    ----------
    offset, divisor : tuple of float
        One number, or one for each channel; in pixel steps, 0 to 255.
    """

    offset: tuple[float, ...]
    divisor: tuple[float, ...]

    @classmethod
    def of_unit(cls, mean: tuple[float, ...], std: tuple[float, ...]) -> "Normalise":
        """Return (v / 255 - mean) / std, as training frameworks write it."""
        return cls(tuple(255 * value for value in mean), tuple(255 * value for value in std))

    def table(self, channels: int) -> np.ndarray:
        """Return the value of every pixel, float32, shape (channels, 256).

        Raises
        ------
        InputError
            It is made for another number of channels, or float32 does not hold its numbers.
        """
        for values in (self.offset, self.divisor):
            if len(values) not in (1, channels):
                raise InputError(
                    f"the normalisation has {len(values)} channels, the network's input {channels}"
                )
        offset, divisor = (np.reshape(v, (-1, 1)) for v in (self.offset, self.divisor))
        with np.errstate(all="ignore"):
            table = (np.arange(256) - offset) / divisor
        if not (np.abs(table) <= np.finfo(np.float32).max).all():
            raise InputError("the normalisation makes numbers that are too large for float32")
        return np.broadcast_to(table, (channels, 256)).astype(np.float32)


NORMALISATIONS: Mapping[str, Normalise] = {
    "none": Normalise((0.0,), (1.0,)),
    "unit": Normalise((0.0,), (255.0,)),
    "symmetric": Normalise((127.5,), (127.5,)),
    "imagenet": Normalise.of_unit((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""0 to 255 as it is; 0 to 1; -1 to 1; and with ImageNet's mean and standard deviation."""


def parse_normalise(text: str) -> Normalise:
    """Return a normalisation by its name, or from its mean and standard deviation.

    Parameters
    ----------
    text : str
        A key of :data:`NORMALISATIONS`, or ``mean/std`` for pixels of 0 to 1: one number each,
        or one for each channel with commas between them, as in ``.5,.5,.4/.2,.2,.3``.

    Raises
    ------
    InputError
        It is neither, or a standard deviation is not positive.
    """
    if text in NORMALISATIONS:
        return NORMALISATIONS[text]
    try:
        mean, std = (tuple(map(float, part.split(","))) for part in text.split("/"))
    except ValueError:
        names = ", ".join(NORMALISATIONS)
        raise InputError(
            f"normalisation {text!r}: one of {names} is needed, or mean/std such as "
            ".485,.456,.406/.229,.224,.225"
        ) from None
    if not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        raise InputError(
            f"normalisation {text!r}: finite numbers are needed, standard deviations above 0"
        )
    return Normalise.of_unit(mean, std)
