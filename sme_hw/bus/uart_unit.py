# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""A compute unit on a serial line: for boards without a bus to a host."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from sme_hw.params import HardwareParams
from sme_hw.sharing import shared

from .bus_unit import BusUnit
from .lanes import bus_lanes
from .link_format import FRAME_BYTES
from .link_params import LinkParams
from .registers import address_bits, register_map
from .uart_bridge import UartBridge

__all__ = ["UartUnit", "link_params"]


def link_params(hardware: HardwareParams, units: int, frame_bytes: int = FRAME_BYTES) -> LinkParams:
    """Return what the link of a unit is built for.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Compute units.
    frame_bytes : int
        Most bytes of a frame.

    Raises
    ------
    ParameterError
        A beat does not fit into a frame.
    """
    lanes = bus_lanes(hardware, units)
    return LinkParams(
        input_beat_bytes=lanes.input_beat,
        dest_bits=hardware.set_bits,
        result_beat_bytes=lanes.result_beat,
        address_bits=address_bits(register_map(hardware, units)),
        frame_bytes=frame_bytes,
    )


class UartUnit(wiring.Component):
    """Put a compute unit, or several, on a serial line.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        As of a :class:`sme_hw.bus.bus_unit.BusUnit`.
    divisor : float
        Clocks a bit, at least 4.
    frame_bytes : int
        Most bytes of a frame of the link.

    Members
    -------
    rx : In(1)
        Line from the host, at 1 when idle; of any clock.
    tx : Out(1)
        Line to the host.
    """

    def __init__(self, *, hardware: HardwareParams, units: int, divisor: float, frame_bytes: int):
        self.hardware = hardware
        self.units = units
        self.divisor = divisor
        self.frame_bytes = frame_bytes
        self.link = link_params(hardware, units, frame_bytes)
        super().__init__({"rx": In(1), "tx": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Connect the bridge and the unit."""
        m = Module()
        bridge = UartBridge(divisor=self.divisor, link=self.link)
        unit = BusUnit(hardware=self.hardware, units=self.units)
        m.submodules.uart_bridge = shared(bridge, platform)
        m.submodules.unit = shared(unit, platform)
        m.d.comb += [
            bridge.rx.eq(self.rx),
            self.tx.eq(bridge.tx),
            bridge.flush.eq(unit.resetting),
            unit.corrupt_frames.eq(bridge.corrupt_frames),
        ]
        wiring.connect(m, bridge.registers, unit.registers)
        wiring.connect(m, bridge.program, unit.program)
        wiring.connect(m, bridge.i, unit.i)
        wiring.connect(m, unit.o, bridge.o)
        return m
