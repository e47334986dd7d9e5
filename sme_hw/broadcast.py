# amaranth: UnusedElaboratable=no
# Equal buffers are emitted once (see sharing.py), so most of them are never elaborated.
"""Sends the payloads of a stream to some of several receivers, or to all of them."""

from amaranth import Module, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .sharing import shared
from .skid_buffer import SkidBuffer

__all__ = ["Addressed", "Broadcast"]


class Addressed(data.StructLayout):
    """A payload with its receivers.

    Fields
    ------
    payload : width
    units : units
        One bit for each receiver.
    """

    def __init__(self, *, width: int, units: int):
        super().__init__({"payload": unsigned(width), "units": unsigned(units)})


class Broadcast(wiring.Component):
    """Send each payload to its receivers, all in the same clock; one payload a clock.

    A payload is on offer two clocks after it came: a register before the fan-out, and one for each
    receiver, so that no path leads from one receiver to another. It waits until all of its
    receivers have room, which one that lags behind by a clock does not hold up. A payload without
    receivers is dropped.

    Parameters
    ----------
    width : int
        Bits of a payload.
    units : int
        Receivers.

    Members
    -------
    i : In(stream.Signature(Addressed))
    o : Out(stream.Signature(width)), one per receiver
    empty : Out(1)
        Nothing is under way, or on offer.
    """

    def __init__(self, *, width: int, units: int):
        self.width = width
        self.units = units
        super().__init__(
            {
                "i": In(stream.Signature(Addressed(width=width, units=units))),
                "o": Out(stream.Signature(width)).array(units),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the buffers."""
        m = Module()
        layout = self.i.payload.shape()
        root = SkidBuffer(width=layout.size)
        m.submodules.root = shared(root, platform)
        addressed = data.View(layout, root.o.payload)
        m.d.comb += [
            root.i.payload.eq(self.i.payload),
            root.i.valid.eq(self.i.valid),
            self.i.ready.eq(root.i.ready),
            root.o.ready.eq(1),
            self.empty.eq(~root.o.valid),
        ]
        leaves = [SkidBuffer(width=self.width) for _ in range(self.units)]
        for unit, leaf in enumerate(leaves):
            m.submodules[f"leaf_{unit}"] = shared(leaf, platform)
            wiring.connect(m, leaf.o, wiring.flipped(self.o[unit]))
            with m.If(addressed.units[unit] & ~leaf.i.ready):
                m.d.comb += root.o.ready.eq(0)
            with m.If(leaf.o.valid):
                m.d.comb += self.empty.eq(0)
            m.d.comb += [
                leaf.i.payload.eq(addressed.payload),
                leaf.i.valid.eq(root.o.valid & root.o.ready & addressed.units[unit]),
            ]
        return m
