# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""Shift-and-add: bit-serial samples of a column become its dot product."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .block_memory import BlockMemory
from .cycles import SHIFT_ADD_LATENCY
from .params import HardwareParams, index_bits
from .sharing import shared

__all__ = ["ShiftAdd"]

_ADDITION = SHIFT_ADD_LATENCY - 1
"""Clocks from a sample to its addition: the memory's read, its output register, selection."""


class ShiftAdd(wiring.Component):
    """Accumulate ``sample * 2**bit_cycle`` for every column that one ADC converts.

    The least significant input bit comes first. One sample a clock, columns in any order, the same
    column in successive clocks included; a finished result follows its last sample by
    :data:`sme_hw.cycles.SHIFT_ADD_LATENCY` clocks and its accumulator needs no clearing.

    Parameters
    ----------
    hardware : HardwareParams
        Widths and columns per ADC.

    Members
    -------
    valid : In(1)
        A sample is there.
    sample : In(signed(splice_bits))
        Spliced sample.
    column_step : In(range(column_steps))
        Column it belongs to.
    bit_cycle : In(range(converted_bits))
        Binary weight of the sample.
    subtract : In(1)
        The sample carries the inputs' sign bits: it counts negative.
    first, last : In(1)
        First and last sample of this column's vector.
    result_valid : Out(1)
        ``result`` is finished.
    result : Out(signed(result_bits))
        Dot product, in code steps times input steps.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        super().__init__(
            {
                "valid": In(1),
                "sample": In(signed(hardware.splice_bits)),
                "column_step": In(index_bits(hardware.column_steps)),
                "bit_cycle": In(index_bits(hardware.converted_bits)),
                "subtract": In(1),
                "first": In(1),
                "last": In(1),
                "result_valid": Out(1),
                "result": Out(signed(hardware.result_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the shifter and the accumulator memory."""
        m = Module()
        width = self.hardware.result_bits
        accumulators = BlockMemory(width=width, depth=self.hardware.column_steps)
        m.submodules.accumulators = shared(accumulators, platform)
        operand = self._shift(m)

        # Controls of the samples that came 1, 2 and 3 clocks ago.
        valid, steps, lasts = [Value.cast(self.valid)], [self.column_step], [self.last]
        for age in range(1, _ADDITION + 1):
            valid.append(Signal(name=f"valid_{age}"))
            steps.append(Signal.like(self.column_step, name=f"column_step_{age}", reset_less=True))
            lasts.append(Signal(name=f"last_{age}", reset_less=True))
            for history in (valid, steps, lasts):
                m.d.sync += history[age].eq(history[age - 1])

        # A column that comes back within 3 clocks finds its sum on the way to the memory.
        newest: Value = ~self.first
        source = {}
        for age in range(1, _ADDITION + 1):
            same = valid[age] & (steps[age] == self.column_step)
            source[age] = self._delayed(m, newest & same, f"came_{age}_ago", 2 + (age == 1))
            newest = newest & ~same
        from_memory = self._delayed(m, newest, "from_memory", 2)

        total, total_before = (
            Signal(signed(width), name=name, reset_less=True) for name in ("total", "total_before")
        )
        # Either is zero unless it counts, so that they need no multiplexer.
        old_stored, old_recent = (
            Signal(signed(width), name=name, reset_less=True)
            for name in ("old_stored", "old_recent")
        )
        m.d.comb += [
            accumulators.read_address.eq(self.column_step),
            accumulators.read_enable.eq(1),
            accumulators.output_enable.eq(1),
        ]
        m.d.sync += [
            old_stored.eq(Mux(from_memory, accumulators.data, 0)),
            old_recent.eq(Mux(source[2] | source[3], Mux(source[2], total, total_before), 0)),
            total_before.eq(total),
        ]
        old, new = Signal(signed(width)), Signal(signed(width))
        m.d.comb += [
            old.eq(Mux(source[1], total, old_stored | old_recent)),
            new.eq(old + operand),
            accumulators.write_address.eq(steps[_ADDITION]),
            accumulators.write_data.eq(new),
            accumulators.write_enable.eq(valid[_ADDITION]),
            self.result.eq(total),
        ]
        m.d.sync += [total.eq(new), self.result_valid.eq(valid[_ADDITION] & lasts[_ADDITION])]
        return m

    def _delayed(self, m: Module, value: Value, name: str, clocks: int) -> Value:
        """Return a flag some clocks later."""
        for clock in range(1, clocks + 1):
            later = Signal(name=f"{name}_{clock}", reset_less=True)
            m.d.sync += later.eq(value)
            value = later
        return value

    def _shift(self, m: Module) -> Signal:
        """Give the sample its sign and binary weight in as many clocks as the memory takes."""
        width = self.hardware.result_bits
        sample = Signal(signed(len(self.sample) + 1), name="signed_sample", reset_less=True)
        m.d.sync += sample.eq(Mux(self.subtract, -self.sample, self.sample))
        amount = Signal.like(self.bit_cycle, name="shift_1", reset_less=True)
        fine = Signal(2, name="shift_2", reset_less=True)
        coarse = Signal(signed(width), name="coarse", reset_less=True)
        operand = Signal(signed(width), reset_less=True)
        m.d.sync += [
            amount.eq(self.bit_cycle),
            coarse.eq(sample << Cat(Const(0, 2), amount[2:])),
            fine.eq(amount),
            operand.eq(coarse << fine),
        ]
        return operand
