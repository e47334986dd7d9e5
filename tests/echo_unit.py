"""Stands for a unit with a serial line where only the board around it matters."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class EchoUnit(wiring.Component):
    """Send back what comes, a few clocks later, with bits of a counter in it.

    Parameters
    ----------
    delay : int
        Clocks.
    """

    rx: In(1)
    tx: Out(1)

    def __init__(self, *, delay=4):
        self.delay = delay
        super().__init__()

    def elaborate(self, platform):
        """Build a shift register, and a counter that its last bit is mixed with."""
        m = Module()
        line, count = Signal(self.delay), Signal(8)
        m.d.sync += [line.eq(Cat(self.rx, line)), count.eq(count + 1)]
        m.d.comb += self.tx.eq(line[-1] ^ count[-1])
        return m
