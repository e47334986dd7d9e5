"""The top of a board: clock, reset, and the unit with its pins."""

from math import ceil
from typing import Any

from amaranth import (
    ClockDomain,
    ClockSignal,
    Elaboratable,
    Instance,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.build import Attrs, Pins, Resource
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from .board import Board, Pin
from .clocking import add_clock

__all__ = ["RESET_SECONDS", "BoardTop"]

RESET_SECONDS = 15e-6
"""How long the reset lasts once the clock runs.

Block RAMs of an iCE40 read 0 for some 3 us after configuration."""


class BoardTop(Elaboratable):
    """Bring clock, reset and a serial line from the pins of a board to a unit.

    The unit is an instance of Verilog that was emitted apart. It has the ports ``clk``, ``rst``
    (active high, synchronous), ``rx`` and ``tx``.

    Parameters
    ----------
    board : Board
    unit : str
        Name of the unit's module.
    """

    def __init__(self, board: Board, unit: str):
        self.board = board
        self.unit = unit

    def elaborate(self, platform: Any) -> Module:
        """Request the pins and connect them."""
        m = Module()
        board = self.board
        m.domains.sync = ClockDomain("sync")
        pad = platform.request(board.clock, 0, dir="-")
        clock, locked = add_clock(m, pad, board.pll, board.family.name)
        m.d.comb += ClockSignal().eq(clock)
        if board.pll is not None and not board.family.vivado:
            # Vivado derives it; nextpnr is told, whatever it derives.
            platform.add_clock_constraint(clock, board.clock_hz)
        ready = self._reset(m, platform, clock, ~locked)
        for number, pin in enumerate(board.pins):
            port = self._request(platform, pin)
            m.submodules[f"pin_{number}"] = buffer = io.Buffer("o", port)
            m.d.comb += buffer.o.eq(ready if pin.level == "ready" else int(pin.level == "high"))

        line = platform.request("uart", 0, dir="-")
        m.submodules.rx_buffer = rx = io.Buffer("i", line.rx)
        m.submodules.tx_buffer = tx = io.Buffer("o", line.tx)
        m.submodules.unit = Instance(
            self.unit, i_clk=ClockSignal(), i_rst=ResetSignal(), i_rx=rx.i, o_tx=tx.o
        )
        return m

    def _reset(self, m: Module, platform: Any, clock: Signal, unlocked: Value) -> Signal:
        """Reset the unit until the clock has run for a while; returns whether it is over."""
        if platform.default_rst is not None:
            pad = platform.request(platform.default_rst, 0, dir="-")
            m.submodules.reset_buffer = button = io.Buffer("i", pad)
            unlocked = unlocked | button.i
        m.domains.start = ClockDomain("start", local=True)
        m.d.comb += ClockSignal("start").eq(clock)
        m.submodules.start = ResetSynchronizer(unlocked, domain="start")
        waited = Signal(range(ceil(RESET_SECONDS * self.board.clock_hz)))
        ready = Signal()
        m.d.start += ready.eq(waited.all())
        with m.If(~waited.all()):
            m.d.start += waited.eq(waited + 1)
        m.d.comb += ResetSignal().eq(~ready)
        return ready

    def _request(self, platform: Any, pin: Pin) -> io.PortLike:
        """Return the port of a pin that the platform knows, or that the board's file adds."""
        if pin.site:
            site = Pins(pin.site, dir="o", assert_width=1)
            platform.add_resources(
                [Resource(pin.resource, pin.number, site, Attrs(**pin.attributes))]
            )
        return platform.request(pin.resource, pin.number, dir="-")
