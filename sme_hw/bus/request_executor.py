# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""Does what requests ask for, and writes the responses."""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..params import index_bits
from ..sharing import shared
from .beats import ResultBytes
from .link_format import (
    ADDRESS_BYTES,
    BYTE_BITS,
    HEADER_BYTES,
    LINK_VERSION,
    RESPONSE,
    WORD_BYTES,
    Status,
)
from .link_params import LinkParams
from .register_access import RegisterAccess
from .register_bus import WORD_BITS, RegisterBus
from .request_check import RequestCheck

__all__ = ["RequestExecutor"]

_READ_CLOCKS = 2
"""From the address of a received byte to the byte."""


class RequestExecutor(wiring.Component):
    """Execute one request after the other, a byte at a time, and each of them once.

    What is in a PROGRAM or INPUT is left to a :class:`~sme_hw.bus.stream_feeder.StreamFeeder`,
    which gets its bytes while nothing else is to do; the response does not wait for it. Between
    bytes of the line there is more time than any of this takes. Format:
    :mod:`sme_hw.bus.link_format`.

    Parameters
    ----------
    link : LinkParams

    Members
    -------
    frame : In(1)
        There is a frame.
    length : In(range(frame_bytes))
        Its bytes, without the CRC.
    release : Out(1)
        The frame is done with.
    keep : Out(1)
        It is released, but its bytes are still needed.
    kept : In(1)
        There is a kept frame.
    corrupt : In(1)
        Something arrived that was no frame; for one clock.
    read_kept : Out(1)
        A byte of the kept frame is read, not of the other.
    read_address : Out(range(frame_bytes))
        Number of the byte to read.
    read_data : In(8)
        That byte, two clocks later.
    write_enable : Out(1)
        Write a byte of a response.
    write_address : Out(range(2 * frame_bytes))
        Its number; in the lower half is the response that is kept for a repeated request.
    write_data : Out(8)
        The byte.
    start : Out(1)
        Send the response; its last byte is written in this clock.
    half : Out(1)
        Where it is, while ``start`` is set.
    response_length : Out(range(frame_bytes))
        Its bytes, while ``start`` is set.
    busy : In(1)
        A response is being sent.
    load : Out(1)
        The frame, which will be kept, is for the feeder.
    units : Out(range(max(256, frame_bytes)))
        Its words or beats, while ``load`` is set.
    input : Out(1)
        They are beats of inputs, while ``load`` is set.
    dest : Out(range(2**dest_bits))
        For this weight set, while ``load`` is set.
    feed_wants : In(1)
        The feeder wants a byte of the kept frame.
    feed_address : In(range(frame_bytes))
        Its number.
    feed_valid : Out(1)
        It is on ``read_data``.
    registers : Out(RegisterBus)
    o : In(stream.Signature(ResultBytes))
        Results.
    """

    def __init__(self, *, link: LinkParams):
        self.link = link
        self.count_bits = index_bits(link.frame_bytes)
        super().__init__(
            {
                "frame": In(1),
                "length": In(self.count_bits),
                "release": Out(1),
                "keep": Out(1),
                "kept": In(1),
                "corrupt": In(1),
                "read_kept": Out(1),
                "read_address": Out(self.count_bits),
                "read_data": In(BYTE_BITS),
                "write_enable": Out(1),
                "write_address": Out(1 + self.count_bits),
                "write_data": Out(BYTE_BITS),
                "start": Out(1),
                "half": Out(1),
                "response_length": Out(self.count_bits),
                "busy": In(1),
                "load": Out(1),
                "units": Out(max(BYTE_BITS, self.count_bits)),
                "input": Out(1),
                "dest": Out(index_bits(1 << link.dest_bits)),
                "feed_wants": In(1),
                "feed_address": In(self.count_bits),
                "feed_valid": Out(1),
                "registers": Out(RegisterBus(address_bits=link.address_bits)),
                "o": In(stream.Signature(ResultBytes(beat_bytes=link.result_beat_bytes))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the sequence of states."""
        m = Module()
        link, units = self.link, self.units
        check = RequestCheck(link=link)
        access = RegisterAccess(link=link)
        m.submodules.request_check = shared(check, platform)
        m.submodules.register_access = shared(access, platform)
        wiring.connect(m, access.registers, wiring.flipped(self.registers))
        kinds = check.kinds

        # First byte lowest; it moves on as it is read, and again as it is answered.
        header = Signal(HEADER_BYTES * BYTE_BITS)
        kind, sequence, argument = (header.word_select(k, BYTE_BITS) for k in range(HEADER_BYTES))
        connected = Signal()
        last_sequence = Signal(BYTE_BITS)
        status = Signal(Status)
        # The request was not applied: this response does not replace the one that is kept.
        refused = Signal()
        corrupt = Signal()
        reporting = Signal()
        keeping = Signal()
        with m.If(self.corrupt):
            m.d.sync += corrupt.eq(1)

        reading = Signal()
        fetched = Signal()
        read_clock = Signal(range(_READ_CLOCKS + 1))
        place = Signal(self.count_bits)
        m.d.comb += [
            fetched.eq(read_clock == _READ_CLOCKS),
            self.read_address.eq(Mux(self.read_kept, self.feed_address, place)),
        ]
        m.d.sync += read_clock.eq(Mux(reading & ~fetched, read_clock + 1, 0))
        with m.If(fetched & ~self.read_kept):
            m.d.sync += place.eq(place + 1)

        # Bytes of the payload that are not counted in units yet.
        remaining = Signal(self.count_bits)
        unit = Signal(range(max(WORD_BYTES, link.input_beat_bytes) + 1))
        less = Signal(self.count_bits + 1)
        enough, empty = ~less[-1], remaining == 0

        lane = Signal(range(max(WORD_BYTES, link.result_beat_bytes)))
        m.d.comb += [
            *(check.kind.eq(kind), check.sequence.eq(sequence), check.argument.eq(argument)),
            *(check.payload.eq(remaining), check.last.eq(last_sequence)),
            *(check.connected.eq(connected), check.kept.eq(self.kept)),
            access.write.eq(kinds.write),
            access.last.eq(units == 1),
            access.i.payload.eq(self.read_data),
            less.eq(remaining - unit),
            self.input.eq(kinds.input),
            self.dest.eq(argument),
            self.keep.eq(keeping),
        ]

        # The end of the response; that of the kept one until another request is applied.
        stored = Signal(self.count_bits)
        storing = Signal()
        answering = Signal()
        byte = Signal(BYTE_BITS)
        in_header = Cat(lane[:2], Const(0, self.count_bits - 2), refused)
        m.d.sync += [
            self.write_enable.eq(storing | answering),
            self.write_data.eq(byte),
            self.write_address.eq(Mux(answering, in_header, stored)),
        ]
        with m.If(storing):
            m.d.sync += stored.eq(stored + 1)
        m.d.comb += [
            self.half.eq(refused),
            self.response_length.eq(Mux(refused, HEADER_BYTES, stored)),
        ]

        def refuse(why: Status | Value) -> None:
            m.d.sync += [status.eq(why), refused.eq(1)]
            m.next = "answer"

        def apply(state: str) -> None:
            m.d.sync += [status.eq(Status.OK), stored.eq(HEADER_BYTES)]
            m.next = state

        with m.FSM():
            with m.State("idle"):
                m.d.sync += [
                    *(lane.eq(0), place.eq(0), remaining.eq(self.length)),
                    *(refused.eq(0), reporting.eq(0), keeping.eq(0)),
                ]
                with m.If(corrupt & ~self.busy):
                    m.d.sync += [corrupt.eq(0), reporting.eq(1), header.eq(0)]
                    refuse(Status.CORRUPT)
                with m.Elif(self.frame & ~self.busy):
                    m.next = "header"
                with m.Elif(self.feed_wants):
                    m.next = "feed"

            with m.State("feed"):
                m.d.comb += [
                    reading.eq(self.feed_wants),
                    self.read_kept.eq(1),
                    self.feed_valid.eq(fetched),
                ]
                with m.If(~self.feed_wants):
                    m.next = "idle"

            with m.State("header"):
                m.d.comb += [reading.eq(1), unit.eq(HEADER_BYTES)]
                with m.If(fetched):
                    m.d.sync += [
                        header.eq(Cat(header[BYTE_BITS:], self.read_data)),
                        lane.eq(lane + 1),
                    ]
                    with m.If(lane == HEADER_BYTES - 1):
                        m.d.sync += [lane.eq(0), remaining.eq(less)]
                        m.next = "look"

            with m.State("look"):
                # What the header says is known in the next clock.
                m.next = "judge"

            with m.State("judge"):
                # An address that is not there leaves a number that is no multiple of a word.
                m.d.comb += unit.eq(ADDRESS_BYTES)
                with m.If(kinds.write):
                    m.d.sync += remaining.eq(less)
                m.d.sync += units.eq(Mux(kinds.read | kinds.results, argument, 0))
                with m.If(check.refused):
                    refuse(check.status)
                with m.Elif(check.repeated):
                    m.next = "send"
                with m.Elif(kinds.connect):
                    m.d.sync += connected.eq(1)
                    apply("about")
                with m.Elif(kinds.read):
                    m.d.comb += access.start.eq(1)
                    apply("access")
                with m.Elif(kinds.results):
                    apply("results")
                with m.Else():
                    m.next = "units"

            with m.State("units"):
                m.d.comb += unit.eq(Mux(self.input, link.input_beat_bytes, WORD_BYTES))
                with m.If(enough):
                    m.d.sync += [remaining.eq(less), units.eq(units + 1)]
                with m.Elif(~empty | (units == 0)):
                    refuse(Status.BAD_REQUEST)
                with m.Elif(kinds.write):
                    m.d.comb += access.start.eq(1)
                    apply("access")
                with m.Else():
                    apply("load")

            with m.State("load"):
                m.d.comb += self.load.eq(1)
                m.d.sync += keeping.eq(1)
                m.next = "answer"

            with m.State("access"):
                m.d.comb += [
                    reading.eq(access.i.ready),
                    access.i.valid.eq(fetched),
                    storing.eq(access.o_valid),
                    byte.eq(access.o_data),
                ]
                with m.If(access.accessed):
                    m.d.sync += units.eq(units - 1)
                with m.If(access.done):
                    m.next = "answer"
                    with m.If(access.error):
                        m.d.sync += status.eq(Status.BUS_ERROR)

            with m.State("about"):
                about = Const(LINK_VERSION | link.frame_bytes << WORD_BITS // 2, WORD_BITS)
                m.d.comb += [storing.eq(1), byte.eq(about.word_select(lane[:2], BYTE_BITS))]
                m.d.sync += lane.eq(lane + 1)
                with m.If(lane == WORD_BYTES - 1):
                    m.d.sync += lane.eq(0)
                    m.next = "answer"

            with m.State("results"):
                # Where the last beat begins that fits.
                last_place = HEADER_BYTES + (link.results_max - 1) * link.result_beat_bytes
                m.next = "answer"
                with m.If(self.o.valid & (units != 0) & (stored <= last_place)):
                    m.next = "beat"

            with m.State("beat"):
                m.d.comb += [
                    storing.eq(1),
                    byte.eq(self.o.payload.data.word_select(lane, BYTE_BITS)),
                ]
                m.d.sync += lane.eq(lane + 1)
                with m.If(lane == link.result_beat_bytes - 1):
                    m.d.comb += self.o.ready.eq(1)
                    m.d.sync += [
                        lane.eq(0),
                        units.eq(units - 1),
                        status.eq(Mux(self.o.payload.last, Status.ENDED, Status.OK)),
                    ]
                    m.next = "results"

            with m.State("answer"):
                m.d.comb += answering.eq(1)
                m.d.sync += [header.eq(header >> BYTE_BITS), lane.eq(lane + 1)]
                with m.Switch(lane):
                    with m.Case(0):
                        m.d.comb += byte.eq(kind | RESPONSE)
                    with m.Case(1):
                        m.d.comb += byte.eq(kind)
                        with m.If(~refused):
                            m.d.sync += last_sequence.eq(kind)
                    with m.Default():
                        m.d.comb += byte.eq(status)
                        m.next = "send"

            with m.State("send"):
                m.d.comb += [self.start.eq(1), self.release.eq(~reporting)]
                m.next = "idle"
        return m
