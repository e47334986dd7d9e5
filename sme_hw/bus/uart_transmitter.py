"""The transmitter of a UART: from bytes to the level of a line."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .bit_clock import bit_step
from .link_format import BYTE_BITS

__all__ = ["UartTransmitter"]


class UartTransmitter(wiring.Component):
    """Send bytes of eight bits, lowest first, without parity, with one stop bit.

    The start bit follows one clock after a byte was taken, the next byte is taken when the stop
    bit is over. A bit is as many clocks as has to be for the average to be right.

    Parameters
    ----------
    divisor : float
        Clocks a bit, at least 4.

    Members
    -------
    i : In(stream.Signature(8))
        Bytes.
    tx : Out(1)
        The line.
    """

    def __init__(self, *, divisor: float):
        self.divisor = divisor
        self.bit_step = bit_step(divisor)
        super().__init__({"i": In(stream.Signature(BYTE_BITS)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        """Build the bit clock and the shift register."""
        m = Module()
        bits, step = self.bit_step
        phase = Signal(bits)
        next_phase = Signal(bits + 1)
        # The data, the stop bit, and a one that tells the end.
        shift = Signal(BYTE_BITS + 2)
        sending = Signal()
        m.d.comb += [next_phase.eq(phase + step), self.i.ready.eq(~sending)]
        with m.If(sending):
            m.d.sync += phase.eq(next_phase)
            with m.If(next_phase[-1]):
                m.d.sync += [
                    Cat(self.tx, shift).eq(Cat(shift, 0)),
                    sending.eq(shift[1:].any()),
                ]
        with m.Else():
            # The last step of a bit overflows; from zero on, that comes in time.
            m.d.sync += [
                phase.eq(0),
                shift.eq(Cat(self.i.payload, Const(0b11, 2))),
                sending.eq(self.i.valid),
                self.tx.eq(~self.i.valid),
            ]
        return m
