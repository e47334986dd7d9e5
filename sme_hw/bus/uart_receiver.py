"""The receiver of a UART: from the level of a line to bytes."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .bit_clock import bit_step
from .link_format import BYTE_BITS

__all__ = ["UartReceiver"]

_SYNCHRONISER = 2
_SAMPLES = 3


class UartReceiver(wiring.Component):
    """Receive bytes of eight bits, lowest first, without parity, with one stop bit.

    What counts is the majority of the last three samples, one a clock; so a glitch of one clock is
    not seen. It is looked at in the middle of each bit, as counted from the start bit's edge. A
    start bit that is over by its middle was none. The baud rate may be off by 2.5 %.

    Parameters
    ----------
    divisor : float
        Clocks a bit, at least 4.

    Members
    -------
    rx : In(1)
        The line, at 1 when idle; of any clock.
    valid : Out(1)
        A byte was received; for one clock.
    data : Out(8)
        The byte; stays until the next one begins.
    error : Out(1)
        There was no stop bit; for one clock. The next byte begins after the line has been at 1.
    """

    def __init__(self, *, divisor: float):
        self.divisor = divisor
        self.bit_step = bit_step(divisor)
        super().__init__({"rx": In(1), "valid": Out(1), "data": Out(BYTE_BITS), "error": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Build the filter, the bit clock and the shift register."""
        m = Module()
        # The first two only let the line settle: it changes at any time.
        history = Signal(_SYNCHRONISER + _SAMPLES, init=-1)
        a, b, c = history[_SYNCHRONISER:]
        line = Signal(init=1)
        bits, step = self.bit_step
        phase = Signal(bits)
        next_phase = Signal(bits + 1)
        middle = next_phase[-1]
        # A one goes ahead of the data bits; at the end, the stop bit is awaited.
        shift = Signal(1 + BYTE_BITS)
        last = shift[0]
        m.d.comb += [next_phase.eq(phase + step), self.data.eq(shift[1:])]
        m.d.sync += [
            history.eq(Cat(self.rx, history)),
            line.eq((a & b) | (b & c) | (a & c)),
            phase.eq(next_phase),
            self.valid.eq(0),
            self.error.eq(0),
        ]
        with m.FSM():
            with m.State("idle"):
                # An edge is half a clock old when it is seen, a middle seen half a clock late.
                m.d.sync += phase.eq((1 << bits - 1) + step)
                with m.If(~line):
                    m.next = "start"
            with m.State("start"):
                with m.If(middle):
                    m.d.sync += shift.eq(1 << BYTE_BITS)
                    with m.If(line):
                        m.next = "idle"
                    with m.Else():
                        m.next = "bits"
            with m.State("bits"):
                with m.If(middle & ~last):
                    m.d.sync += shift.eq(Cat(shift[1:], line))
                with m.If(middle & last):
                    m.d.sync += [self.valid.eq(line), self.error.eq(~line)]
                    with m.If(line):
                        m.next = "idle"
                    with m.Else():
                        m.next = "break"
            with m.State("break"):
                with m.If(line):
                    m.next = "idle"
        return m
