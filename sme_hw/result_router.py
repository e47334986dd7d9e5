"""The result router: tells which units make up the result packets of the vectors under way."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .array_cycles import ARRAY_VECTORS
from .array_program import Route
from .input_router import RouteWrite
from .params import HardwareParams, index_bits
from .weight_sets import set_address, set_field, set_of

__all__ = ["ResultRouter"]


class ResultRouter(wiring.Component):
    """Give the routes of the result packets of every vector that has begun, in order.

    One route a clock. Those of a vector are on offer from two clocks after it began, long before
    there are results.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Units of the array.

    Members
    -------
    write : In(RouteWrite)
        Loads the route of a result packet; only while no vector is under way.
    begun : In(1)
        A vector has begun; at most :data:`sme_hw.array_cycles.ARRAY_VECTORS` are under way.
    set : In(range(weight_sets))
        Its set; only with several.
    o : Out(stream.Signature(Route))
        A route for each packet.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        self.hardware = hardware
        self.units = units
        super().__init__(
            {
                "write": In(RouteWrite(hardware=hardware, units=units)),
                "begun": In(1),
                "o": Out(stream.Signature(Route(hardware=hardware, units=units))),
                **{name: In(bits) for name, bits in set_field(hardware).items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the table and what walks through it."""
        m = Module()
        hardware = self.hardware
        m.submodules.routes = routes = memory.Memory(
            shape=self.write.data.shape(), depth=hardware.in_sets(self.units), init=[]
        )
        write_port, read_port = routes.write_port(), routes.read_port(domain="comb")
        packet = Signal(index_bits(self.units))
        waiting = Signal(range(ARRAY_VECTORS + 1))
        moves = Signal()
        takes = Signal()
        ends = Signal()
        weight_set = self._set_of_oldest(m, ends)
        m.d.comb += [
            write_port.en.eq(self.write.enable),
            write_port.addr.eq(self.write.address),
            write_port.data.eq(self.write.data),
            read_port.addr.eq(set_address(packet, self.units, weight_set)),
            moves.eq(~self.o.valid | self.o.ready),
            takes.eq(moves & (waiting != 0)),
            ends.eq(takes & read_port.data.final),
        ]
        m.d.sync += waiting.eq(waiting + self.begun - ends)
        with m.If(moves):
            m.d.sync += [self.o.valid.eq(waiting != 0), self.o.payload.eq(read_port.data)]
        with m.If(takes):
            m.d.sync += packet.eq(Mux(read_port.data.final, 0, packet + 1))
        return m

    def _set_of_oldest(self, m: Module, ends: Value) -> Value:
        """Note the set of every vector; returns that of the first one whose routes are not out."""
        if not self.hardware.set_bits:
            return set_of(self)
        m.submodules.sets = sets = memory.Memory(
            shape=unsigned(self.hardware.set_bits), depth=ARRAY_VECTORS, init=[]
        )
        newest = Signal(range(ARRAY_VECTORS))
        oldest = Signal(range(ARRAY_VECTORS))
        write_port = sets.write_port()
        # A vector's routes may go out in the clock after it was noted.
        read_port = sets.read_port(transparent_for=(write_port,))
        m.d.comb += [
            write_port.en.eq(self.begun),
            write_port.addr.eq(newest),
            write_port.data.eq(self.set),
            read_port.addr.eq(oldest + ends),
            read_port.en.eq(1),
        ]
        m.d.sync += [newest.eq(newest + self.begun), oldest.eq(oldest + ends)]
        return read_port.data
