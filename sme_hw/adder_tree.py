"""Pipelined addition of many values: the popcount of a crossbar column and the splice share it."""

from collections.abc import Sequence

from amaranth import Module, Signal, Value

from .cycles import TREE_LEVELS_PER_STAGE

__all__ = ["adder_tree"]


def adder_tree(m: Module, terms: Sequence[Value], *, name: str) -> Value:
    """Add ``terms`` in a tree of two-operand adders with registers between its stages.

    The result follows the terms by :func:`sme_hw.cycles.adder_tree_latency` clocks. Widths grow
    with the levels, so nothing overflows.

    Parameters
    ----------
    m : Module
        Where the adders go.
    terms : sequence of Value
        At least one, signed or unsigned.
    name : str
        Prefix of the registers' names.
    """
    level = 0
    values = list(terms)
    while len(values) > 1:
        pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
        values = [pair[0] + pair[1] if len(pair) == 2 else pair[0] for pair in pairs]
        level += 1
        if level % TREE_LEVELS_PER_STAGE == 0 or len(values) == 1:
            registers = [
                Signal(v.shape(), name=f"{name}_{level}_{i}", reset_less=True)
                for i, v in enumerate(values)
            ]
            m.d.sync += [r.eq(v) for r, v in zip(registers, values, strict=True)]
            values = registers
    return values[0]
