"""A memory with a registered output, as block RAMs have it."""

from amaranth import Cat, ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from .params import check_int, index_bits
from .target import pins, target_of

__all__ = ["DP16KD_DEPTH", "DP16KD_DEPTH_MIN", "DP16KD_WIDTH", "BlockMemory"]

DP16KD_WIDTH = 36
"""Data bits of an ECP5 block RAM at its widest."""

DP16KD_DEPTH = 512
"""Words of an ECP5 block RAM at its widest."""

DP16KD_DEPTH_MIN = 17
"""Words from which on an ECP5 block RAM is instantiated; its LUTs hold 16 words each."""

_HALF = DP16KD_WIDTH // 2
_ADDRESS_OFFSET = 5
"""Lowest address bit of a word; those below count bits of a word."""


class BlockMemory(wiring.Component):
    """Store words; they can be read two clocks after their address, one word a clock.

    The two clocks are the memory and its output register. Each of them has an enable, as in a
    pipeline that can pause: ``output_enable`` must only be 1 in clocks in which ``read_enable``
    is. A word that is read while it is written is not defined, nor what a memory holds at first.

    For the target ``ecp5``, memories that suit them are block RAMs with their own output register:
    the data are there 1 ns after the clock instead of 5.8 (nextpnr, speed grade 6). Yosys does not
    infer this register (reconstructed).

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Number of words.

    Members
    -------
    write_enable : In(1)
    write_address : In(range(depth))
    write_data : In(width)
    read_address : In(range(depth))
    read_enable : In(1)
        The memory takes an address.
    output_enable : In(1)
        The output register takes what the memory read before.
    data : Out(width)
    """

    def __init__(self, *, width: int, depth: int):
        check_int("width", width, 1, 2**16)
        check_int("depth", depth, 1, 2**18)
        self.width = width
        self.depth = depth
        super().__init__(
            {
                "write_enable": In(1),
                "write_address": In(index_bits(depth)),
                "write_data": In(width),
                "read_address": In(index_bits(depth)),
                "read_enable": In(1),
                "output_enable": In(1),
                "data": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the memory from code or block RAMs."""
        m = Module()
        if target_of(platform) == "ecp5" and DP16KD_DEPTH_MIN <= self.depth <= DP16KD_DEPTH:
            self._block_rams(m)
        else:
            self._portable(m)
        return m

    def _portable(self, m: Module) -> None:
        """Describe the memory."""
        attributes: dict[str, object] = {"no_rw_check": 1}
        if self.depth >= DP16KD_DEPTH_MIN:
            # In LUTs, these would take more of them than all the rest.
            attributes["ram_style"] = "block"
        m.submodules.words = words = memory.Memory(
            shape=self.width, depth=self.depth, init=[], attrs=attributes
        )
        write_port, read_port = words.write_port(), words.read_port()
        output = Signal(self.width, name="output_register", reset_less=True)
        m.d.comb += [
            write_port.en.eq(self.write_enable),
            write_port.addr.eq(self.write_address),
            write_port.data.eq(self.write_data),
            read_port.en.eq(self.read_enable),
            read_port.addr.eq(self.read_address),
            self.data.eq(output),
        ]
        with m.If(self.output_enable):
            m.d.sync += output.eq(read_port.data)

    def _block_rams(self, m: Module) -> None:
        """Instantiate block RAMs side by side: port A writes, port B reads."""
        for number, low in enumerate(range(0, self.width, DP16KD_WIDTH)):
            bits = min(DP16KD_WIDTH, self.width - low)
            written = Cat(self.write_data[low : low + bits], Const(0, DP16KD_WIDTH - bits))
            read = Signal(DP16KD_WIDTH, name=f"read_{number}")
            # The lowest address bits enable writing, each of them nine data bits.
            enables = self.write_enable.replicate(4)
            write_address = Cat(enables, Const(0, _ADDRESS_OFFSET - 4), self.write_address)
            read_address = Cat(Const(0, _ADDRESS_OFFSET), self.read_address)
            m.submodules[f"ram_{number}"] = Instance(
                "DP16KD",
                p_DATA_WIDTH_A=DP16KD_WIDTH,
                p_DATA_WIDTH_B=DP16KD_WIDTH,
                # Both: the lower half of a wide word leaves through port A.
                p_REGMODE_A="OUTREG",
                p_REGMODE_B="OUTREG",
                p_RESETMODE="ASYNC",
                p_ASYNC_RESET_RELEASE="ASYNC",
                p_CSDECODE_A="0b000",
                p_CSDECODE_B="0b000",
                p_CLKAMUX="CLKA",
                p_CLKBMUX="CLKB",
                p_GSR="DISABLED",
                i_CLKA=ClockSignal(),
                i_CLKB=ClockSignal(),
                i_CEA=Const(1, 1),
                i_WEA=Const(1, 1),
                i_OCEA=self.output_enable,
                i_RSTA=Const(0, 1),
                i_CEB=self.read_enable,
                i_WEB=Const(0, 1),
                i_OCEB=self.output_enable,
                i_RSTB=Const(0, 1),
                **{f"i_CS{port}{i}": Const(0, 1) for port in "AB" for i in range(3)},
                **pins("i_ADA", write_address, 14),
                **pins("i_ADB", read_address, 14),
                **pins("i_DIA", written[:_HALF], _HALF),
                **pins("i_DIB", written[_HALF:], _HALF),
                **pins("o_DOA", read[:_HALF], _HALF),
                **pins("o_DOB", read[_HALF:], _HALF),
            )
            m.d.comb += self.data[low : low + bits].eq(read)
