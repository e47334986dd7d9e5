# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""Sends frames, and has the one for a repeated request still there."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from ..block_memory import BlockMemory
from ..sharing import shared
from .link_format import BYTE_BITS, CHECK_BYTES, END
from .slip_encoder import FrameByte

__all__ = ["FrameSender"]


class FrameSender(wiring.Component):
    """Send a frame from one of two buffers of one memory, between two ends and with its CRC.

    Parameters
    ----------
    frame_bytes : int
        Bytes of a buffer; a power of two.

    Members
    -------
    write_enable : In(1)
        Write a byte; only while not ``busy``.
    write_address : In(range(2 * frame_bytes))
        Its number; the highest bit is that of the buffer.
    write_data : In(8)
        The byte.
    start : In(1)
        Send; only while not ``busy``, at least one clock after the last byte was written.
    buffer : In(1)
        Which frame, while ``start`` is set.
    length : In(range(frame_bytes))
        Its bytes, at least one, without the CRC, while ``start`` is set.
    busy : Out(1)
        From the clock after ``start`` until the frame has left the buffer.
    o : Out(stream.Signature(FrameByte))
        The frame.
    """

    def __init__(self, *, frame_bytes: int):
        self.frame_bytes = frame_bytes
        address_bits = (frame_bytes - 1).bit_length()
        super().__init__(
            {
                "write_enable": In(1),
                "write_address": In(1 + address_bits),
                "write_data": In(BYTE_BITS),
                "start": In(1),
                "buffer": In(1),
                "length": In(address_bits),
                "busy": Out(1),
                "o": Out(stream.Signature(FrameByte())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the buffers, the check and the sequence of bytes."""
        m = Module()
        buffers = BlockMemory(width=BYTE_BITS, depth=2 * self.frame_bytes)
        m.submodules.buffers = shared(buffers, platform)
        m.submodules.check = check = CRC32_ISO_HDLC(data_width=1).create()
        buffer = Signal()
        address = Signal(len(self.length))
        left = Signal(len(self.length))
        # A clock for the memory and one for its output register; then the bits of a byte.
        step = Signal(range(BYTE_BITS))
        trailer = Signal()
        byte, end = self.o.payload.data, self.o.payload.end
        m.d.comb += [
            buffers.write_enable.eq(self.write_enable),
            buffers.write_address.eq(self.write_address),
            buffers.write_data.eq(self.write_data),
            buffers.read_enable.eq(1),
            buffers.output_enable.eq(1),
            buffers.read_address.eq(Cat(address, buffer)),
            byte.eq(Mux(end, END, Mux(trailer, check.crc[:BYTE_BITS], buffers.data))),
            # The complement of its own lowest bit makes the check shift out what it has.
            check.data.eq(Mux(trailer, ~check.crc[0], byte.bit_select(step, 1))),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("idle"))
            with m.State("idle"):
                m.d.sync += [
                    address.eq(0),
                    buffer.eq(self.buffer),
                    left.eq(self.length),
                    trailer.eq(0),
                ]
                with m.If(self.start):
                    m.next = "begin"
            with m.State("begin"):
                m.d.comb += [end.eq(1), self.o.valid.eq(1), check.start.eq(1)]
                with m.If(self.o.ready):
                    m.next = "wait"
            with m.State("offer"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "check"
            with m.State("check"):
                m.d.comb += check.valid.eq(1)
                m.d.sync += step.eq(step + 1)
                with m.If(step == BYTE_BITS - 1):
                    m.d.sync += [address.eq(address + 1), left.eq(left - 1)]
                    m.next = "wait"
                    with m.If(left == 1):
                        m.d.sync += [trailer.eq(1), left.eq(CHECK_BYTES)]
                        with m.If(trailer):
                            m.next = "end"
            with m.State("wait"):
                m.d.sync += step.eq(~step[0])
                with m.If(step[0]):
                    m.next = "offer"
            with m.State("end"):
                m.d.comb += [end.eq(1), self.o.valid.eq(1)]
                with m.If(self.o.ready):
                    m.next = "idle"
        return m
