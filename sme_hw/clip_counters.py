"""Saturating counters of clipped conversions, one per plane, with one adder for all."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .bit_heap import bit_heap
from .cycles import clip_settle_cycles
from .params import check_int, index_bits

__all__ = ["ClipCounters"]


class ClipCounters(wiring.Component):
    """Count the clipped conversions of every plane.

    The counters go round in a ring of registers: in each clock one of them passes the adder and
    takes what its plane has collected since it was there last (reconstructed). ``count`` shows the
    selected one when it comes round. It is up to date
    :func:`sme_hw.cycles.clip_settle_cycles` after the last conversion or selection.

    Parameters
    ----------
    planes : int
        Counters.
    flags : int
        Conversions of a plane a clock.
    width : int
        Width of a counter, in bits; it stays at ``2**width - 1``.

    Members
    -------
    clear : In(1)
        Sets the counters to zero, each when it comes round; only while no conversions are under
        way. A reset does so, too, within :func:`sme_hw.cycles.clip_settle_cycles` clocks.
    valid : In(1)
        The flags belong to executed conversions.
    clips : In(ArrayLayout(flags, planes))
        Conversions that clipped.
    select : In(range(planes))
        Counter to show.
    count : Out(width)
        Clipped conversions of the selected plane since the last clear.
    """

    def __init__(self, *, planes: int, flags: int, width: int):
        check_int("planes", planes, 1, 8)
        check_int("flags", flags, 1, 4096)
        check_int("width", width, 1, 64)
        self.planes = planes
        self.flags = flags
        self.width = width
        # Two at least: a full counter is set in one of them, and all are cleared in another.
        self.places = max(2, planes)
        super().__init__(
            {
                "clear": In(1),
                "valid": In(1),
                "clips": In(data.ArrayLayout(flags, planes)),
                "select": In(index_bits(planes)),
                "count": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the collectors and the ring."""
        m = Module()
        full = 2**self.width - 1
        # The plane whose counter is at the adder.
        turn = Signal(range(self.places))
        last_turn = turn == self.places - 1
        # A reset finds conversions under way, and waits for what they have left in the collectors.
        drained = clip_settle_cycles(self.planes, self.flags)
        clearing = Signal(range(drained + 1), init=drained)
        next_turn = Signal.like(turn)
        m.d.comb += next_turn.eq(Mux(last_turn, 0, turn + 1))
        m.d.sync += turn.eq(next_turn)
        with m.If(self.clear):
            m.d.sync += clearing.eq(self.places + 1)
        with m.Elif(clearing != 0):
            m.d.sync += clearing.eq(clearing - 1)

        # What the plane has collected when its counter comes to the adder.
        amount = Signal(range(self.places * self.flags + 1), reset_less=True)
        for plane, clips in enumerate(self.clips):
            flags = [flag & self.valid for flag in clips]
            arriving = bit_heap(m, [flags], name=f"clips_{plane}", platform=platform)
            collected = Signal.like(amount, name=f"collected_{plane}", reset_less=True)
            m.d.sync += collected.eq(Mux(next_turn == plane, 0, collected) + arriving)
            with m.If(next_turn == plane):
                m.d.sync += amount.eq(collected)

        ring = [
            Signal(self.width, name=f"count_{place}", reset_less=True)
            for place in range(self.places - 1)
        ]
        # Flip-flops that are set start set; clearing makes that good.
        added = Signal(self.width, init=full, reset_less=True)
        total = Signal(range(full + self.places * self.flags + 1))
        m.d.comb += total.eq(ring[0] + amount)
        m.d.sync += added.eq(total)
        with m.If(total[self.width :].any()):
            m.d.sync += added.eq(full)
        following = added
        for register in reversed(ring):
            m.d.sync += register.eq(following)
            if following is added:
                with m.If(clearing != 0):
                    m.d.sync += register.eq(0)
            following = register
        with m.If(turn == self.select):
            m.d.sync += self.count.eq(ring[0])
        return m
