"""The control registers of a compute unit."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .params import PROGRAM_BITS, HardwareParams, index_bits
from .program import MODE_CLEAR, MODE_ENABLE, Control
from .weight_sets import of_set, per_set, set_field, set_of

__all__ = ["Configuration"]


class Configuration(wiring.Component):
    """Hold what a program says about the tile of each set as a whole.

    A register takes its value one clock after the write.

    Parameters
    ----------
    hardware : HardwareParams
        Ranges of the registers.

    Members
    -------
    write_enable : In(1)
    entry : In(range(len(Control)))
        Register to write.
    set : In(range(weight_sets))
        The set that it is of; the mode is common. Only with several sets.
    data : In(32)
        Its new value.
    enable : Out(1)
        Input vectors are accepted; off after reset.
    clear : Out(1)
        For one clock: clip counters go to zero.
    input_last : Out(range(input_beats)), one per set, as all that follow
        Index of a vector's last beat on the input stream.
    row_last : Out(range(row_beats))
        Index of its last beat in the order of physical rows.
    column_last : Out(range(column_steps))
        Index of the last column step in use.
    result_last : Out(range(result_beats))
        Index of a vector's last result beat.
    group_last : Out(range(slots))
        Index of the last group in use.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        super().__init__(
            {
                "write_enable": In(1),
                "entry": In(index_bits(len(Control))),
                "data": In(PROGRAM_BITS),
                "enable": Out(1),
                "clear": Out(1),
                "input_last": Out(per_set(hardware, index_bits(hardware.input_beats))),
                "row_last": Out(per_set(hardware, index_bits(hardware.row_beats))),
                "column_last": Out(per_set(hardware, index_bits(hardware.column_steps))),
                "result_last": Out(per_set(hardware, index_bits(hardware.result_beats))),
                "group_last": Out(per_set(hardware, index_bits(hardware.slots))),
                **{name: In(bits) for name, bits in set_field(hardware).items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the registers."""
        m = Module()
        m.d.sync += self.clear.eq(0)
        with m.If(self.write_enable):
            with m.Switch(self.entry):
                with m.Case(Control.MODE):
                    m.d.sync += [
                        self.enable.eq((self.data & MODE_ENABLE) != 0),
                        self.clear.eq((self.data & MODE_CLEAR) != 0),
                    ]
                for register in list(Control)[1:]:
                    with m.Case(register):
                        values = getattr(self, register.name.lower())
                        m.d.sync += of_set(values, set_of(self)).eq(self.data)
        return m
