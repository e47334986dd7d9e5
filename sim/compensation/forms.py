"""Forms of a row: which integers a row of weights may have, and what puts them into cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np

__all__ = ["Form", "Forms", "split_forms", "unsplit_forms"]


@dataclass(frozen=True)
class Form:
    """A set of integers that a row may have.

    Parameters
    ----------
    window : int
        Which forms it may stand beside in a tile: those of the same window.
    size : int
        What it costs: planes, or pieces.
    shifts : tuple of int
        Row shift of every piece; a row that is not split has one.
    levels : tuple of int
        The magnitudes, ascending from 0, without the shift of the first piece.
    """

    window: int
    size: int
    shifts: tuple[int, ...]
    levels: tuple[int, ...]

    @property
    def largest(self) -> int:
        """The largest magnitude, shift included."""
        return self.levels[-1] << self.shifts[0] if self.shifts else 0


@dataclass(frozen=True, eq=False)
class Forms:
    """All forms that the rows of a layer may take, window by window, in ascending order of size.

    Parameters
    ----------
    forms : tuple of Form
    piece_bits : int
        Bits of the code of a piece.
    """

    forms: tuple[Form, ...]
    piece_bits: int

    @cached_property
    def tables(self) -> np.ndarray:
        """Nearest level for every half step of position: float32, shape (forms, half steps).

        The boundary between two neighbouring levels lies at a multiple of 1/2. Beyond a form's
        last half step there are zeros: see :attr:`lengths`.
        """
        result = np.zeros((len(self.forms), self.lengths.max()), np.float32)
        for row, form in zip(result, self.forms, strict=True):
            levels = np.array(form.levels)
            steps = np.arange(2 * levels[-1] + 1)
            found = np.searchsorted(levels[1:] + levels[:-1], steps, side="right")
            row[: len(steps)] = levels[found]
        return result

    @cached_property
    def lengths(self) -> np.ndarray:
        """Half steps of every form: int64, shape (forms,)."""
        return np.array([2 * form.levels[-1] + 1 for form in self.forms])

    @cached_property
    def factors(self) -> np.ndarray:
        """Weight of a level's 1: float32, shape (forms,)."""
        return np.array(
            [2.0 ** form.shifts[0] if form.shifts else 1.0 for form in self.forms], "f4"
        )

    @cached_property
    def first(self) -> np.ndarray:
        """Where the forms of each window begin, and behind the last: int64, (windows + 1,)."""
        windows = [form.window for form in self.forms]
        return np.searchsorted(windows, np.arange(windows[-1] + 2))

    @cached_property
    def sizes(self) -> np.ndarray:
        """Size of the forms of each window: int64, shape (windows,)."""
        return np.array([self.forms[start].size for start in self.first[:-1]])

    @cached_property
    def reach(self) -> np.ndarray:
        """The largest integer of each window: float64, shape (windows,)."""
        largest = np.array([float(form.largest) for form in self.forms])
        return np.maximum.reduceat(largest, self.first[:-1])

    def pieces(self, form: int, levels: np.ndarray) -> np.ndarray:
        """Return the signed codes of all pieces of rows.

        Parameters
        ----------
        form : int
        levels : numpy.ndarray of integers
            Signed, without the shift of the first piece.

        Returns
        -------
        numpy.ndarray of int16, shape (pieces, ...)
            What stands for the dots is the shape of ``levels``.
        """
        shifts = self.forms[form].shifts
        if len(shifts) < 2:
            return levels.astype(np.int16)[np.newaxis][: len(shifts)]
        digits = _digits(tuple(shift - shifts[0] for shift in shifts), self.piece_bits)
        signs = np.sign(levels).astype(np.int16)
        return np.moveaxis(digits[np.abs(levels)] * signs[..., np.newaxis], -1, 0)


@cache
def _digits(spacing: tuple[int, ...], bits: int) -> np.ndarray:
    """Return the codes of pieces that add up to each level, with the fewest ones.

    Shape (largest level + 1, pieces), int16; levels that cannot be have zeros.
    """
    most = 2**bits - 1
    choices = np.array(list(product(range(-most, most + 1), repeat=len(spacing))), np.int16)
    sums = choices.astype(np.int64) @ (1 << np.array(spacing, np.int64))
    ones = np.bitwise_count(np.abs(choices)).sum(axis=1)
    order = np.lexsort((-ones, sums))  # the last one of a level counts
    order = order[sums[order] >= 0]
    result = np.zeros((sums.max() + 1, len(spacing)), np.int16)
    result[sums[order]] = choices[order]
    return result


def _sums(spacing: Sequence[int], bits: int) -> tuple[int, ...]:
    """Return the magnitudes that signed pieces add up to."""
    most = 2**bits - 1
    sums = {0}
    for shift in spacing:
        sums = {part + (code << shift) for part in sums for code in range(-most, most + 1)}
    return tuple(sorted(value for value in sums if value >= 0))


def split_forms(piece_bits: int, max_shift: int) -> Forms:
    """Return the forms of rows that may be split into pieces (reconstructed).

    Pieces carry signs of their own. Where they follow one another without a gap, that adds nothing;
    but with a gap of one bit somewhere, signs fill it almost, and the range grows by half: pieces
    of weight 1, 2 and 8 reach all integers up to 11 but 4.

    Parameters
    ----------
    piece_bits : int
        Bits of the code of a piece.
    max_shift : int
        Largest row shift.
    """
    forms = [Form(0, 0, (), (0,))]
    for size in range(1, max_shift // piece_bits + 2):
        close = piece_bits * np.arange(size)
        spacings = [close, *(close + (np.arange(size) > gap) for gap in range(size - 1))]
        for spacing in spacings:
            levels = _sums(spacing.tolist(), piece_bits)
            forms += [
                Form(size, size, tuple((spacing + shift).tolist()), levels)
                for shift in range(max_shift - int(spacing[-1]) + 1)
            ]
    return Forms(tuple(forms), piece_bits)


def unsplit_forms(
    codebooks: Sequence[Callable[[int], Sequence[int]]], shifts: Sequence[int], cell_bits: int
) -> Forms:
    """Return the forms of rows with one shift.

    A tile that has fewer planes than the others may have any of them: its rows stand so many bits
    higher. A window is a number of planes, and a place for them.

    Parameters
    ----------
    codebooks : sequence of callable
        For 1, 2 ... planes: the magnitudes of a code, given the row's shift.
    shifts : sequence of int
        Possible row shifts, ascending.
    cell_bits : int
        Bits of a plane.
    """
    forms = [Form(0, 0, (), (0,))]
    most = len(codebooks)
    for size, codebook in enumerate(codebooks, 1):
        for base in range(0, (most - size) * cell_bits + 1, cell_bits):
            window = forms[-1].window + 1
            forms += [
                Form(window, size, (base + shift,), tuple(codebook(shift))) for shift in shifts
            ]
    return Forms(tuple(forms), most * cell_bits)
