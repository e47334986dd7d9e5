"""Single accesses to 32-bit registers, as all buses make them."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WORD_BITS", "WORD_BYTES", "RegisterBus"]

WORD_BITS = 32
WORD_BYTES = WORD_BITS // 8


class RegisterBus(wiring.Signature):
    """One access at a time, seen from whoever asks.

    A request stands until the clock in which ``done`` is 1; the next one may follow in the clock
    after.

    Parameters
    ----------
    address_bits : int

    Members
    -------
    valid : Out(1)
        There is a request.
    write : Out(1)
        It is a write.
    address : Out(address_bits)
        Number of the register.
    data : Out(32)
        What to write.
    strobe : Out(4)
        Bytes to write.
    done : In(1)
        The request is answered; at least a clock after it came, for one clock.
    read_data : In(32)
        What was read, with ``done``.
    error : In(1)
        With ``done``: there is no such register, or it cannot be written.
    """

    def __init__(self, *, address_bits: int):
        self.address_bits = address_bits
        super().__init__(
            {
                "valid": Out(1),
                "write": Out(1),
                "address": Out(address_bits),
                "data": Out(WORD_BITS),
                "strobe": Out(WORD_BYTES),
                "done": In(1),
                "read_data": In(WORD_BITS),
                "error": In(1),
            }
        )
