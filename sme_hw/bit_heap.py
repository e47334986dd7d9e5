"""Pipelined addition of many bits of different weights: popcounts, splicing, merged planes."""

from collections.abc import Iterator, Sequence
from itertools import islice

from amaranth import Cat, Const, Module, Signal, Value

from .ecp5_carry import Adder, add_chains
from .heap_plan import Field, Stage, heap_plan, wide_heap_plan
from .target import target_of

__all__ = ["CHAIN_POSITIONS", "bit_heap"]

CHAIN_POSITIONS = 72
"""Longest carry chain. Synthesis sees a chain as one adder, although carries end at fields."""


def bit_heap(
    m: Module, columns: Sequence[Sequence[Value]], *, name: str, platform: object
) -> Value:
    """Add bits; the sum follows them by :func:`sme_hw.cycles.bit_heap_latency` clocks.

    Small adders lie side by side in the carry chains of a few wide ones, which every FPGA has
    hardware for. Between two of them is a separator: both operands have the carry-in of the
    upper one there, so that it is handed on whatever arrives, and the sum is the lower one's
    carry. An addition of n bit pairs and a carry so costs n + 1 positions (reconstructed).

    For the target ``ecp5``, the chains are made of the cells themselves, which can take a third
    bit at some positions (:mod:`sme_hw.ecp5_carry`).

    Parameters
    ----------
    m : Module
        Where the adders go.
    columns : sequence of sequences of one-bit Value
        Bits of each binary weight, from weight 0.
    name : str
        Prefix of the registers' names: ``<name>_<stage>_<weight>``.
    platform : object
        What the component that this is a part of is elaborated for.

    Returns
    -------
    Value
        The unsigned sum.
    """
    bits = [list(column) for column in columns]
    heights = tuple(len(column) for column in bits)
    # Adding two or three bits takes fewer LUTs than leading a chain's carry in and out.
    ecp5 = target_of(platform) == "ecp5" and sum(heights) > 3
    adders: list[Adder] = []
    for number, stage in enumerate(wide_heap_plan(heights) if ecp5 else heap_plan(heights), 1):
        stage_name = f"{name}_{number}"
        if ecp5:
            bits = _instantiate(bits, stage, adders, stage_name)
        else:
            bits = _add(m, bits, stage, stage_name)
        for weight, column in enumerate(bits):
            register = Signal(len(column), name=f"{name}_{number}_{weight}", reset_less=True)
            m.d.sync += register.eq(Cat(column))
            bits[weight] = list(register)
    # Of all stages together: fewer chains have fewer ends.
    add_chains(m, adders, name=f"{name}_chain")
    return Cat(column[0] if column else Const(0, 1) for column in bits)


def _add(m: Module, bits: list[list[Value]], stage: Stage, name: str) -> list[list[Value]]:
    """Return the heap after a stage's adders, which take their bits from the front."""
    result: list[list[Value]] = [[] for _ in range(len(bits) + 1)]
    waiting = [iter(column) for column in bits]
    for number, chain in enumerate(_chains(stage)):
        low: list[Value] = []
        high: list[Value] = []
        outputs: list[int] = []  # weight of each position's sum; -1: there is none
        carry_weight = -1
        for field in chain:
            if low or field.carry_in:
                carry = next(waiting[field.weight]) if field.carry_in else Const(0, 1)
                low.append(carry)
                high.append(carry)
                outputs.append(carry_weight)
            for position, taken in enumerate(field.takes):
                weight = field.weight + position
                low.append(next(waiting[weight]))
                high.append(next(waiting[weight]) if taken == 2 else Const(0, 1))
                outputs.append(weight)
            carry_weight = field.weight + len(field.takes)
        outputs.append(carry_weight)
        total = Signal(len(outputs), name=f"{name}_chain_{number}")
        m.d.comb += total.eq(Cat(low) + Cat(high))
        for weight, bit in zip(outputs, total, strict=True):
            if weight >= 0:
                result[weight].append(bit)
    for weight, column in enumerate(waiting):
        result[weight] += column
    return result if result[-1] else result[:-1]


def _instantiate(
    bits: list[list[Value]], stage: Stage, adders: list[Adder], name: str
) -> list[list[Value]]:
    """Return the heap after a stage, and append its adders, which take bits from the front."""
    result: list[list[Value]] = [[] for _ in range(len(bits) + 2)]
    waiting = [iter(column) for column in [*bits, [], []]]
    for number, field in enumerate(stage):
        carry_in = next(waiting[field.weight]) if field.carry_in else Const(0, 1)
        operands = [
            list(islice(waiting[weight], taken))
            for weight, taken in enumerate(field.takes, field.weight)
        ]
        total = Signal(len(operands) + 1, name=f"{name}_sum_{number}")
        adders.append(Adder(carry_in, operands, total))
        for weight, bit in enumerate(total, field.weight):
            result[weight].append(bit)
    for weight, column in enumerate(waiting):
        result[weight] += column
    while not result[-1]:
        result.pop()
    return result


def _chains(stage: Stage) -> Iterator[list[Field]]:
    """Distribute a stage's adders over carry chains."""
    chain: list[Field] = []
    length = 1
    for field in stage:
        size = len(field.takes) + 1
        if chain and length + size > CHAIN_POSITIONS:
            yield chain
            chain, length = [], 1
        chain.append(field)
        length += size
    if chain:
        yield chain
