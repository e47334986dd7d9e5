"""Shift-and-add: bit-serial samples of a column become its dot product."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from .params import HardwareParams, index_bits

__all__ = ["ShiftAdd"]


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
        """Build the barrel shifter and the accumulator memory."""
        m = Module()
        width = self.hardware.result_bits
        m.submodules.accumulators = accumulators = memory.Memory(
            shape=signed(width), depth=self.hardware.column_steps, init=[]
        )
        write_port = accumulators.write_port()
        # The same column may come back in the next clock: its sum is then still being written.
        read_port = accumulators.read_port(transparent_for=[write_port])

        shifted = Signal(signed(width), reset_less=True)
        valid = Signal()
        first, last = Signal(reset_less=True), Signal(reset_less=True)
        column_step = Signal.like(self.column_step, reset_less=True)
        m.d.comb += [read_port.addr.eq(self.column_step), read_port.en.eq(1)]
        m.d.sync += [
            shifted.eq(Mux(self.subtract, -self.sample, self.sample) << self.bit_cycle),
            valid.eq(self.valid),
            first.eq(self.first),
            last.eq(self.last),
            column_step.eq(self.column_step),
        ]

        total = Signal(signed(width))
        m.d.comb += [
            total.eq(Mux(first, 0, read_port.data) + shifted),
            write_port.addr.eq(column_step),
            write_port.data.eq(total),
            write_port.en.eq(valid),
        ]
        m.d.sync += [self.result_valid.eq(valid & last), self.result.eq(total)]
        return m
