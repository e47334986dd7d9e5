# amaranth: UnusedElaboratable=no
# Equal banks are emitted once (see sharing.py), so most of them are never elaborated.
"""Behavioural ReRAM crossbar: cells in memory, column sums by popcount."""

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .bit_heap import bit_heap
from .block_memory import BlockMemory
from .params import check_int, index_bits
from .sharing import shared

__all__ = ["CellWrite", "Crossbar", "CrossbarBank"]


class CellWrite(wiring.Signature):
    """Programming port of a crossbar: one column of one slot a clock, where reading points to.

    Members
    -------
    enable : Out(1)
    adc : Out(range(adcs))
        Memory bank: the ADC that converts this column.
    data : Out(rows * cell_bits)
        Cell bit b of row r at position ``b * rows + r``.
    """

    def __init__(self, *, rows: int, cell_bits: int, adcs: int):
        super().__init__(
            {
                "enable": Out(1),
                "adc": Out(index_bits(adcs)),
                "data": Out(rows * cell_bits),
            }
        )


class CrossbarBank(wiring.Component):
    """The columns of a crossbar that one ADC converts: a memory and one popcount.

    A memory word holds one column of one slot, so that inferred block RAMs are read word by word.
    Reading and writing share one address; a write suspends reading.

    Latency from ``address`` and ``grounded`` to ``total``:
    :func:`sme_hw.cycles.crossbar_latency`.

    Parameters
    ----------
    rows : int
        Rows of a slot, G.
    cell_bits : int
        Bits a cell holds.
    depth : int
        Words of the bank.

    Members
    -------
    write_enable : In(1)
    write_data : In(rows * cell_bits)
        Cell bit b of row r at position ``b * rows + r``.
    address : In(range(depth))
        Slot and column step to read or to program.
    grounded : In(rows)
        Rows whose word line is off: their input bit is 0.
    total : Out(range(rows * (2**cell_bits - 1) + 1))
        Column sum, in cell levels.
    """

    def __init__(self, *, rows: int, cell_bits: int, depth: int):
        check_int("rows", rows, 1, 512)
        check_int("cell_bits", cell_bits, 1, 2)
        check_int("depth", depth, 1, 2**18)
        self.rows = rows
        self.cell_bits = cell_bits
        self.depth = depth
        self.sum_max = rows * (2**cell_bits - 1)
        super().__init__(
            {
                "write_enable": In(1),
                "write_data": In(rows * cell_bits),
                "address": In(index_bits(depth)),
                "grounded": In(rows),
                "total": Out(unsigned(self.sum_max.bit_length())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the memory and the popcount."""
        m = Module()
        cells = BlockMemory(width=self.rows * self.cell_bits, depth=self.depth)
        m.submodules.cells = shared(cells, platform)
        grounded = [Signal(self.rows, name=f"grounded_{i}", reset_less=True) for i in range(2)]
        m.d.comb += [
            cells.write_enable.eq(self.write_enable),
            cells.write_address.eq(self.address),
            cells.write_data.eq(self.write_data),
            cells.read_address.eq(self.address),
            cells.read_enable.eq(1),
            cells.output_enable.eq(1),
        ]
        m.d.sync += [
            grounded[0].eq(self.grounded),
            grounded[1].eq(grounded[0]),
        ]
        # Grounded rows reset their currents: flip-flops do that without logic before them.
        columns: list[list[Value]] = []
        for b in range(self.cell_bits):
            current = Signal(self.rows, name=f"current_{b}", reset_less=True)
            levels = cells.data[b * self.rows : (b + 1) * self.rows]
            m.d.sync += current.eq(
                Cat(Mux(off, 0, level) for off, level in zip(grounded[1], levels, strict=True))
            )
            columns.append(list(current))
        m.d.comb += self.total.eq(bit_heap(m, columns, name="total", platform=platform))
        return m


class Crossbar(wiring.Component):
    """Sum the cells of active rows along columns, one column of every bank a clock.

    Latency from ``address`` and ``grounded`` to ``sums``:
    :func:`sme_hw.cycles.crossbar_latency`.

    Parameters
    ----------
    rows : int
        Rows of a slot, G.
    cell_bits : int
        Bits a cell holds.
    depth : int
        Words of a bank.
    adcs : int
        Banks, one per ADC.

    Members
    -------
    write : In(CellWrite)
        Programming port; a write suspends reading.
    address : In(range(depth))
        Slot and column step to read or to program.
    grounded : In(rows)
        Rows whose word line is off: their input bit is 0.
    sums : Out(ArrayLayout(range(rows * (2**cell_bits - 1) + 1), adcs))
        Column sums, in cell levels.
    """

    def __init__(self, *, rows: int, cell_bits: int, depth: int, adcs: int):
        check_int("adcs", adcs, 1, 512)
        self.rows = rows
        self.cell_bits = cell_bits
        self.depth = depth
        self.adcs = adcs
        self.sum_max = rows * (2**cell_bits - 1)
        super().__init__(
            {
                "write": In(CellWrite(rows=rows, cell_bits=cell_bits, adcs=adcs)),
                "address": In(index_bits(depth)),
                "grounded": In(rows),
                "sums": Out(data.ArrayLayout(unsigned(self.sum_max.bit_length()), adcs)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the banks."""
        m = Module()
        for adc in range(self.adcs):
            bank = CrossbarBank(rows=self.rows, cell_bits=self.cell_bits, depth=self.depth)
            m.submodules[f"bank_{adc}"] = shared(bank, platform)
            m.d.comb += [
                bank.write_enable.eq(self.write.enable & (self.write.adc == adc)),
                bank.write_data.eq(self.write.data),
                bank.address.eq(self.address),
                bank.grounded.eq(self.grounded),
                self.sums[adc].eq(bank.total),
            ]
        return m
