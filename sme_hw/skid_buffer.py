"""A register for a stream, in both directions."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .params import check_int

__all__ = ["SkidBuffer"]


class SkidBuffer(wiring.Component):
    """Cut the paths of a stream in two, those of ``ready`` too; one payload a clock.

    A payload is on offer one clock after it came. Because the sender learns a clock late that the
    receiver pauses, there is a second place for what comes in between.

    Parameters
    ----------
    width : int
        Bits of a payload.

    Members
    -------
    i : In(stream.Signature(width))
    o : Out(stream.Signature(width))
    """

    def __init__(self, *, width: int):
        check_int("width", width, 1, 2**16)
        self.width = width
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(width))})

    def elaborate(self, platform: object) -> Module:
        """Build the two places."""
        m = Module()
        # What came last; it is kept when the receiver pauses.
        spare = Signal(self.width, reset_less=True)
        empty = Signal(init=1)
        moves = Signal()
        m.d.comb += [self.i.ready.eq(empty), moves.eq(~self.o.valid | self.o.ready)]
        with m.If(empty):
            m.d.sync += spare.eq(self.i.payload)
        with m.If(moves):
            m.d.sync += [
                self.o.payload.eq(Mux(empty, self.i.payload, spare)),
                self.o.valid.eq(self.i.valid | ~empty),
                empty.eq(1),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += empty.eq(0)
        return m
