"""FPGA families: which cells count as what, their memories, loops and tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .pll import EHXPLLL, PLLE2, SB_PLL40, PllRules

__all__ = ["FAMILIES", "FIGURES", "LARGE", "Family", "resources"]

FIGURES = ("LUT", "FF", "block_RAM")
"""What a design takes, and a device has."""

LARGE = 20_000
"""LUTs and flip-flops from which on a design is placed in another way."""


@dataclass(frozen=True)
class Family:
    """FPGAs of one kind.

    Parameters
    ----------
    name : str
    target : str
        What Verilog is emitted for (:mod:`sme_hw.target`).
    pll : PllRules
    cells : dict of dict
        For each of :data:`FIGURES`, how much a cell of Yosys (a pattern of names) adds to it.
    placed : dict
        Kinds of cells of nextpnr, by the figure they are the same as; none for families that
        nextpnr does not place.
    place_options, large_options : str
        For nextpnr, for designs of up to :data:`LARGE` LUTs and flip-flops, and for larger ones.
    routed, bitstream : str
        Suffixes of the file that nextpnr writes, and of the one for the device.
    """

    name: str
    target: str
    pll: PllRules
    cells: Mapping[str, Mapping[str, int]]
    placed: Mapping[str, str]
    place_options: str
    large_options: str
    routed: str
    bitstream: str

    @property
    def vivado(self) -> bool:
        """Built by Vivado, which does not come from PyPI."""
        return not self.placed


def resources(cells: Mapping[str, Mapping[str, int]], counts: Mapping[str, int]) -> dict[str, int]:
    """Return figures from the number of cells of each kind.

    Parameters
    ----------
    cells : dict of dict
        As of :class:`Family`.
    counts : dict
        How many there are of each kind of cell.
    """
    return {
        figure: sum(
            weight * count
            for pattern, weight in weights.items()
            for cell, count in counts.items()
            if fnmatchcase(cell, pattern)
        )
        for figure, weights in cells.items()
    }


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "ice40",
            target="portable",
            pll=SB_PLL40,
            cells={
                "LUT": {"SB_LUT4": 1},
                "FF": {"SB_DFF*": 1},
                "block_RAM": {"SB_RAM40_4K": 1},
            },
            # A logic cell is a LUT, a carry and a flip-flop.
            placed={"LUT": "ICESTORM_LC", "block_RAM": "ICESTORM_RAM"},
            # With nearly all block RAMs in use, the first router may go on for ever.
            place_options="--router router2",
            large_options="--router router2",
            routed=".asc",
            bitstream=".bin",
        ),
        Family(
            "ecp5",
            target="ecp5",
            pll=EHXPLLL,
            cells={
                # As nextpnr counts them: a carry cell takes two, a LUT memory four.
                "LUT": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
                "FF": {"TRELLIS_FF": 1},
                "block_RAM": {"DP16KD": 1, "PDPW16KD": 1},
            },
            placed={"LUT": "TRELLIS_COMB", "FF": "TRELLIS_FF", "block_RAM": "DP16KD"},
            place_options="",
            # Takes half as much wire as the default placer, which is better for smaller designs,
            # and is routed in minutes instead of an hour. (Not with --tmg-ripup, which goes on for
            # ever where it finds no better way.)
            large_options="--placer static --router router2",
            routed=".config",
            bitstream=".bit",
        ),
        Family(
            "xilinx7",
            target="portable",
            pll=PLLE2,
            cells={
                "LUT": {
                    "LUT[1-6]": 1,
                    "INV": 1,
                    "RAM32X1D": 2,
                    "RAM64X1D": 2,
                    "RAM32M": 4,
                    "RAM64M": 4,
                    "SRL*": 1,
                },
                "FF": {"FD?E": 1},
                # Blocks of 18 kbit.
                "block_RAM": {"RAMB18E1": 1, "RAMB36E1": 2},
            },
            placed={},
            place_options="",
            large_options="",
            routed="",
            bitstream=".bit",
        ),
    )
}
"""The families by name."""
