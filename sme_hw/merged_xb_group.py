# amaranth: UnusedElaboratable=no
# Equal banks are emitted once (see sharing.py), so most of them are never elaborated.
"""All planes and both signs of a crossbar group as one signed sum, where no ADC can clip."""

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .bit_heap import bit_heap
from .block_memory import BlockMemory
from .crossbar import CellWrite
from .params import HardwareParams, index_bits
from .sharing import shared
from .weight_sets import set_address, set_field, set_of

__all__ = ["MergedBank", "MergedXbGroup"]


class MergedBank(wiring.Component):
    """The columns that one ADC of every plane and sign converts: a memory and one adder.

    A cell of every plane and sign together hold a signed weight; its offset binary code (weight
    plus ``2**(bits - 1)``) is what the memory holds of each row.

    Latency from ``address`` and ``grounded`` to ``samples``:
    :func:`sme_hw.cycles.merged_latency`.

    Parameters
    ----------
    rows : int
        Rows of a slot, G.
    weight_bits : int
        Bits of a signed weight.
    sample_bits : int
        Bits of a signed sample.
    depth : int
        Words of the bank.
    lanes : int
        Bit-cycles that one read serves.

    Members
    -------
    write_enable : In(1)
    write_data : In(rows * weight_bits)
        Bit b of the code of row r at position ``b * rows + r``.
    address : In(range(depth))
        Slot and column step to read or to program.
    grounded : In(ArrayLayout(rows, lanes))
        Rows whose word line is off in each bit-cycle: their input bit is 0.
    samples : Out(ArrayLayout(signed(sample_bits), lanes))
        Sums of the weights of the other rows.
    """

    def __init__(self, *, rows: int, weight_bits: int, sample_bits: int, depth: int, lanes: int):
        self.rows = rows
        self.weight_bits = weight_bits
        self.sample_bits = sample_bits
        self.depth = depth
        self.lanes = lanes
        super().__init__(
            {
                "write_enable": In(1),
                "write_data": In(rows * weight_bits),
                "address": In(index_bits(depth)),
                "grounded": In(data.ArrayLayout(rows, lanes)),
                "samples": Out(data.ArrayLayout(signed(sample_bits), lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the memory and the bit heap."""
        m = Module()
        weights = BlockMemory(width=self.rows * self.weight_bits, depth=self.depth)
        m.submodules.weights = shared(weights, platform)
        grounded = [
            Signal.like(self.grounded, name=f"grounded_{i}", reset_less=True) for i in range(2)
        ]
        m.d.comb += [
            weights.write_enable.eq(self.write_enable),
            weights.write_address.eq(self.address),
            weights.write_data.eq(self.write_data),
            weights.read_address.eq(self.address),
            weights.read_enable.eq(1),
            weights.output_enable.eq(1),
        ]
        m.d.sync += [grounded[0].eq(self.grounded), grounded[1].eq(grounded[0])]
        # A grounded row counts as weight 0, which has only the highest bit set.
        offset = self.rows << self.weight_bits - 1
        for lane in range(self.lanes):
            columns: list[list[Value]] = []
            for b in range(self.weight_bits):
                zero = int(b == self.weight_bits - 1)
                # FPGAs that reset a flip-flop to 1 also start it with 1.
                init = -zero % (1 << self.rows)
                name = f"current_{lane}_{b}"
                current = Signal(self.rows, name=name, init=init, reset_less=True)
                code = weights.data[b * self.rows : (b + 1) * self.rows]
                off = grounded[1][lane]
                m.d.sync += current.eq(Cat(Mux(off[r], zero, code[r]) for r in range(self.rows)))
                columns.append(list(current))
            total = bit_heap(m, columns, name=f"sum_{lane}", platform=platform)
            m.d.sync += self.samples[lane].eq(total - offset)
        return m


class MergedXbGroup(wiring.Component):
    """Stand for the array macros of all planes and signs and for splicing, without their ADCs.

    With ADCs that lose nothing, splicing the codes of all planes gives the sum of the signed
    weights of the active rows. So nothing but that sum is computed: bit for bit the same results,
    with half the memory and adders (reconstructed). Hardware with real macros needs a number of
    ADC bits instead of ``"lossless"``.

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
    set : In(range(weight_sets))
        Weights that take part; only with several sets.
    samples : Out(ArrayLayout(ArrayLayout(signed(splice_bits), emulation_lanes), A))
        Spliced samples.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        self.column_bits = (hardware.column_steps - 1).bit_length()
        self.set_words = ((hardware.slots - 1) << self.column_bits) + hardware.column_steps
        self.depth = hardware.in_sets(self.set_words)
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
        """Build the banks."""
        m = Module()
        hardware = self.hardware
        word = Cat(self.column_step[: self.column_bits], self.slot)
        address = set_address(word, self.set_words, set_of(self))
        for a in range(hardware.adcs_per_crossbar):
            bank = MergedBank(
                rows=hardware.group_rows,
                weight_bits=hardware.merged_bits,
                sample_bits=hardware.splice_bits,
                depth=self.depth,
                lanes=hardware.emulation_lanes,
            )
            m.submodules[f"bank_{a}"] = shared(bank, platform)
            m.d.comb += [
                bank.write_enable.eq(self.write.enable & (self.write.adc == a)),
                bank.write_data.eq(self.write.data),
                bank.address.eq(address),
                bank.grounded.eq(self.grounded),
                self.samples[a].eq(bank.samples),
            ]
        return m
