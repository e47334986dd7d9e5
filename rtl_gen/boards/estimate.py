"""What a unit takes on an FPGA, without a synthesis, and the largest one that fits.

Block RAMs follow from the shapes of the memories. LUTs and flip-flops are a sum of few terms,
fitted to syntheses of compute units (``python -m benchmarks.board_estimate``, which also says how
far off it is).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from amaranth.lib import wiring

from sme_hw.errors import ParameterError
from sme_hw.params import HardwareParams, ceil_div

from .board import Board
from .memories import MemoryShape, memories
from .report import short_of

__all__ = [
    "MARGIN",
    "TERMS",
    "Design",
    "block_rams",
    "estimate",
    "fits",
    "largest_square",
    "least",
    "terms",
]

MARGIN = 0.1
"""Share of LUTs and flip-flops that the estimate may be off; a unit fits if it does with that."""

_SIZE_STEP = 4
_SIZE_MAX = 512

TERMS = ("unit", "split", "merged", "sums", "rows", "stored")
"""What LUTs and flip-flops are estimated from, see :func:`terms`."""


@dataclass(frozen=True)
class Design:
    """A component that is to be built, and what its compute unit is built for.

    Parameters
    ----------
    component : wiring.Component
        Not elaborated yet.
    hardware : HardwareParams
    """

    component: wiring.Component
    hardware: HardwareParams


@dataclass(frozen=True)
class _Memories:
    """How synthesis stores words.

    Parameters
    ----------
    blocks : tuple of (int, int)
        Widths of a block RAM, and the number of words it has then.
    block_cost, small_cost : int
        What Yosys weighs a block RAM against, and the memory made of LUTs or flip-flops.
    small : tuple of (int, int)
        Width and words of that memory.
    """

    blocks: tuple[tuple[int, int], ...]
    block_cost: int
    small_cost: int
    small: tuple[int, int]


_MEMORIES = {
    # Flip-flops.
    "ice40": _Memories(((16, 256), (8, 512), (4, 1024), (2, 2048)), 64, 1, (1, 1)),
    "ecp5": _Memories(
        ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)), 128, 4, (4, 16)
    ),
    # Of 18 kbit.
    "xilinx7": _Memories(
        ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)), 129, 8, (6, 32)
    ),
}


def _count(shape: MemoryShape, width: int, depth: int) -> int:
    return ceil_div(shape.width, width) * ceil_div(shape.depth, depth) * shape.reads


def block_rams(shape: MemoryShape, family: str) -> int:
    """Return the block RAMs that a memory takes.

    Parameters
    ----------
    shape : MemoryShape
    family : str
        Name of the FPGA family.
    """
    kind = _MEMORIES[family]
    blocks = min(_count(shape, *block) for block in kind.blocks)
    small = _count(shape, *kind.small) * kind.small_cost
    return blocks if shape.block or blocks * kind.block_cost < small else 0


def terms(hardware: HardwareParams, found: Counter[MemoryShape], family: str) -> dict[str, float]:
    """Return what LUTs and flip-flops are estimated from.

    ``split`` and ``merged`` are the bits that all bit heaps add in a clock, with ADCs or without;
    ``sums`` the bits of accumulators, ``rows`` those of the word lines, and ``stored`` the bits of
    memories that are no block RAMs.

    Parameters
    ----------
    hardware : HardwareParams
    found : Counter
        The design's :func:`rtl_gen.boards.memories.memories`.
    family : str
        Name of the FPGA family.

    Returns
    -------
    dict
        A number for each of :data:`TERMS`.
    """
    columns = hardware.adcs_per_crossbar * hardware.emulation_lanes
    bits = columns * hardware.group_rows
    return {
        "unit": 1,
        "split": 0 if hardware.merged else 2 * hardware.planes * hardware.cell_bits * bits,
        "merged": hardware.merged_bits * bits if hardware.merged else 0,
        "sums": hardware.adcs_per_crossbar * hardware.result_bits,
        "rows": hardware.group_rows * hardware.emulation_lanes,
        "stored": sum(
            count * shape.width * shape.depth * shape.reads
            for shape, count in found.items()
            if not block_rams(shape, family)
        ),
    }


_LONE_LUTS = (200, 0.25)
"""Logic cells of an iCE40 without a flip-flop: so many, and a share of the LUTs."""

_WEIGHTS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "ice40": {
        "LUT": {
            "unit": 234,
            "split": 1.51,
            "merged": 0.658,
            "sums": 15,
            "rows": 6.08,
            "stored": 0.802,
        },
        "FF": {
            "unit": 1170,
            "split": 4.77,
            "merged": 4.43,
            "sums": 0,
            "rows": 6.25,
            "stored": 1.06,
        },
    },
    "ecp5": {
        "LUT": {
            "unit": 119,
            "split": 1.2,
            "merged": 0.614,
            "sums": 15.1,
            "rows": 4.35,
            "stored": 0.0853,
        },
        "FF": {
            "unit": 982,
            "split": 4.05,
            "merged": 3.28,
            "sums": 0.903,
            "rows": 9.16,
            "stored": 0.185,
        },
    },
    "xilinx7": {
        "LUT": {
            "unit": 410,
            "split": 1.29,
            "merged": 0.947,
            "sums": 0,
            "rows": 0,
            "stored": 0.0459,
        },
        "FF": {
            "unit": 655,
            "split": 3.86,
            "merged": 4.27,
            "sums": 5.06,
            "rows": 12.8,
            "stored": 0.119,
        },
    },
}
"""Of the terms, for LUTs and flip-flops of a family."""


def estimate(design: Design, family: str) -> dict[str, int]:
    """Return what a design takes of each of :data:`rtl_gen.boards.families.FIGURES`.

    Parameters
    ----------
    design : Design
    family : str
        Name of the FPGA family.
    """
    found = memories(design.component)
    values = terms(design.hardware, found, family)
    used = {
        figure: sum(weight * values[term] for term, weight in weights.items())
        for figure, weights in _WEIGHTS[family].items()
    }
    if family == "ice40":
        # Logic cells: some LUTs stand before a flip-flop and share its cell.
        used["LUT"] = used["FF"] + _LONE_LUTS[0] + _LONE_LUTS[1] * used["LUT"]
    blocks = sum(count * block_rams(shape, family) for shape, count in found.items())
    return {"LUT": round(used["LUT"]), "FF": round(used["FF"]), "block_RAM": blocks}


def _scaled(used: Mapping[str, int], factor: float) -> dict[str, int]:
    """Return LUTs and flip-flops times a factor; block RAMs are exact."""
    return {
        figure: count if figure == "block_RAM" else round(count * factor)
        for figure, count in used.items()
    }


def least(design: Design, family: str) -> dict[str, int]:
    """Return what a design takes at least, should the estimate be too high."""
    return _scaled(estimate(design, family), 1 - MARGIN)


def fits(board: Board, design: Design) -> bool:
    """Return whether a design fits on a board, even should the estimate be too low."""
    used = _scaled(estimate(design, board.family.name), 1 + MARGIN)
    return not short_of(used, board.capacity)


def largest_square(
    board: Board, hardware: HardwareParams, design: Callable[[HardwareParams], Design]
) -> int | None:
    """Return the rows and columns of the largest square crossbar that fits on a board.

    Parameters
    ----------
    board : Board
    hardware : HardwareParams
        Of a unit; rows and columns do not matter.
    design : callable
        Returns the design with such a unit.

    Returns
    -------
    int or None
        A multiple of 4; None if not even the smallest one fits.
    """

    def possible(size: int) -> bool:
        try:
            sized = replace(hardware, rows=size, cols=size)
        except ParameterError:
            # More active rows than there are, for example.
            return True
        return fits(board, design(sized))

    low, high = 0, _SIZE_MAX // _SIZE_STEP
    while low < high:
        middle = (low + high + 1) // 2
        if possible(middle * _SIZE_STEP):
            low = middle
        else:
            high = middle - 1
    return low * _SIZE_STEP or None
