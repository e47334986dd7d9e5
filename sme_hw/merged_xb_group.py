"""All planes and both signs of a crossbar group as one signed sum, where no ADC can clip."""

from amaranth import Module, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .crossbar import CellWrite, add_crossbar
from .params import HardwareParams, index_bits
from .weight_sets import set_field

__all__ = ["MergedXbGroup"]


class MergedXbGroup(wiring.Component):
    """Stand for the array macros of all planes and signs and for splicing, without their ADCs.

    With ADCs that lose nothing, splicing the codes of all planes gives the sum of the signed
    weights of the active rows. So nothing but that sum is computed: bit for bit the same results,
    with half the memory and adders (reconstructed). A crossbar of many-level cells holds the
    weights in offset binary (weight plus ``2**(merged_bits - 1)``); a row that is off counts as
    weight 0. Hardware with real macros needs a number of ADC bits instead of ``"lossless"``.

    Latency from the word lines to the samples: :func:`sme_hw.cycles.merged_latency`.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry, planes and number of ADCs.

    Members
    -------
    write : In(CellWrite)
        Programming port; it writes where ``slot``, ``column_step`` and ``set`` point to.
    slot : In(range(slots))
        Physical rows that ``grounded`` refers to.
    column_step : In(range(column_steps))
        Bank a gives column ``column_step * A + a``.
    set : In(range(weight_sets))
        Cells that take part; only with several sets.
    grounded : In(ArrayLayout(group_rows, emulation_lanes))
        Rows whose word line is off in each bit-cycle: their input bit is 0.
    samples : Out(ArrayLayout(ArrayLayout(signed(splice_bits), emulation_lanes), A))
        Spliced samples.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        a, lanes = hardware.adcs_per_crossbar, hardware.emulation_lanes
        samples = data.ArrayLayout(signed(hardware.splice_bits), lanes)
        super().__init__(
            {
                "write": In(
                    CellWrite(rows=hardware.group_rows, cell_bits=hardware.merged_bits, adcs=a)
                ),
                "slot": In(index_bits(hardware.slots)),
                "column_step": In(index_bits(hardware.column_steps)),
                "grounded": In(data.ArrayLayout(hardware.group_rows, lanes)),
                "samples": Out(data.ArrayLayout(samples, a)),
                **{name: In(bits) for name, bits in set_field(hardware).items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the crossbar and take off the offset."""
        m = Module()
        hardware = self.hardware
        zero = 1 << hardware.merged_bits - 1
        crossbar = add_crossbar(m, self, platform, cell_bits=hardware.merged_bits, idle=zero)
        for samples, sums in zip(self.samples, crossbar.sums, strict=True):
            for sample, total in zip(samples, sums, strict=True):
                m.d.sync += sample.eq(total - hardware.group_rows * zero)
        return m
