"""The input router: tells which units each beat of an input vector goes to."""

from amaranth import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .array_program import Route
from .broadcast import Addressed
from .params import HardwareParams, index_bits
from .row_conversion import input_payload
from .weight_sets import set_address, set_of

__all__ = ["InputRouter", "RouteWrite"]


class RouteWrite(wiring.Signature):
    """Writes an entry of a table of routes.

    Members
    -------
    enable : Out(1)
    address : Out(range(in_sets(units)))
        Packet, and above it the set.
    data : Out(Route)
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        super().__init__(
            {
                "enable": Out(1),
                "address": Out(index_bits(hardware.in_sets(units))),
                "data": Out(Route(hardware=hardware, units=units)),
            }
        )


class InputRouter(wiring.Component):
    """Cut vectors into packets and look up the units of each; no clock passes.

    A vector is the packets of its set, one after the other; how many beats a packet has stands in
    its route. Between vectors, beats are only let through with ``may_begin``; what is on offer is
    withdrawn when that falls.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Units of the array.

    Members
    -------
    write : In(RouteWrite)
        Loads the route of an input packet; only while no vector is under way.
    may_begin : In(1)
        A vector is let in.
    i : In(stream.Signature(input_payload))
        Beats of vectors.
    o : Out(stream.Signature(Addressed))
        The same with their units.
    begins : Out(1)
        The first beat of a vector is transferred.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        self.hardware = hardware
        self.units = units
        payload = input_payload(hardware)
        super().__init__(
            {
                "write": In(RouteWrite(hardware=hardware, units=units)),
                "may_begin": In(1),
                "i": In(stream.Signature(payload)),
                "o": Out(stream.Signature(Addressed(width=payload.size, units=units))),
                "begins": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the table and the counters of beats and packets."""
        m = Module()
        hardware = self.hardware
        m.submodules.routes = routes = memory.Memory(
            shape=self.write.data.shape(), depth=hardware.in_sets(self.units), init=[]
        )
        write_port, read_port = routes.write_port(), routes.read_port(domain="comb")
        packet = Signal(index_bits(self.units))
        beat = Signal(index_bits(hardware.input_beats))
        accept = Signal()
        moves = Signal()
        ends = Signal()
        mid_vector = Signal()
        route = read_port.data
        m.d.comb += [
            write_port.en.eq(self.write.enable),
            write_port.addr.eq(self.write.address),
            write_port.data.eq(self.write.data),
            read_port.addr.eq(set_address(packet, self.units, set_of(self.i.payload))),
            accept.eq(mid_vector | self.may_begin),
            self.o.valid.eq(self.i.valid & accept),
            self.i.ready.eq(self.o.ready & accept),
            self.o.payload.payload.eq(self.i.payload),
            self.o.payload.units.eq(route.units),
            moves.eq(self.i.valid & self.i.ready),
            ends.eq(beat == route.last_beat),
            self.begins.eq(moves & ~mid_vector),
        ]
        with m.If(moves):
            m.d.sync += [beat.eq(Mux(ends, 0, beat + 1)), mid_vector.eq(~(ends & route.final))]
            with m.If(ends):
                m.d.sync += packet.eq(Mux(route.final, 0, packet + 1))
        return m
