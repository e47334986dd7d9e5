"""AXI4-Lite accesses as accesses to registers."""

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .register_bus import WORD_BITS, WORD_BYTES, RegisterBus

__all__ = ["AxiLite", "AxiLiteSignature"]

OKAY, SLVERR = 0b00, 0b10
"""Responses."""


class AxiLiteSignature(wiring.Signature):
    """AXI4-Lite with 32-bit data (Arm IHI 0022, part B), seen from the subordinate.

    Parameters
    ----------
    address_bits : int
        Of byte addresses.

    Members
    -------
    ``aw*``
        Address of a write.
    ``w*``
        Data of a write.
    ``b*``
        Answer to a write.
    ``ar*``
        Address of a read.
    ``r*``
        Answer to a read.
    """

    def __init__(self, address_bits: int):
        address = {"addr": In(address_bits), "prot": In(3)}
        response = {"resp": Out(2)}
        channels = {
            "aw": address,
            "w": {"data": In(WORD_BITS), "strb": In(WORD_BYTES)},
            "ar": address,
        }
        members: dict[str, Any] = {}
        for channel, fields in channels.items():
            members |= {f"{channel}{name}": member for name, member in fields.items()}
            members |= {f"{channel}valid": In(1), f"{channel}ready": Out(1)}
        for channel, fields in {"b": response, "r": {"data": Out(WORD_BITS)} | response}.items():
            members |= {f"{channel}{name}": member for name, member in fields.items()}
            members |= {f"{channel}valid": Out(1), f"{channel}ready": In(1)}
        super().__init__(members)


class AxiLite(wiring.Component):
    """Make accesses to registers one after the other, reads and writes in turn.

    A read takes four clocks from its address to its answer, if nothing waits.

    Parameters
    ----------
    address_bits : int
        Number of bits that number registers.

    Members
    -------
    bus : Out(AxiLiteSignature)
        The manager is on the other side. Addresses are of bytes; their two lowest bits are ignored.
    registers : Out(RegisterBus)
    """

    def __init__(self, *, address_bits: int):
        self.address_bits = address_bits
        super().__init__(
            {
                "bus": Out(AxiLiteSignature(address_bits + 2)),
                "registers": Out(RegisterBus(address_bits=address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the channels."""
        m = Module()
        bus, registers = self.bus, self.registers
        # What is there of each channel: ready is high until something is.
        address = Signal()
        data = Signal()
        reading = Signal()
        write_address = Signal(self.address_bits)
        read_address = Signal(self.address_bits)
        m.d.comb += [bus.awready.eq(~address), bus.wready.eq(~data), bus.arready.eq(~reading)]
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += [address.eq(1), write_address.eq(bus.awaddr[2:])]
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += [data.eq(1), registers.data.eq(bus.wdata), registers.strobe.eq(bus.wstrb)]
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [reading.eq(1), read_address.eq(bus.araddr[2:])]

        may_write = Signal()
        may_read = Signal()
        m.d.comb += [
            may_write.eq(address & data & ~bus.bvalid),
            may_read.eq(reading & ~bus.rvalid),
        ]
        with m.If(~registers.valid):
            # After a write, a read comes first.
            writes = may_write & ~(may_read & registers.write)
            m.d.sync += [
                registers.valid.eq(may_write | may_read),
                registers.write.eq(writes),
                registers.address.eq(Mux(writes, write_address, read_address)),
            ]
        with m.Elif(registers.done):
            response = Mux(registers.error, SLVERR, OKAY)
            m.d.sync += registers.valid.eq(0)
            with m.If(registers.write):
                m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(response), address.eq(0), data.eq(0)]
            with m.Else():
                m.d.sync += [
                    bus.rvalid.eq(1),
                    bus.rresp.eq(response),
                    bus.rdata.eq(registers.read_data),
                    reading.eq(0),
                ]
        with m.If(bus.bvalid & bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        with m.If(bus.rvalid & bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        return m
