# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""Behavioural ReRAM crossbar: cells in memory, column sums in bit heaps."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .bit_heap import bit_heap
from .block_memory import BlockMemory
from .params import HardwareParams, check_int, index_bits
from .sharing import shared
from .weight_sets import set_address, set_of

__all__ = ["CellWrite", "Crossbar", "CrossbarBank", "add_crossbar"]


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
    """The columns of a crossbar that one ADC converts: a memory, and a bit heap for each lane.

    A memory word holds one column of one slot, so that inferred block RAMs are read word by word;
    the bits of a row lie side by side, since the flip-flops behind them share the row's reset, and
    FPGAs have few resets in one place. Reading and writing share one address; what is read while
    writing is not defined.

    Latency from ``address`` and ``grounded`` to ``totals``:
    :func:`sme_hw.cycles.crossbar_latency`.

    Parameters
    ----------
    rows : int
        Rows of a slot, G.
    cell_bits : int
        Bits a cell holds.
    depth : int
        Words of the bank.
    lanes : int
        Bit-cycles that one read serves, each with a heap of its own.
    idle : int
        Level that a row counts as while its word line is off.

    Members
    -------
    write_enable : In(1)
    write_data : In(rows * cell_bits)
        Cell bit b of row r at position ``b * rows + r``.
    address : In(range(depth))
        Slot and column step to read or to program.
    grounded : In(ArrayLayout(rows, lanes))
        Rows whose word line is off in each bit-cycle: their input bit is 0.
    totals : Out(ArrayLayout(range(rows * (2**cell_bits - 1) + 1), lanes))
        Column sums, in cell levels.
    """

    def __init__(self, *, rows: int, cell_bits: int, depth: int, lanes: int, idle: int = 0):
        check_int("rows", rows, 1, 512)
        check_int("cell_bits", cell_bits, 1, 17)
        check_int("idle", idle, 0, 2**cell_bits - 1)
        check_int("depth", depth, 1, 2**20)
        check_int("lanes", lanes, 1, 4)
        self.rows = rows
        self.cell_bits = cell_bits
        self.depth = depth
        self.lanes = lanes
        self.idle = idle
        self.sum_max = rows * (2**cell_bits - 1)
        super().__init__(
            {
                "write_enable": In(1),
                "write_data": In(rows * cell_bits),
                "address": In(index_bits(depth)),
                "grounded": In(data.ArrayLayout(rows, lanes)),
                "totals": Out(data.ArrayLayout(unsigned(self.sum_max.bit_length()), lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the memory and the heaps."""
        m = Module()
        cells = BlockMemory(width=self.rows * self.cell_bits, depth=self.depth)
        m.submodules.cells = shared(cells, platform)
        grounded = [
            Signal.like(self.grounded, name=f"grounded_{i}", reset_less=True) for i in range(2)
        ]
        m.d.comb += [
            cells.write_enable.eq(self.write_enable),
            cells.write_address.eq(self.address),
            cells.write_data.eq(
                Cat(self.write_data[r :: self.rows] for r in range(self.rows)),
            ),
            cells.read_address.eq(self.address),
            cells.read_enable.eq(1),
            cells.output_enable.eq(1),
        ]
        m.d.sync += [
            grounded[0].eq(self.grounded),
            grounded[1].eq(grounded[0]),
        ]
        # Grounded rows reset their currents: flip-flops do that without logic before them.
        for lane in range(self.lanes):
            columns: list[list[Value]] = []
            for b in range(self.cell_bits):
                idle = self.idle >> b & 1
                # FPGAs that reset a flip-flop to 1 also start it with 1.
                init = -idle % (1 << self.rows)
                name = f"current_{lane}_{b}"
                current = Signal(self.rows, name=name, init=init, reset_less=True)
                levels = cells.data[b :: self.cell_bits]
                off = grounded[1][lane]
                m.d.sync += current.eq(Cat(Mux(off[r], idle, levels[r]) for r in range(self.rows)))
                columns.append(list(current))
            m.d.comb += self.totals[lane].eq(
                bit_heap(m, columns, name=f"total_{lane}", platform=platform)
            )
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
    lanes : int
        Bit-cycles that one read serves.
    idle : int
        Level that a row counts as while its word line is off.

    Members
    -------
    write : In(CellWrite)
        Programming port; what is read while writing is not defined.
    address : In(range(depth))
        Slot and column step to read or to program.
    grounded : In(ArrayLayout(rows, lanes))
        Rows whose word line is off in each bit-cycle: their input bit is 0.
    sums : Out(ArrayLayout(ArrayLayout(range(rows * (2**cell_bits - 1) + 1), lanes), adcs))
        Column sums, in cell levels.
    """

    def __init__(
        self, *, rows: int, cell_bits: int, depth: int, adcs: int, lanes: int, idle: int = 0
    ):
        check_int("adcs", adcs, 1, 512)
        self.rows = rows
        self.cell_bits = cell_bits
        self.depth = depth
        self.adcs = adcs
        self.lanes = lanes
        self.idle = idle
        self.sum_max = rows * (2**cell_bits - 1)
        totals = data.ArrayLayout(unsigned(self.sum_max.bit_length()), lanes)
        super().__init__(
            {
                "write": In(CellWrite(rows=rows, cell_bits=cell_bits, adcs=adcs)),
                "address": In(index_bits(depth)),
                "grounded": In(data.ArrayLayout(rows, lanes)),
                "sums": Out(data.ArrayLayout(totals, adcs)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the banks."""
        m = Module()
        for adc in range(self.adcs):
            bank = CrossbarBank(
                rows=self.rows,
                cell_bits=self.cell_bits,
                depth=self.depth,
                lanes=self.lanes,
                idle=self.idle,
            )
            m.submodules[f"bank_{adc}"] = shared(bank, platform)
            m.d.comb += [
                bank.write_enable.eq(self.write.enable & (self.write.adc == adc)),
                bank.write_data.eq(self.write.data),
                bank.address.eq(self.address),
                bank.grounded.eq(self.grounded),
                self.sums[adc].eq(bank.totals),
            ]
        return m


def add_crossbar(
    m: Module, parent: Any, platform: object, *, cell_bits: int, idle: int = 0
) -> Crossbar:
    """Make a crossbar the submodule ``crossbar``, and connect its inputs.

    Parameters
    ----------
    m : Module
    parent : Component
        What ``m`` is built for: it has ``hardware``, and the ports ``write``, ``slot``,
        ``column_step``, ``grounded``, and ``set`` if there are several.
    platform : object
        What the parent is elaborated for.
    cell_bits, idle : int
        As of :class:`Crossbar`.
    """
    hardware: HardwareParams = parent.hardware
    crossbar = Crossbar(
        rows=hardware.group_rows,
        cell_bits=cell_bits,
        depth=hardware.in_sets(hardware.set_columns),
        adcs=hardware.adcs_per_crossbar,
        lanes=hardware.emulation_lanes,
        idle=idle,
    )
    m.submodules.crossbar = shared(crossbar, platform)
    wiring.connect(m, wiring.flipped(parent.write), crossbar.write)
    word = Cat(parent.column_step[: hardware.column_step_bits], parent.slot)
    m.d.comb += [
        crossbar.address.eq(set_address(word, hardware.set_columns, set_of(parent))),
        crossbar.grounded.eq(parent.grounded),
    ]
    return crossbar
