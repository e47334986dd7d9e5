"""Accesses to registers, one at a time."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WORD_BITS", "RegisterBus"]

WORD_BITS = 32


class RegisterBus(wiring.Signature):
    """Read or write a 32-bit register; directions as the master sees them.

    A request stands until ``done``; in the clock after that, the master drops or changes it.

    Parameters
    ----------
    address_bits : int

    Members
    -------
    valid : Out(1)
        A request.
    write : Out(1)
        It writes.
    address : Out(address_bits)
        Number of a 32-bit word.
    data : Out(32)
        What to write.
    strobe : Out(4)
        Bytes to write.
    done : In(1)
        For one clock, at least one clock after ``valid`` rose.
    read_data : In(32)
        Valid with ``done``.
    error : In(1)
        Valid with ``done``: a reserved address, or a write to what can only be read.
    """

    def __init__(self, *, address_bits: int):
        self.address_bits = address_bits
        super().__init__(
            {
                "valid": Out(1),
                "write": Out(1),
                "address": Out(address_bits),
                "data": Out(WORD_BITS),
                "strobe": Out(WORD_BITS // 8),
                "done": In(1),
                "read_data": In(WORD_BITS),
                "error": In(1),
            }
        )
