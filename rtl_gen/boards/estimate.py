"""What a unit takes on an FPGA, without a synthesis, and the largest one that fits.

Block RAMs follow from the shapes of the memories. LUTs and flip-flops are a sum of few terms,
fitted to syntheses of compute units (``python -m benchmarks.board_estimate``, which also says how
far off it is).
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

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
    "weigh",
]

MARGIN = 0.15
"""Share of LUTs and flip-flops that the estimate may be off; a unit fits if it does with that."""

_SIZE_STEP = 4
_SIZE_MAX = 512

TERMS = (
    "unit",
    "heap",
    "codes",
    "counters",
    "sums",
    "rows",
    "beat",
    "index",
    "skip",
    "sets",
    "stored",
)
"""What LUTs and flip-flops are estimated from, see :func:`terms`."""

WEIGHTS_FILE = Path(__file__).with_name("weights.json")
"""Weights of the terms, for LUTs and flip-flops of every family."""


@dataclass(frozen=True)
class Design:
    """A component that is to be built, and what the compute units in it are built for.

    Parameters
    ----------
    component : wiring.Component
        Not elaborated yet.
    hardware : HardwareParams
    units : int
    link : str
        How a host reaches them, as of a board; empty for a compute unit alone.
    """

    component: wiring.Component
    hardware: HardwareParams
    units: int = 1
    link: str = ""


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
    # Flip-flops; single bits are two bits wide, each written alone, and chosen behind the memory.
    "ice40": _Memories(((16, 256), (8, 512), (4, 1024), (2, 2048), (1, 4096)), 64, 1, (1, 1)),
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

    Each is roughly what one part of a unit grows with: ``heap``, the bits that all bit heaps add in
    a clock; ``codes``, those of all ADC codes; ``counters``, of clips; ``sums``, the bits of the
    accumulators; ``rows``, word lines; ``beat``, bits of a beat of inputs, and ``index`` where
    inputs go to any row; ``skip``, masks of bit-cycles; ``sets``, more than one of weights;
    ``stored``, bits of memories that are no block RAMs; and ``unit``, 1 for all the rest.

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
    lanes = hardware.emulation_lanes
    columns = hardware.adcs_per_crossbar * lanes
    weight_bits = hardware.planes * hardware.cell_bits
    split = 0 if hardware.merged else 1
    return {
        "unit": 1,
        "heap": (2 * weight_bits if split else hardware.merged_bits)
        * columns
        * hardware.group_rows,
        "codes": 2 * split * sum(hardware.plane_code_bits) * columns,
        "counters": split * hardware.planes,
        "sums": hardware.adcs_per_crossbar * hardware.result_bits,
        "rows": hardware.group_rows * lanes,
        "beat": hardware.inputs_per_beat * hardware.converted_bits,
        "index": hardware.input_index * hardware.inputs_per_beat * hardware.input_bits,
        "skip": hardware.zero_skip * hardware.converted_bits * hardware.slots,
        "sets": hardware.weight_sets - 1,
        "stored": sum(
            count * shape.width * shape.depth * shape.reads
            for shape, count in found.items()
            if not block_rams(shape, family)
        ),
    }


@cache
def _weights() -> dict[str, dict[str, dict[str, float]]]:
    return json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))


_LINKS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "": {},
    "uart": {
        # Logic cells of one design that nextpnr packed: few LUTs share a cell with a flip-flop.
        "ice40": {"LUT": 1670, "FF": 790},
        "ecp5": {"LUT": 1330, "FF": 780},
        "xilinx7": {"LUT": 980, "FF": 790},
    },
    "axi": {"xilinx7": {"LUT": 350, "FF": 430}},
}
"""What registers, streams and link take around a unit of the preset tiny, by Yosys if not said."""

_LONE_LUTS = (200, 0.25)
"""Logic cells of an iCE40 without a flip-flop: so many, and a share of the LUTs."""


def weigh(
    hardware: HardwareParams, found: Counter[MemoryShape], family: str, units: int = 1
) -> dict[str, int]:
    """Return what units take of each of :data:`rtl_gen.boards.families.FIGURES`.

    Parameters
    ----------
    hardware : HardwareParams
    found : Counter
        The design's :func:`rtl_gen.boards.memories.memories`.
    family : str
        Name of the FPGA family.
    units : int
    """
    values = {
        # Memories are those of all units.
        term: value if term == "stored" else units * value
        for term, value in terms(hardware, found, family).items()
    }
    used = {
        figure: sum(weight * values[term] for term, weight in weights.items())
        for figure, weights in _weights()[family].items()
    }
    if family == "ice40":
        # Logic cells: some LUTs stand before a flip-flop and share its cell.
        used["LUT"] = used["FF"] + _LONE_LUTS[0] + _LONE_LUTS[1] * used["LUT"]
    blocks = sum(count * block_rams(shape, family) for shape, count in found.items())
    return {"LUT": round(used["LUT"]), "FF": round(used["FF"]), "block_RAM": blocks}


def estimate(design: Design, family: str) -> dict[str, int]:
    """Return what a design takes: :func:`weigh` with its memories, and its link."""
    used = weigh(design.hardware, memories(design.component), family, design.units)
    link = _LINKS[design.link].get(family, {})
    return {figure: count + link.get(figure, 0) for figure, count in used.items()}


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
    sizes = []
    for size in range(_SIZE_STEP, _SIZE_MAX + 1, _SIZE_STEP):
        # More active rows than there are, for example.
        with suppress(ParameterError):
            sizes.append(replace(hardware, rows=size, cols=size))
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        if fits(board, design(sizes[middle])):
            low = middle + 1
        else:
            high = middle
    return sizes[low - 1].rows if low else None
