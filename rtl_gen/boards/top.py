"""The top of a board: clock, reset, and the unit with its pins."""

from math import ceil
from typing import Any

from amaranth import ClockDomain, ClockSignal, Elaboratable, Instance, Module, ResetSignal
from amaranth.build import Attrs, Pins, Resource
from amaranth.lib import io

from .board import Board, Pin
from .clocking import add_clock
from .start_reset import StartReset

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
        board = self.board
        # Before anything is built: some of them may not be there.
        pad = platform.request(board.clock, 0, dir="-")
        line = platform.request("uart", 0, dir="-")
        button = platform.default_rst and platform.request(platform.default_rst, 0, dir="-")
        pins = [(self._request(platform, pin), pin.level) for pin in board.pins]

        m = Module()
        m.domains.sync = ClockDomain("sync")
        clock, locked = add_clock(m, pad, board.pll, board.family.name)
        m.d.comb += ClockSignal().eq(clock)
        if board.pll is not None and not board.family.vivado:
            # Vivado derives it; nextpnr is told, whatever it derives.
            platform.add_clock_constraint(clock, board.clock_hz)

        m.submodules.start = start = StartReset(clocks=ceil(RESET_SECONDS * board.clock_hz))
        hold = ~locked
        if button:
            m.submodules.reset_buffer = pressed = io.Buffer("i", button)
            hold = hold | pressed.i
        m.d.comb += [start.hold.eq(hold), ResetSignal().eq(~start.ready)]
        for number, (port, level) in enumerate(pins):
            m.submodules[f"pin_{number}"] = shown = io.Buffer("o", port)
            m.d.comb += shown.o.eq(start.ready if level == "ready" else int(level == "high"))

        m.submodules.rx_buffer = rx = io.Buffer("i", line.rx)
        m.submodules.tx_buffer = tx = io.Buffer("o", line.tx)
        m.submodules.unit = Instance(
            self.unit, i_clk=ClockSignal(), i_rst=ResetSignal(), i_rx=rx.i, o_tx=tx.o
        )
        return m

    def _request(self, platform: Any, pin: Pin) -> io.PortLike:
        """Return the port of a pin that the platform knows, or that the board's file adds."""
        if pin.site:
            site = Pins(pin.site, dir="o", assert_width=1)
            platform.add_resources(
                [Resource(pin.resource, pin.number, site, Attrs(**pin.attributes))]
            )
        return platform.request(pin.resource, pin.number, dir="-")
