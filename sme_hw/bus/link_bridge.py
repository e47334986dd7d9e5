# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""Access to the compute unit through bytes of a line."""

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..sharing import shared
from .beats import InputBytes, ResultBytes
from .frame_receiver import FrameReceiver
from .frame_sender import FrameSender
from .link_format import BYTE_BITS, COUNTER_BITS
from .link_params import LinkParams
from .register_bus import WORD_BITS, RegisterBus
from .request_executor import RequestExecutor
from .slip_decoder import SlipDecoder
from .slip_encoder import SlipEncoder
from .stream_feeder import StreamFeeder

__all__ = ["LinkBridge", "unit_members"]


def unit_members(link: LinkParams) -> dict[str, wiring.Member]:
    """Return the members of a bridge towards registers and streams."""
    inputs = InputBytes(beat_bytes=link.input_beat_bytes, dest_bits=link.dest_bits)
    results = ResultBytes(beat_bytes=link.result_beat_bytes)
    return {
        "registers": Out(RegisterBus(address_bits=link.address_bits)),
        "program": Out(stream.Signature(WORD_BITS)),
        "i": Out(stream.Signature(inputs)),
        "o": In(stream.Signature(results)),
        "flush": In(1),
        "corrupt_frames": Out(COUNTER_BITS),
    }


class LinkBridge(wiring.Component):
    """Turn requests on a serial line into accesses to registers and streams, each exactly once.

    ================= ==========================
    bytes to frames   SlipDecoder, FrameReceiver
    requests          RequestExecutor
    program, inputs   StreamFeeder
    frames to bytes   FrameSender, SlipEncoder
    ================= ==========================

    A frame has an effect only when all of it has come, and its check is right. What arrives that is
    no frame is counted, and answered by a response of status CORRUPT. Format:
    :mod:`sme_hw.bus.link_format`.

    Parameters
    ----------
    link : LinkParams

    Members
    -------
    rx_valid : In(1)
        A byte from the host; at least ten clocks after the one before.
    rx_data : In(8)
        The byte.
    rx_error : In(1)
        Something that was no byte.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    registers : Out(RegisterBus)
    program : Out(stream.Signature(32))
        Program words.
    i : Out(stream.Signature(InputBytes))
        Input vectors.
    o : In(stream.Signature(ResultBytes))
        Results.
    flush : In(1)
        Drop what has not been taken of a PROGRAM or INPUT; these streams may be withdrawn.
    corrupt_frames : Out(16)
        What arrived that was no frame; stays at its highest value.
    """

    def __init__(self, *, link: LinkParams):
        self.link = link
        super().__init__(
            {
                "rx_valid": In(1),
                "rx_data": In(BYTE_BITS),
                "rx_error": In(1),
                "tx": Out(stream.Signature(BYTE_BITS)),
                **unit_members(link),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the stages."""
        m = Module()
        link = self.link
        decoder = SlipDecoder()
        frames = FrameReceiver(frame_bytes=link.frame_bytes)
        executor = RequestExecutor(link=link)
        feeder = StreamFeeder(link=link)
        sender = FrameSender(frame_bytes=link.frame_bytes)
        encoder = SlipEncoder()
        m.submodules.slip_decoder = shared(decoder, platform)
        m.submodules.frame_receiver = shared(frames, platform)
        m.submodules.request_executor = shared(executor, platform)
        m.submodules.stream_feeder = shared(feeder, platform)
        m.submodules.frame_sender = shared(sender, platform)
        m.submodules.slip_encoder = shared(encoder, platform)
        m.d.comb += [
            decoder.i_valid.eq(self.rx_valid),
            decoder.i_data.eq(self.rx_data),
            decoder.i_error.eq(self.rx_error),
            frames.i_valid.eq(decoder.valid),
            frames.i_data.eq(decoder.data),
            frames.i_end.eq(decoder.end),
            frames.i_error.eq(decoder.error),
            frames.release.eq(executor.release),
            frames.keep.eq(executor.keep),
            frames.drained.eq(feeder.drained),
            frames.read_kept.eq(executor.read_kept),
            frames.read_address.eq(executor.read_address),
            executor.frame.eq(frames.frame),
            executor.length.eq(frames.length),
            executor.kept.eq(frames.kept),
            executor.corrupt.eq(frames.corrupt),
            executor.read_data.eq(frames.data),
            executor.busy.eq(sender.busy),
            executor.feed_wants.eq(feeder.wants),
            executor.feed_address.eq(feeder.address),
            feeder.load.eq(executor.load),
            feeder.units.eq(executor.units),
            feeder.input.eq(executor.input),
            feeder.dest.eq(executor.dest),
            feeder.frame.eq(frames.kept),
            feeder.byte_valid.eq(executor.feed_valid),
            feeder.byte.eq(frames.data),
            feeder.flush.eq(self.flush),
            sender.write_enable.eq(executor.write_enable),
            sender.write_address.eq(executor.write_address),
            sender.write_data.eq(executor.write_data),
            sender.start.eq(executor.start),
            sender.buffer.eq(executor.half),
            sender.length.eq(executor.response_length),
        ]
        wiring.connect(m, executor.registers, wiring.flipped(self.registers))
        wiring.connect(m, wiring.flipped(self.o), executor.o)
        wiring.connect(m, feeder.program, wiring.flipped(self.program))
        wiring.connect(m, feeder.i, wiring.flipped(self.i))
        wiring.connect(m, sender.o, encoder.i)
        wiring.connect(m, encoder.o, wiring.flipped(self.tx))
        with m.If(frames.corrupt & ~self.corrupt_frames.all()):
            m.d.sync += self.corrupt_frames.eq(self.corrupt_frames + 1)
        return m
