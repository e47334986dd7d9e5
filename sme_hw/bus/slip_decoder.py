"""Unpacks SLIP (RFC 1055): from bytes of the line to bytes and ends of frames."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .link_format import BYTE_BITS, END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE

__all__ = ["SlipDecoder"]


class SlipDecoder(wiring.Component):
    """Find the ends of frames, and undo what hides such bytes in them; one clock later.

    Members
    -------
    i_valid : In(1)
        A byte of the line.
    i_data : In(8)
        The byte.
    i_error : In(1)
        Something on the line that was no byte.
    valid : Out(1)
        A byte of a frame; for one clock.
    data : Out(8)
        The byte; stays until the next one of the line.
    end : Out(1)
        The end of a frame; for one clock.
    error : Out(1)
        The frame is spoilt, if ``end`` is set the one that ends; for one clock.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i_valid": In(1),
                "i_data": In(BYTE_BITS),
                "i_error": In(1),
                "valid": Out(1),
                "data": Out(BYTE_BITS),
                "end": Out(1),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the decoder."""
        m = Module()
        escaped = Signal()
        byte = self.i_data
        is_end, is_escape = byte == END, byte == ESCAPE
        escapes_end, escapes_escape = byte == ESCAPED_END, byte == ESCAPED_ESCAPE
        legal = Mux(escaped, escapes_end | escapes_escape, 1)
        m.d.sync += [
            self.end.eq(self.i_valid & is_end),
            self.valid.eq(self.i_valid & ~is_end & ~is_escape & legal),
            self.error.eq(self.i_error | (self.i_valid & ~legal)),
        ]
        with m.If(self.i_valid):
            m.d.sync += escaped.eq(is_escape)
            with m.If(~is_escape & ~is_end):
                m.d.sync += self.data.eq(Mux(escaped, Mux(escapes_end, END, ESCAPE), byte))
        with m.If(self.i_error):
            m.d.sync += escaped.eq(0)
        return m
