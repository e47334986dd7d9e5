# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""The program router: sends each record of an array's program to its units."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .array_program import ArrayRegion
from .broadcast import Broadcast
from .params import PROGRAM_BITS, HardwareParams
from .program import REGION_OFFSET
from .program_port import EntryWrite, ProgramPort
from .sharing import shared
from .weight_sets import set_of

__all__ = ["ProgramRouter"]


class ProgramRouter(wiring.Component):
    """Send records to the units that were chosen; show all writes to the array itself, too.

    One word a clock; a word is on offer to units two clocks later. A record is refused unless
    ``idle``; once begun, it is taken to its end. Records of the array's own regions go to no unit.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Units of the array.

    Members
    -------
    i : In(stream.Signature(32))
        Words of the array's program.
    idle : In(1)
        Nothing is being computed.
    o : Out(stream.Signature(32)), one per unit
        Words for the units.
    write : Out(EntryWrite)
        All writes, whoever they go to, one clock after their last word; of entries of several
        words, only the first word is shown.
    all_units : Out(1)
        Records, and the write shown, go to all units.
    choice : Out(1)
        The first word of a record that chooses units is taken.
    chosen : Out(28)
        The mask in that word.
    overlong : Out(1)
        The header word that is taken in this clock announces far too many entries.
    busy : Out(1)
        A record has begun and not ended, or its last write has not taken effect in the array, or
        words for units are under way.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        self.hardware = hardware
        self.units = units
        super().__init__(
            {
                "i": In(stream.Signature(PROGRAM_BITS)),
                "idle": In(1),
                "o": Out(stream.Signature(PROGRAM_BITS)).array(units),
                "write": Out(EntryWrite(hardware=hardware, width=PROGRAM_BITS)),
                "all_units": Out(1),
                "choice": Out(1),
                "chosen": Out(REGION_OFFSET),
                "overlong": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the port that follows the records, and the way to the units."""
        m = Module()
        port = ProgramPort(hardware=self.hardware)
        words = Broadcast(width=PROGRAM_BITS, units=self.units)
        m.submodules.port = shared(port, platform)
        m.submodules.words = shared(words, platform)
        region = self.i.payload[REGION_OFFSET:]
        # Both of the array's own regions have these upper bits.
        own_begins = region[1:] == ArrayRegion.UNITS >> 1
        own = Signal()
        own_before = Signal()
        units = Signal(self.units, init=(1 << self.units) - 1)
        m.d.comb += [
            port.idle.eq(self.idle),
            port.i.payload.eq(self.i.payload),
            port.i.valid.eq(self.i.valid & words.i.ready),
            self.i.ready.eq(port.i.ready & words.i.ready),
            own.eq(Mux(port.between, own_begins, own_before)),
            words.i.payload.payload.eq(self.i.payload),
            words.i.payload.units.eq(Mux(own, 0, units)),
            words.i.valid.eq(self.i.valid & port.i.ready),
            self.chosen.eq(self.i.payload),
            self.choice.eq(
                port.between & self.i.valid & self.i.ready & (region == ArrayRegion.UNITS)
            ),
            self.all_units.eq(units.all()),
            self.write.enable.eq(port.write.enable),
            self.write.region.eq(port.write.region),
            self.write.entry.eq(port.write.entry),
            self.write.data.eq(port.write.data),
            self.overlong.eq(port.overlong),
            self.busy.eq(port.busy | ~words.empty),
        ]
        if self.hardware.set_bits:
            m.d.comb += self.write.set.eq(set_of(port.write))
        with m.If(port.between):
            m.d.sync += own_before.eq(own_begins)
        with m.If(self.choice):
            m.d.sync += units.eq(self.chosen)
        for unit in range(self.units):
            wiring.connect(m, words.o[unit], wiring.flipped(self.o[unit]))
        return m
