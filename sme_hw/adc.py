"""The analog-to-digital converter of a bit line, with an explicit meaning of its range."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .params import ADC_BITS_MAX, check_int, index_bits

__all__ = ["Adc"]


class Adc(wiring.Component):
    """Convert a column sum into a code that saturates.

    ``code = min(total >> lsb, 2**bits - 1)``; a conversion clips when ``total >> lsb`` does not fit
    (reconstructed: the paper gives the resolution only). Bits dropped by ``lsb`` are no clips.

    One conversion a clock; the code follows one clock after the sum.

    Parameters
    ----------
    sum_max : int
        Largest column sum, in cell levels.
    bits : int
        Resolution.
    lsb : int
        LSB size k: a code stands for ``2**k`` cell levels.

    Members
    -------
    total : In(range(sum_max + 1))
        Sampled column sum, in cell levels.
    code : Out(range(code_max + 1))
        ADC code.
    clip : Out(1)
        The conversion clipped.
    """

    def __init__(self, *, sum_max: int, bits: int, lsb: int):
        check_int("sum_max", sum_max, 1, 512 * 3)
        check_int("bits", bits, 1, ADC_BITS_MAX)
        check_int("lsb", lsb, 0, 8)
        self.sum_max = sum_max
        self.bits = bits
        self.lsb = lsb
        self.code_max = min(2**bits - 1, sum_max >> lsb)
        super().__init__(
            {
                "total": In(index_bits(sum_max + 1)),
                "code": Out(index_bits(self.code_max + 1)),
                "clip": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the comparator and the code register."""
        m = Module()
        shifted = self.total >> self.lsb
        # Setting all bits takes no logic before flip-flops that start with 1 too.
        code = Signal.like(self.code, init=self.code_max, reset_less=True)
        clip = Signal(reset_less=True)
        m.d.comb += [self.code.eq(code), self.clip.eq(clip)]
        m.d.sync += code.eq(shifted)
        if self.sum_max >> self.lsb > self.code_max:
            # code_max is all ones here: the bits above it tell.
            clips = shifted[self.bits :].any()
            m.d.sync += clip.eq(clips)
            with m.If(clips):
                m.d.sync += code.eq(self.code_max)
        return m
