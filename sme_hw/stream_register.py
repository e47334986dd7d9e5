"""A register between two streams that cuts both ways: payload and ready."""

from typing import Any

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["StreamRegister"]


class StreamRegister(wiring.Component):
    """Hand a stream on a clock later, one payload a clock, with nothing but registers at its ports.

    It holds up to two payloads: ready is a register, so one more may come before it falls.

    Parameters
    ----------
    shape : ShapeLike
        Of the payload.

    Members
    -------
    i : In(stream.Signature(shape))
    o : Out(stream.Signature(shape))
    """

    def __init__(self, *, shape: Any):
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        """Build the two registers."""
        m = Module()
        waiting = Signal(self.shape, reset_less=True)
        waits = Signal()  # a payload is in `waiting`, behind the one on offer
        m.d.comb += self.i.ready.eq(~waits)
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += [self.o.valid.eq(waits | self.i.valid), waits.eq(0)]
            with m.If(waits):
                m.d.sync += self.o.payload.eq(waiting)
            with m.Else():
                m.d.sync += self.o.payload.eq(self.i.payload)
        with m.Elif(~waits):
            m.d.sync += waits.eq(self.i.valid)
        with m.If(~waits):
            m.d.sync += waiting.eq(self.i.payload)
        return m
