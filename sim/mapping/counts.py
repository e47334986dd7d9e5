"""What a layer takes and loses, in numbers that add up."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Self

import numpy as np

__all__ = ["Counts", "Errors"]


class _Sums:
    """Numbers that add up over the parts of a layer, and tuples with a number per plane."""

    def add(self, other: Self) -> None:
        """Add the numbers of another part."""
        for key, value in vars(other).items():
            own = getattr(self, key)
            if isinstance(value, tuple):
                pairs = zip_longest(own, value, fillvalue=0)
                setattr(self, key, tuple(a + b for a, b in pairs))
            else:
                setattr(self, key, own + value)


@dataclass
class Counts(_Sums):
    """Crossbars and rows of a layer (SPEC section 3).

    A row of a matrix, and a piece of one, counts once in every column of tiles. Where no row is
    split, pieces are rows.

    Parameters
    ----------
    tiles : int
        Tiles as they are laid out.
    conventional, sliced : int
        Crossbars before squeeze-out, no row being split: when all planes are kept, and with empty
        ones released; planes counted once, not per sign.
    squeezed : int
        Crossbars after squeeze-out, as they are laid out, that hold a 1.
    physical : int
        The same per plane and sign.
    rcmr_bits : int
        Bits of row conversion masks: those of all pieces.
    rows : int
        Rows of the layer's matrices.
    pieces : int
        What they became: rows of crossbars.
    shifted_rows : int
        Pieces that were moved.
    rows_outside_window : int
        Rows with codes that left the window S when they were rounded.
    nonzero_rows_before, nonzero_rows_after : tuple of int
        Rows before squeeze-out, and pieces after it, with a 1 in each plane of the padded code, the
        most significant plane first; released planes have none.
    """

    tiles: int = 0
    conventional: int = 0
    sliced: int = 0
    squeezed: int = 0
    physical: int = 0
    rcmr_bits: int = 0
    rows: int = 0
    pieces: int = 0
    shifted_rows: int = 0
    rows_outside_window: int = 0
    nonzero_rows_before: tuple[int, ...] = ()
    nonzero_rows_after: tuple[int, ...] = ()


@dataclass
class Errors(_Sums):
    """Squared errors of a layer, in squared units of the weights.

    Parameters
    ----------
    signal : float
        Sum of the squared weights.
    quantisation : float
        What the codes before squeeze-out lose.
    squeeze : float
        What squeeze-out changes in these codes.
    total : float
        What the weights on the crossbars lose in all.
    """

    signal: float = 0.0
    quantisation: float = 0.0
    squeeze: float = 0.0
    total: float = 0.0

    def sqnr_db(self, error: float) -> float | None:
        """Return the signal-to-noise ratio for one of the errors, in dB; None without error."""
        if error == 0 or self.signal == 0:
            return None
        return float(10 * np.log10(self.signal / error))
