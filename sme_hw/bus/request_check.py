"""Says whether a request may be applied."""

from amaranth import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..params import index_bits
from .link_format import ADDRESS_BYTES, BYTE_BITS, Kind, Status
from .link_params import LinkParams

__all__ = ["KindFlags", "RequestCheck"]


class KindFlags(data.StructLayout):
    """A request's kind, decoded; all are 0 if there is no such kind.

    Fields
    ------
    connect, read, write, program, input, results : 1
        It is this one.
    """

    def __init__(self) -> None:
        super().__init__({kind.name.lower(): 1 for kind in Kind})


class RequestCheck(wiring.Component):
    """Look at the header of a request, at what was applied last, and at whether there is room.

    Whether a payload is made up of whole words or beats is left to others. Outputs are those of the
    header and of ``last`` a clock ago, but of ``connected`` and ``kept`` as they are.

    Parameters
    ----------
    link : LinkParams

    Members
    -------
    kind, sequence, argument : In(8)
        The header.
    payload : In(range(frame_bytes))
        Bytes behind it.
    last : In(8)
        Sequence of the last request that was applied.
    connected : In(1)
        There has been a CONNECT.
    kept : In(1)
        The frame of a PROGRAM or INPUT is still needed.
    kinds : Out(KindFlags)
        What the kind is.
    repeated : Out(1)
        The last request has come again.
    refused : Out(1)
        It is not to be applied, and not repeated.
    status : Out(Status)
        Why, with ``refused``.
    """

    def __init__(self, *, link: LinkParams):
        self.link = link
        super().__init__(
            {
                "kind": In(BYTE_BITS),
                "sequence": In(BYTE_BITS),
                "argument": In(BYTE_BITS),
                "payload": In(index_bits(link.frame_bytes)),
                "last": In(BYTE_BITS),
                "connected": In(1),
                "kept": In(1),
                "kinds": Out(KindFlags()),
                "repeated": Out(1),
                "refused": Out(1),
                "status": Out(Status),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the register of what the header means, and the verdict behind it."""
        m = Module()
        link, kinds = self.link, self.kinds
        same = Signal()
        follows = Signal()
        sensible = Signal()
        ahead = (self.sequence - self.last)[:BYTE_BITS]
        m.d.sync += [
            *(kinds[kind.name.lower()].eq(self.kind == kind) for kind in Kind),
            *(same.eq(ahead == 0), follows.eq(ahead == 1), sensible.eq(0)),
        ]
        with m.Switch(self.kind):
            with m.Case(Kind.CONNECT, Kind.RESULTS):
                m.d.sync += sensible.eq(self.payload == 0)
            with m.Case(Kind.READ):
                some = (self.argument != 0) & (self.argument <= link.read_max)
                m.d.sync += sensible.eq(some & (self.payload == ADDRESS_BYTES))
            with m.Case(Kind.WRITE, Kind.PROGRAM):
                m.d.sync += sensible.eq(1)
            with m.Case(Kind.INPUT):
                m.d.sync += sensible.eq(~self.argument[link.dest_bits :].any())

        m.d.comb += self.refused.eq(1)
        with m.If(~self.connected & ~kinds.connect):
            m.d.comb += self.status.eq(Status.NOT_CONNECTED)
        with m.Elif(same & ~kinds.connect):
            m.d.comb += [self.refused.eq(0), self.repeated.eq(1)]
        with m.Elif(~follows & ~kinds.connect):
            m.d.comb += self.status.eq(Status.BAD_SEQUENCE)
        with m.Elif(~sensible):
            m.d.comb += self.status.eq(Status.BAD_REQUEST)
        with m.Elif(self.kept & (kinds.program | kinds.input)):
            m.d.comb += self.status.eq(Status.BUSY)
        with m.Else():
            m.d.comb += self.refused.eq(0)
        return m
