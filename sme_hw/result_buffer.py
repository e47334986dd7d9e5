# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""The output register: buffers finished results and forms the beats of the result stream."""

from dataclasses import dataclass

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .block_memory import BlockMemory
from .compare import at_least
from .cycles import result_buffer_depth
from .params import HardwareParams, index_bits
from .sharing import shared
from .weight_sets import delayed_set, of_set, per_set, set_field

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

    ``ends`` marks the last column step of a vector, ``set`` is the vector's.
    """

    data: Signal
    ends: Signal
    set: Value
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
    i_set : In(range(weight_sets))
        The set of the results that may arrive in the next clock; only with several.
    last_column_step : In(range(column_steps)), one per set
        Index of a vector's last column step.
    last_beat : In(range(result_beats)), one per set
        Index of a vector's last beat.
    o : Out(stream.Signature(ResultBeat))
        Results in column order.
    empty : Out(1)
        Nothing is reserved, buffered or on offer.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        self.depth = result_buffer_depth(hardware)
        self.parts = hardware.adcs_per_crossbar // hardware.results_per_beat
        self.step_layout = data.ArrayLayout(
            signed(hardware.result_bits), hardware.adcs_per_crossbar
        )
        super().__init__(
            {
                "reserve": In(1),
                "room": Out(1),
                "i_valid": In(1),
                "i": In(self.step_layout),
                "last_column_step": In(per_set(hardware, index_bits(hardware.column_steps))),
                "last_beat": In(per_set(hardware, index_bits(hardware.result_beats))),
                "o": Out(stream.Signature(ResultBeat(hardware))),
                "empty": Out(1),
                **{name: In(bits) for name, bits in set_field(hardware, "i_set").items()},
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
        i_set = self.i_set if self.hardware.set_bits else Const(0, 0)
        # The set of a result goes on where its beats are counted.
        kept_set = delayed_set(m, i_set, "set") if self.parts > 1 else Const(0, 0)
        entries = BlockMemory(width=width + 1 + len(kept_set), depth=self.depth)
        m.submodules.entries = shared(entries, platform)
        newest = Signal(range(self.depth))
        oldest = Signal(range(self.depth))
        column, next_column = (
            Signal(index_bits(self.hardware.column_steps), name=n)
            for n in ("column", "next_column")
        )
        # Known a clock ahead, as it goes to the memory.
        ends = Signal()
        reserved = Signal(range(self.depth))
        fetched = Signal()
        fetch = Signal()
        moves = Signal()
        released = Signal()
        buffered = _Buffered(
            Signal(width, name="oldest_data"),
            Signal(name="oldest_ends"),
            entries.data[width + 1 :],
            Signal(name="oldest_valid"),
            Signal(name="oldest_ready"),
        )
        m.d.comb += [
            next_column.eq(column),
            moves.eq(~buffered.valid | buffered.ready),
            # Never all entries are in use, so equal places mean that there is nothing.
            fetch.eq((newest != oldest) & (~fetched | moves)),
            entries.write_address.eq(newest),
            entries.write_data.eq(Cat(self.i, ends, kept_set)),
            entries.write_enable.eq(self.i_valid),
            entries.read_address.eq(oldest),
            entries.read_enable.eq(~fetched | moves),
            entries.output_enable.eq(moves),
            Cat(buffered.data, buffered.ends).eq(entries.data),
            # Two terms are implied by others; with them, Yosys finds less logic.
            self.empty.eq((reserved == 0) & ~fetched & ~buffered.valid & ~self.o.valid & ~released),
        ]
        m.d.sync += [
            column.eq(next_column),
            ends.eq(next_column == of_set(self.last_column_step, i_set)),
            released.eq(fetch),
            # A clock late, so two entries must be free for one to be promised.
            self.room.eq(~at_least(reserved, self.depth - 2)),
            reserved.eq(reserved + self.reserve - released),
        ]
        with m.If(self.i_valid):
            m.d.comb += next_column.eq(Mux(ends, 0, column + 1))
            m.d.sync += newest.eq(newest + 1)
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
        m.d.comb += self.o.valid.eq(buffered.valid)
        if self.parts == 1:
            m.d.comb += [
                self.o.payload.results.eq(buffered.data),
                self.o.payload.last.eq(buffered.ends),
                buffered.ready.eq(self.o.ready),
            ]
            return
        # A vector's last column step may have fewer results than the others.
        part = Signal(range(self.parts))
        beat = Signal(index_bits(self.hardware.result_beats))
        last = self.o.payload.last
        m.d.comb += [
            self.o.payload.results.eq(buffered.data.word_select(part, width)),
            last.eq(beat == of_set(self.last_beat, buffered.set)),
            buffered.ready.eq(self.o.ready & (last | (part == self.parts - 1))),
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
