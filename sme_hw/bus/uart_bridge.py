# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""Access to the compute unit through a UART, for boards without a host bus."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..sharing import shared
from .link_bridge import LinkBridge, unit_members
from .link_params import LinkParams
from .uart_receiver import UartReceiver
from .uart_transmitter import UartTransmitter

__all__ = ["UartBridge"]


class UartBridge(wiring.Component):
    """Turn requests on a serial line into accesses to registers and streams, each exactly once.

    UartReceiver, LinkBridge and UartTransmitter.

    A frame has an effect only when all of it has come, and its check is right. What arrives that is
    no frame is counted, and answered by a response of status CORRUPT. Format:
    :mod:`sme_hw.bus.link_format`.

    Parameters
    ----------
    divisor : float
        Clocks a bit, at least 4.
    link : LinkParams

    Members
    -------
    rx : In(1)
        Line from the host, at 1 when idle.
    tx : Out(1)
        Line to the host.
    registers : Out(RegisterBus)
    program : Out(stream.Signature(32))
        Program words.
    i : Out(stream.Signature(InputBytes))
        Input vectors.
    o : In(stream.Signature(ResultBytes))
        Results.
    flush : In(1)
        Drop what has not been taken of a PROGRAM or INPUT; these streams may be withdrawn.
    corrupt_frames : Out(16)
        What arrived that was no frame; stays at its highest value.
    """

    def __init__(self, *, divisor: float, link: LinkParams):
        self.divisor = divisor
        self.link = link
        super().__init__(
            {
                "rx": In(1),
                "tx": Out(1),
                **unit_members(link),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the stages."""
        m = Module()
        receiver = UartReceiver(divisor=self.divisor)
        bridge = LinkBridge(link=self.link)
        transmitter = UartTransmitter(divisor=self.divisor)
        m.submodules.uart_receiver = shared(receiver, platform)
        m.submodules.link_bridge = shared(bridge, platform)
        m.submodules.uart_transmitter = shared(transmitter, platform)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            bridge.rx_valid.eq(receiver.valid),
            bridge.rx_data.eq(receiver.data),
            bridge.rx_error.eq(receiver.error),
            bridge.flush.eq(self.flush),
            self.tx.eq(transmitter.tx),
            self.corrupt_frames.eq(bridge.corrupt_frames),
        ]
        wiring.connect(m, bridge.tx, transmitter.i)
        wiring.connect(m, bridge.registers, wiring.flipped(self.registers))
        wiring.connect(m, bridge.program, wiring.flipped(self.program))
        wiring.connect(m, bridge.i, wiring.flipped(self.i))
        wiring.connect(m, wiring.flipped(self.o), bridge.o)
        return m
