# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""The output register: buffers finished results and forms the beats of the result stream."""

from dataclasses import dataclass

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .block_memory import BlockMemory
from .cycles import result_buffer_depth
from .params import HardwareParams, index_bits
from .sharing import shared

__all__ = ["ResultBeat", "ResultBuffer"]


class ResultBeat(data.StructLayout):
    """One transfer of the result stream.

    Fields
    ------
    results : ArrayLayout(signed(result_bits), results_per_beat)
        Results of consecutive columns, lowest first; 0 beyond the last column.
    last : 1
        The vector's last beat.
    """

    def __init__(self, hardware: HardwareParams):
        super().__init__(
            {
                "results": data.ArrayLayout(
                    signed(hardware.result_bits), hardware.results_per_beat
                ),
                "last": 1,
            }
        )


@dataclass(frozen=True)
class _Buffered:
    """Results of the oldest column step: offered while valid, taken in a clock with ready.

    ``ends`` marks the last column step of a vector.
    """

    data: Signal
    ends: Signal
    valid: Signal
    ready: Signal


class ResultBuffer(wiring.Component):
    """Buffer results behind a pipeline that cannot stop, with credits.

    The pipeline takes a credit (``reserve``) when it issues the step whose result will arrive here
    later, and only while there is ``room``; so a stalled result stream never loses a result.

    Parameters
    ----------
    hardware : HardwareParams
        Widths, ADCs per crossbar and results per beat.

    Members
    -------
    reserve : In(1)
        A step that ends in a result was issued.
    room : Out(1)
        One more result may be reserved.
    i_valid : In(1)
        Results arrive.
    i : In(ArrayLayout(signed(result_bits), adcs_per_crossbar))
        Results of one column step.
    last_column_step : In(range(column_steps))
        Index of a vector's last column step.
    last_beat : In(range(result_beats))
        Index of a vector's last beat.
    o : Out(stream.Signature(ResultBeat))
        Results in column order.
    empty : Out(1)
        Nothing is reserved, buffered or on offer.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        self.depth = result_buffer_depth(hardware)
        self.step_layout = data.ArrayLayout(
            signed(hardware.result_bits), hardware.adcs_per_crossbar
        )
        super().__init__(
            {
                "reserve": In(1),
                "room": Out(1),
                "i_valid": In(1),
                "i": In(self.step_layout),
                "last_column_step": In(index_bits(hardware.column_steps)),
                "last_beat": In(index_bits(hardware.result_beats)),
                "o": Out(stream.Signature(ResultBeat(hardware))),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the buffer and the width adapter."""
        m = Module()
        buffered = self._buffer(m, platform)
        if self.hardware.results_per_beat > self.hardware.adcs_per_crossbar:
            self._gather(m, buffered)
        else:
            self._split(m, buffered)
        return m

    def _buffer(self, m: Module, platform: object) -> _Buffered:
        """Store results; a block RAM with its output register lies between both sides."""
        width = self.step_layout.size
        entries = BlockMemory(width=width + 1, depth=self.depth)
        m.submodules.entries = shared(entries, platform)
        newest, oldest = Signal(range(self.depth)), Signal(range(self.depth))
        column = Signal.like(self.last_column_step)
        ends = Signal()
        # Whoever reserves is told about room by a register, and is counted a clock later.
        reserved = Signal(range(self.depth))
        low_bits = Signal(2)
        just_reserved = Signal()
        room = Signal(init=1)
        fetched, fetch, moves, released = Signal(), Signal(), Signal(), Signal()
        buffered = _Buffered(
            Signal(width, name="oldest_data"),
            Signal(name="oldest_ends"),
            Signal(name="oldest_valid"),
            Signal(name="oldest_ready"),
        )
        m.d.comb += [
            ends.eq(column == self.last_column_step),
            moves.eq(~buffered.valid | buffered.ready),
            # Never all entries are in use, so equal places mean that there is nothing.
            fetch.eq((newest != oldest) & (~fetched | moves)),
            entries.write_address.eq(newest),
            entries.write_data.eq(Cat(self.i, ends)),
            entries.write_enable.eq(self.i_valid),
            entries.read_address.eq(oldest),
            entries.read_enable.eq(~fetched | moves),
            entries.output_enable.eq(moves),
            Cat(buffered.data, buffered.ends).eq(entries.data),
            self.room.eq(room),
            low_bits.eq(reserved[:2] + just_reserved - released),
            self.empty.eq(
                (reserved == 0)
                & ~(just_reserved | fetched | buffered.valid | self.o.valid | released)
            ),
        ]
        m.d.sync += [
            released.eq(fetch),
            just_reserved.eq(self.reserve),
            reserved.eq(reserved + just_reserved - released),
            # All but one entry may be in use: a number of ones only, now or with one more. Near
            # it, only the lowest bits change.
            room.eq(~(reserved[2:].all() & low_bits[1] & (low_bits[0] | self.reserve))),
        ]
        with m.If(self.i_valid):
            m.d.sync += [newest.eq(newest + 1), column.eq(Mux(ends, 0, column + 1))]
        with m.If(fetch):
            m.d.sync += oldest.eq(oldest + 1)
        with m.If(~fetched | moves):
            m.d.sync += fetched.eq(fetch)
        with m.If(moves):
            m.d.sync += buffered.valid.eq(fetched)
        return buffered

    def _split(self, m: Module, buffered: _Buffered) -> None:
        """Send the results of one column step in one or more beats."""
        width = self.hardware.results_per_beat * self.hardware.result_bits
        parts = self.hardware.adcs_per_crossbar // self.hardware.results_per_beat
        m.d.comb += self.o.valid.eq(buffered.valid)
        if parts == 1:
            m.d.comb += [
                self.o.payload.results.eq(buffered.data),
                self.o.payload.last.eq(buffered.ends),
                buffered.ready.eq(self.o.ready),
            ]
            return
        # A vector's last column step may have fewer results than the others.
        part = Signal(range(parts))
        beat = Signal.like(self.last_beat)
        last = self.o.payload.last
        m.d.comb += [
            self.o.payload.results.eq(buffered.data.word_select(part, width)),
            last.eq(beat == self.last_beat),
            buffered.ready.eq(self.o.ready & (last | (part == parts - 1))),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [
                beat.eq(Mux(last, 0, beat + 1)),
                part.eq(Mux(buffered.ready, 0, part + 1)),
            ]

    def _gather(self, m: Module, buffered: _Buffered) -> None:
        """Collect the results of several column steps into one beat."""
        parts = self.hardware.results_per_beat // self.hardware.adcs_per_crossbar
        part = Signal(index_bits(parts))
        slices = [
            self.o.payload.results.as_value().word_select(i, self.step_layout.size)
            for i in range(parts)
        ]
        m.d.comb += buffered.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(buffered.valid & buffered.ready):
            with m.If(part == 0):
                m.d.sync += self.o.payload.results.eq(0)
            with m.Switch(part):
                for i in range(parts):
                    with m.Case(i):
                        m.d.sync += slices[i].eq(buffered.data)
            m.d.sync += [
                self.o.valid.eq(buffered.ends | (part == parts - 1)),
                self.o.payload.last.eq(buffered.ends),
                part.eq(Mux(buffered.ends | (part == parts - 1), 0, part + 1)),
            ]
