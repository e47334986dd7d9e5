"""Splicing: the codes of all planes and both signs become one signed sample."""

from amaranth import Module, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .bit_heap import bit_heap
from .cycles import splice_heights
from .params import HardwareParams

__all__ = ["Splice"]


class Splice(wiring.Component):
    """Shift each plane's code by its weight and add them, positive minus negative.

    One sample a clock; latency :func:`sme_hw.cycles.splice_latency`. The plane accumulator of the
    paper (section III); its digital form is reconstructed.

    Parameters
    ----------
    hardware : HardwareParams
        Planes, their weights and code widths.

    Members
    -------
    positive, negative : In(StructLayout of one code per built plane)
        ADC codes of the crossbar pair; ``plane_0`` is the most significant.
    sample : Out(signed(splice_bits))
        Spliced sample, in units of one code step.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        codes = data.StructLayout(
            {f"plane_{j}": unsigned(bits) for j, bits in enumerate(hardware.plane_code_bits)}
        )
        super().__init__(
            {
                "positive": In(codes),
                "negative": In(codes),
                "sample": Out(signed(hardware.splice_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Add the codes of either sign and subtract."""
        m = Module()
        sums = []
        for sign, codes in (("positive", self.positive), ("negative", self.negative)):
            columns: list[list[Value]] = [[] for _ in splice_heights(self.hardware)]
            for j, weight in enumerate(self.hardware.plane_weight_bits):
                for i, bit in enumerate(codes[f"plane_{j}"]):
                    columns[weight + i].append(bit)
            sums.append(bit_heap(m, columns, name=sign, platform=platform))
        m.d.sync += self.sample.eq(sums[0] - sums[1])
        return m
