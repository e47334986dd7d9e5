# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""The array macro: crossbar, sample-and-hold, multiplexer and ADCs of one plane and sign."""

import numpy as np
from amaranth import Module, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .adc import Adc
from .crossbar import CellWrite, add_crossbar
from .params import HardwareParams, index_bits
from .sharing import shared
from .weight_sets import set_field

__all__ = ["ArrayMacro"]


class ArrayMacro(wiring.Component):
    """Convert the columns of one ReRAM crossbar, A of them a clock.

    Between crossbar and ADC a real macro has currents, so this is the boundary at which a chip's
    own macro takes the place of the behavioural body.

    With ``emulation_lanes``, one read of a column serves several bit-cycles, each with an ADC of
    its own: a chip would convert one after the other.

    Latency from the word lines to the codes: :func:`sme_hw.cycles.macro_latency`.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry, LSB size and number of ADCs.
    adc_bits : int
        Resolution of the ADCs; it may differ from plane to plane.

    Members
    -------
    write : In(CellWrite)
        Programming port; it writes where ``slot``, ``column_step`` and ``set`` point to.
    slot : In(range(slots))
        Physical rows that ``grounded`` refers to.
    column_step : In(range(column_steps))
        Position of the column multiplexers: ADC a converts column ``column_step * A + a``.
    set : In(range(weight_sets))
        Cells that take part; only with several sets.
    grounded : In(ArrayLayout(group_rows, emulation_lanes))
        Rows whose word line is off in each bit-cycle: their input bit is 0.
    codes : Out(ArrayLayout(ArrayLayout(code, emulation_lanes), A))
        ADC codes.
    clips : Out(A * emulation_lanes)
        Conversions that clipped.
    """

    def __init__(self, *, hardware: HardwareParams, adc_bits: int):
        self.hardware = hardware
        self.adc_bits = adc_bits
        a, lanes = hardware.adcs_per_crossbar, hardware.emulation_lanes
        code_max = min(2**adc_bits - 1, hardware.sum_max >> hardware.adc_lsb)
        codes = data.ArrayLayout(unsigned(index_bits(code_max + 1)), lanes)
        super().__init__(
            {
                "write": In(
                    CellWrite(
                        rows=hardware.group_rows,
                        cell_bits=hardware.cell_bits,
                        adcs=a,
                    )
                ),
                "slot": In(index_bits(hardware.slots)),
                "column_step": In(index_bits(hardware.column_steps)),
                "grounded": In(data.ArrayLayout(hardware.group_rows, lanes)),
                "codes": Out(data.ArrayLayout(codes, a)),
                "clips": Out(a * lanes),
                **{name: In(bits) for name, bits in set_field(hardware).items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect a behavioural crossbar to its ADCs."""
        m = Module()
        hardware = self.hardware
        crossbar = add_crossbar(m, self, platform, cell_bits=hardware.cell_bits)
        lanes = hardware.emulation_lanes
        for a, lane in np.ndindex(hardware.adcs_per_crossbar, lanes):
            adc = Adc(
                sum_max=hardware.sum_max,
                bits=self.adc_bits,
                lsb=hardware.adc_lsb,
            )
            m.submodules[f"adc_{a * lanes + lane}"] = shared(adc, platform)
            m.d.comb += [
                adc.total.eq(crossbar.sums[a][lane]),
                self.codes[a][lane].eq(adc.code),
                self.clips[a * lanes + lane].eq(adc.clip),
            ]
        return m
