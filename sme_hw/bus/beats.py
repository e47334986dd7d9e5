"""Beats of the streams on a bus: whole bytes for each value (:mod:`sme_hw.bus.lanes`)."""

from amaranth.lib import data

__all__ = ["InputBytes", "ResultBytes"]

BYTE_BITS = 8


class InputBytes(data.StructLayout):
    """A beat of an input vector.

    Parameters
    ----------
    beat_bytes, dest_bits : int

    Fields
    ------
    data : 8 * beat_bytes
        Inputs, the first in the lowest bytes.
    dest : dest_bits
        The weight set that the vector is for, the same in all its beats; only if there are several.
    """

    def __init__(self, *, beat_bytes: int, dest_bits: int):
        dest = {"dest": dest_bits} if dest_bits else {}
        super().__init__({"data": BYTE_BITS * beat_bytes, **dest})


class ResultBytes(data.StructLayout):
    """A beat of results.

    Parameters
    ----------
    beat_bytes : int

    Fields
    ------
    data : 8 * beat_bytes
        Signed results, the first in the lowest bytes; 0 beyond the last column.
    last : 1
        The last beat of a packet of vectors.
    """

    def __init__(self, *, beat_bytes: int):
        super().__init__({"data": BYTE_BITS * beat_bytes, "last": 1})
