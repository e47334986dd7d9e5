"""Reset of a board's design after configuration, and whenever its clock was not there."""

from amaranth import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from sme_hw.params import check_int

__all__ = ["StartReset"]


class StartReset(wiring.Component):
    """Say when a design may leave its reset: some time after the clock can be relied on.

    Its own flip-flops are reset by ``hold``, so the domain's reset can be made of ``ready``.

    Parameters
    ----------
    clocks : int
        Clocks that the reset lasts at least once ``hold`` is 0.

    Members
    -------
    hold : In(1)
        The clock is not there, or somebody presses a button; at any time.
    ready : Out(1)
        0 at first, and from a clock after ``hold`` came on.
    """

    def __init__(self, *, clocks: int):
        check_int("clocks", clocks, 2, 2**24)
        self.clocks = clocks
        super().__init__({"hold": In(1), "ready": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Build a counter with a reset of its own."""
        m = Module()
        m.domains.start = ClockDomain("start", local=True)
        m.d.comb += ClockSignal("start").eq(ClockSignal())
        m.submodules.synchroniser = ResetSynchronizer(self.hold, domain="start")
        left = Signal(range(self.clocks), init=self.clocks - 1)
        with m.If(left == 0):
            m.d.start += self.ready.eq(1)
        with m.Else():
            m.d.start += left.eq(left - 1)
        return m
