"""Packs frames by SLIP (RFC 1055)."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .link_format import BYTE_BITS, END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE

__all__ = ["FrameByte", "SlipEncoder"]


class FrameByte(data.StructLayout):
    """A byte of a frame, or its end.

    Fields
    ------
    data : 8
    end : 1
        The byte is END, and none of the frame: it ends, or is about to begin.
    """

    def __init__(self) -> None:
        super().__init__({"data": BYTE_BITS, "end": 1})


class SlipEncoder(wiring.Component):
    """Mark the ends of frames, and hide in them the bytes that would do so; one clock later.

    Members
    -------
    i : In(stream.Signature(FrameByte))
        Frames.
    o : Out(stream.Signature(8))
        Bytes of the line.
    """

    def __init__(self) -> None:
        super().__init__(
            {"i": In(stream.Signature(FrameByte())), "o": Out(stream.Signature(BYTE_BITS))}
        )

    def elaborate(self, platform: object) -> Module:
        """Build the encoder."""
        m = Module()
        escaped = Signal()
        byte, end = self.i.payload.data, self.i.payload.end
        is_end, is_escape = byte == END, byte == ESCAPE
        escapes = ~end & ~escaped & (is_end | is_escape)
        moves = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(moves & ~escapes)
        with m.If(moves):
            m.d.sync += [self.o.valid.eq(self.i.valid), escaped.eq(self.i.valid & escapes)]
            with m.If(escaped):
                m.d.sync += self.o.payload.eq(Mux(is_end, ESCAPED_END, ESCAPED_ESCAPE))
            with m.Else():
                m.d.sync += self.o.payload.eq(Mux(escapes, ESCAPE, byte))
        return m
