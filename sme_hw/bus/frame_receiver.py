# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""Receives frames whole, or not at all."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from ..block_memory import BlockMemory
from ..sharing import shared
from .link_format import BYTE_BITS, CHECK_BYTES, HEADER_BYTES

__all__ = ["FrameReceiver"]


class FrameReceiver(wiring.Component):
    """Check frames and keep them in two buffers of one memory.

    A frame that is good is shown until it is released; the next one may arrive meanwhile. One that
    is released as ``keep`` stays in its buffer until ``drained``; meanwhile there is one buffer for
    all others, and a frame that begins while that is in use is lost. What is too short or too long,
    whose CRC is wrong, or that is lost, is corrupt. Bytes come at least ten clocks apart.

    Parameters
    ----------
    frame_bytes : int
        Most bytes of a frame with its CRC; a power of two.

    Members
    -------
    i_valid : In(1)
        A byte of a frame.
    i_data : In(8)
        The byte; it stays for eight clocks.
    i_end : In(1)
        The end of a frame.
    i_error : In(1)
        The frame is spoilt, if ``i_end`` is set the one that ends.
    frame : Out(1)
        There is a frame.
    length : Out(range(frame_bytes))
        Its bytes, without the CRC.
    release : In(1)
        The frame is done with.
    keep : In(1)
        It is released, but its bytes are kept; only while no other frame is.
    kept : Out(1)
        A frame is kept.
    drained : In(1)
        The kept frame is done with.
    corrupt : Out(1)
        For one clock after the end of a corrupt frame.
    read_kept : In(1)
        Bytes of the kept frame are read, not of the other.
    read_address : In(range(frame_bytes))
        Number of the byte to read.
    data : Out(8)
        That byte, two clocks later.
    """

    def __init__(self, *, frame_bytes: int):
        self.frame_bytes = frame_bytes
        self.address_bits = (frame_bytes - 1).bit_length()
        super().__init__(
            {
                "i_valid": In(1),
                "i_data": In(BYTE_BITS),
                "i_end": In(1),
                "i_error": In(1),
                "frame": Out(1),
                "length": Out(self.address_bits),
                "release": In(1),
                "keep": In(1),
                "kept": Out(1),
                "drained": In(1),
                "corrupt": Out(1),
                "read_kept": In(1),
                "read_address": In(self.address_bits),
                "data": Out(BYTE_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the buffers, the check, and what tells who has which buffer."""
        m = Module()
        buffers = BlockMemory(width=BYTE_BITS, depth=2 * self.frame_bytes)
        m.submodules.buffers = shared(buffers, platform)
        m.submodules.check = check = CRC32_ISO_HDLC(data_width=1).create()

        # The check takes a bit a clock; a byte of the line takes forty.
        checking = Signal()
        bit = Signal(range(BYTE_BITS))
        m.d.comb += [check.valid.eq(checking), check.data.eq(self.i_data.bit_select(bit, 1))]
        with m.If(self.i_valid):
            m.d.sync += checking.eq(1)
        with m.If(checking):
            m.d.sync += bit.eq(bit + 1)
            with m.If(bit == BYTE_BITS - 1):
                m.d.sync += checking.eq(0)

        count = Signal(range(self.frame_bytes + 1))
        bad = Signal()
        good = Signal()
        too_short = Signal()
        ends = Signal()
        room = ~(self.frame & self.kept)
        m.d.comb += [
            check.start.eq(self.i_end),
            too_short.eq(count < HEADER_BYTES + CHECK_BYTES),
            good.eq(check.match_detected & ~bad & ~self.i_error & ~too_short & ~self.frame),
            # Between two ends in a row there is no frame.
            ends.eq(self.i_end & (bad | self.i_error | (count != 0))),
        ]
        m.d.sync += self.corrupt.eq(ends & ~good)
        with m.If(self.i_error):
            m.d.sync += bad.eq(1)
        with m.If(self.i_valid):
            with m.If(~room | (count == self.frame_bytes)):
                m.d.sync += bad.eq(1)
            with m.Else():
                m.d.sync += count.eq(count + 1)
        with m.If(self.i_end):
            m.d.sync += [count.eq(0), bad.eq(0)]

        # The buffer that is filled; a frame is in the other, or the kept one if there is no frame.
        filled = Signal()
        with m.If(self.drained):
            m.d.sync += self.kept.eq(0)
        with m.If(ends & good):
            m.d.sync += [self.frame.eq(1), self.length.eq(count - CHECK_BYTES), filled.eq(~filled)]
        with m.If(self.release):
            m.d.sync += self.frame.eq(0)
            with m.If(self.keep):
                m.d.sync += self.kept.eq(1)
            with m.Elif(self.kept):
                m.d.sync += filled.eq(~filled)
        m.d.comb += [
            buffers.write_enable.eq(self.i_valid & ~bad & room & ~count[-1]),
            buffers.write_address.eq(Cat(count[:-1], filled)),
            buffers.write_data.eq(self.i_data),
            buffers.read_enable.eq(1),
            buffers.output_enable.eq(1),
            buffers.read_address.eq(
                Cat(self.read_address, filled ^ ~(self.read_kept & self.frame))
            ),
            self.data.eq(buffers.data),
        ]
        return m
