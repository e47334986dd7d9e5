"""Counts how many conversions of a plane were clipped by its ADCs."""

from amaranth import Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .params import check_int

__all__ = ["ClipCounter"]


class ClipCounter(wiring.Component):
    """Add up clip flags into a counter that saturates (reconstructed).

    The counter includes a clock's flags :data:`sme_hw.cycles.CLIP_COUNTER_LATENCY` clocks later.

    Parameters
    ----------
    flags : int
        Conversions a clock.
    width : int
        Width of the counter, in bits; it stays at ``2**width - 1``.

    Members
    -------
    clear : In(1)
        Sets the counter to zero, which takes two clocks; only while no conversions are under way.
    valid : In(1)
        The flags belong to executed conversions.
    clips : In(flags)
        Conversions that clipped.
    count : Out(width)
        Clipped conversions since the last clear.
    """

    def __init__(self, *, flags: int, width: int):
        check_int("flags", flags, 1, 1024)
        check_int("width", width, 1, 64)
        self.flags = flags
        self.width = width
        super().__init__(
            {
                "clear": In(1),
                "valid": In(1),
                "clips": In(flags),
                "count": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the flag count and the saturating adder."""
        m = Module()
        # Flip-flops can be set without logic before them, but not set and reset; and setting is
        # what a full counter needs. So it is cleared by setting all bits and counting on by one.
        full = 2**self.width - 1
        count = Signal(self.width, init=full, reset_less=True)
        step = Signal(range(self.flags + 1), init=1)
        clearing = Signal(init=1)
        flags = sum(self.clips[i] for i in range(self.flags))
        exact = count + step
        m.d.comb += self.count.eq(count)
        m.d.sync += [
            clearing.eq(self.clear),
            step.eq(Mux(self.clear, 1, Mux(self.valid, flags, 0))),
        ]
        with m.If(ResetSignal() | self.clear | (exact[self.width :].any() & ~clearing)):
            m.d.sync += count.eq(full)
        with m.Else():
            m.d.sync += count.eq(exact)
        return m
