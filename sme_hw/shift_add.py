# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""Shift-and-add: bit-serial samples of a column become its dot product."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .block_memory import BlockMemory
from .cycles import SHIFT_ADD_LATENCY
from .ecp5_multiplier import MULT18X18D_WIDTH, multiply
from .params import HardwareParams, index_bits
from .sharing import shared
from .target import target_of

__all__ = ["ShiftAdd"]

_ADDITION = SHIFT_ADD_LATENCY - 1
"""Clocks from a sample to its addition: the memory's read, its output register, selection."""


class ShiftAdd(wiring.Component):
    """Accumulate ``sample * 2**bit_cycle`` for every column that one ADC converts.

    The least significant input bit comes first; with emulation lanes, the samples of several
    bit-cycles come together. One column a clock, in any order, the same column in successive clocks
    included; a finished result follows its last sample by
    :func:`sme_hw.cycles.shift_add_latency` clocks and its accumulator needs no clearing.

    Parameters
    ----------
    hardware : HardwareParams
        Widths and columns per ADC.

    Members
    -------
    valid : In(1)
        A sample is there.
    samples : In(ArrayLayout(signed(splice_bits), emulation_lanes))
        Spliced samples of a block of bit-cycles; 0 where one does not take place.
    column_step : In(range(column_steps))
        Column it belongs to.
    bit_block : In(range(bit_blocks))
        Block; bit-cycle ``emulation_lanes * bit_block`` is the weight of the first sample.
    subtract : In(emulation_lanes)
        The sample that carries the inputs' sign bits: it counts negative.
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
                "samples": In(
                    data.ArrayLayout(signed(hardware.splice_bits), hardware.emulation_lanes)
                ),
                "column_step": In(index_bits(hardware.column_steps)),
                "bit_block": In(index_bits(hardware.bit_blocks)),
                "subtract": In(hardware.emulation_lanes),
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
        controls = self._wait_for_lanes(m)
        operand = self._shift(m, platform, controls.bit_block)

        # Controls of the samples that came 1, 2 and 3 clocks ago.
        valid, steps, lasts = [controls.valid], [controls.column_step], [controls.last]
        for age in range(1, _ADDITION + 1):
            valid.append(Signal(name=f"valid_{age}"))
            steps.append(Signal.like(self.column_step, name=f"column_step_{age}", reset_less=True))
            lasts.append(Signal(name=f"last_{age}", reset_less=True))
            for history in (valid, steps, lasts):
                m.d.sync += history[age].eq(history[age - 1])

        # A column that comes back within 3 clocks finds its sum on the way to the memory.
        newest: Value = ~controls.first
        source = {}
        for age in range(1, _ADDITION + 1):
            same = valid[age] & (steps[age] == controls.column_step)
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
            accumulators.read_address.eq(controls.column_step),
            accumulators.read_enable.eq(1),
            accumulators.output_enable.eq(1),
        ]
        m.d.sync += [
            old_stored.eq(Mux(from_memory, accumulators.data, 0)),
            old_recent.eq(Mux(source[2] | source[3], Mux(source[2], total, total_before), 0)),
            total_before.eq(total),
        ]
        old = Signal(signed(width))
        new = Signal(signed(width))
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

    def _wait_for_lanes(self, m: Module) -> data.View:
        """Return the controls of samples whose lanes have been added."""
        layout = data.StructLayout(
            {
                "valid": 1,
                "column_step": len(self.column_step),
                "bit_block": len(self.bit_block),
                "first": 1,
                "last": 1,
            }
        )
        controls = Signal(layout, name="controls_0")
        m.d.comb += [controls[name].eq(getattr(self, name)) for name in dict(layout)]
        for level in range(1, self.hardware.lane_bits + 1):
            later = Signal(layout, name=f"controls_{level}")
            m.d.sync += later.eq(controls)
            controls = later
        return controls

    def _shift(self, m: Module, platform: object, bit_block: Value) -> Signal:
        """Give the samples their signs and binary weights while the memory is read."""
        width = self.hardware.result_bits
        samples = []
        for lane, sample in enumerate(self.samples):
            value = Signal(signed(len(sample) + 1), name=f"signed_sample_{lane}", reset_less=True)
            m.d.sync += value.eq(Mux(self.subtract[lane], -sample, sample))
            samples.append(value)
        level = 0
        while len(samples) > 1:
            sums: list[Signal] = []
            for low, high in zip(samples[::2], samples[1::2], strict=True):
                exact = low + (high << 2**level)
                total = Signal(exact.shape(), name=f"lanes_{level}_{len(sums)}", reset_less=True)
                m.d.sync += total.eq(exact)
                sums.append(total)
            samples, level = sums, level + 1
        amount = Signal(len(bit_block) + level, name="shift_1", reset_less=True)
        m.d.sync += amount.eq(bit_block << level)
        scale_bits = (self.hardware.bit_blocks - 1 << level) + 1
        operand_bits = max(len(samples[0]), scale_bits + 1)
        if target_of(platform) == "ecp5" and operand_bits <= MULT18X18D_WIDTH:
            # A multiplier instead of LUTs: to shift is to multiply by a power of two.
            return multiply(m, samples[0], (1 << amount)[:scale_bits])
        operand = Signal(signed(width), reset_less=True)
        fine = Signal(2, name="shift_2", reset_less=True)
        coarse = Signal(signed(width), name="coarse", reset_less=True)
        m.d.sync += [
            coarse.eq(samples[0] << Cat(Const(0, 2), amount[2:])),
            fine.eq(amount),
            operand.eq(coarse << fine),
        ]
        return operand
