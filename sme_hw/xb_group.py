# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""The XB group: the crossbar pairs of all planes, their ADCs, and splicing."""

import numpy as np
from amaranth import Cat, Module, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .array_macro import ArrayMacro
from .crossbar import CellWrite
from .params import HardwareParams, index_bits
from .sharing import shared
from .splice import Splice
from .weight_sets import set_field

__all__ = ["PlaneWrite", "XbGroup"]


class PlaneWrite(wiring.Signature):
    """Programming port of an XB group: one column of one slot of one crossbar a clock.

    Members
    -------
    plane : Out(range(planes))
    sign : Out(1)
        Crossbar of the pair: 0 the positive, 1 the negative one.
    cells : Out(CellWrite)
    """

    def __init__(self, hardware: HardwareParams):
        cells = CellWrite(
            rows=hardware.group_rows,
            cell_bits=hardware.cell_bits,
            adcs=hardware.adcs_per_crossbar,
        )
        super().__init__(
            {"plane": Out(index_bits(hardware.planes)), "sign": Out(1), "cells": Out(cells)}
        )


class XbGroup(wiring.Component):
    """Convert and splice the columns of a crossbar group, A of them a clock.

    Latency from the word lines to the samples: :func:`sme_hw.cycles.group_latency`; to the clips:
    :func:`sme_hw.cycles.macro_latency`.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry, planes, ADCs.

    Members
    -------
    write : In(PlaneWrite)
        Programming port; it writes where ``slot``, ``column_step`` and ``set`` point to.
    slot : In(range(slots))
        Physical rows that ``grounded`` refers to.
    column_step : In(range(column_steps))
        Position of the column multiplexers: ADC a converts column ``column_step * A + a``.
    set : In(range(weight_sets))
        Cells that take part; only with several sets.
    grounded : In(ArrayLayout(group_rows, emulation_lanes))
        Rows whose word line is off in each bit-cycle: their input bit is 0.
    samples : Out(ArrayLayout(ArrayLayout(signed(splice_bits), emulation_lanes), A))
        Spliced samples.
    clips : Out(ArrayLayout(2 * A * emulation_lanes, planes))
        Conversions of each plane that clipped.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        a, lanes = hardware.adcs_per_crossbar, hardware.emulation_lanes
        samples = data.ArrayLayout(signed(hardware.splice_bits), lanes)
        super().__init__(
            {
                "write": In(PlaneWrite(hardware)),
                "slot": In(index_bits(hardware.slots)),
                "column_step": In(index_bits(hardware.column_steps)),
                "grounded": In(data.ArrayLayout(hardware.group_rows, lanes)),
                "samples": Out(data.ArrayLayout(samples, a)),
                "clips": Out(data.ArrayLayout(hardware.clip_flags, hardware.planes)),
                **{name: In(bits) for name, bits in set_field(hardware).items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the macros and connect them to splicing."""
        m = Module()
        hardware = self.hardware
        pairs = []
        for j, adc_bits in enumerate(hardware.plane_adc_bits):
            pair = []
            for sign, name in enumerate(("positive", "negative")):
                macro = ArrayMacro(hardware=hardware, adc_bits=adc_bits)
                m.submodules[f"macro_{j}_{name}"] = shared(macro, platform)
                here = (self.write.plane == j) & (self.write.sign == sign)
                m.d.comb += [
                    macro.write.enable.eq(self.write.cells.enable & here),
                    macro.write.adc.eq(self.write.cells.adc),
                    macro.write.data.eq(self.write.cells.data),
                    macro.slot.eq(self.slot),
                    macro.column_step.eq(self.column_step),
                    macro.grounded.eq(self.grounded),
                ]
                if hardware.set_bits:
                    m.d.comb += macro.set.eq(self.set)
                pair.append(macro)
            m.d.comb += self.clips[j].eq(Cat(macro.clips for macro in pair))
            pairs.append(pair)
        for a, lane in np.ndindex(hardware.adcs_per_crossbar, hardware.emulation_lanes):
            splice = Splice(hardware=hardware)
            m.submodules[f"splice_{a * hardware.emulation_lanes + lane}"] = shared(splice, platform)
            for j, (positive, negative) in enumerate(pairs):
                m.d.comb += [
                    splice.positive[f"plane_{j}"].eq(positive.codes[a][lane]),
                    splice.negative[f"plane_{j}"].eq(negative.codes[a][lane]),
                ]
            m.d.comb += self.samples[a][lane].eq(splice.sample)
        return m
