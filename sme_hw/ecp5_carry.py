"""Adders of the ECP5's carry cells: what :mod:`sme_hw.bit_heap` builds for that target."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth import Const, Instance, Module, Signal, Value

from .params import ceil_div

__all__ = ["CHAIN_POSITIONS", "FEW_CHAINS", "Adder", "add_chains"]

CHAIN_POSITIONS = 48
"""About the most positions of a carry chain; chains joined in pairs have up to twice as many.

Timing analysis follows carries through a whole chain, although they end at adders."""

FEW_CHAINS = 4
"""Up to so many chains are joined in pairs.

Leading carries in and out costs four LUT4 a chain: a tenth of a popcount, and a unit with clipping
ADCs has one for every crossbar."""


@dataclass(frozen=True)
class Adder:
    """A small adder in a carry chain.

    Parameters
    ----------
    carry_in : one-bit Value
    operands : sequence of sequences of one-bit Value
        Bits added at each position. Three of them, one of which may be the second carry of the
        position before, give two carries; the last position has one carry, which is ``total``'s
        highest bit.
    total : Signal
        The sum: a bit for each position and one more.
    """

    carry_in: Value
    operands: Sequence[Sequence[Value]]
    total: Signal


@dataclass(frozen=True)
class _Position:
    """Half a CCU2C: a LUT4 decides whether the carry goes on, and ``generate`` replaces it if not.

    Parameters
    ----------
    table : int
        The LUT4's truth table, A the lowest bit of the index. It is the sum without carry; its
        first four bits are ``generate`` as function of A and B.
    inputs : sequence of one-bit Value
        A, B, C, D; the last ones may be missing, and are 1.
    total : Value, optional
        What the sum is assigned to.
    """

    table: int
    inputs: Sequence[Value]
    total: Value | None


_SEPARATOR = 0x00AA
"""The sum is the carry that arrives; A is the carry that leaves."""

_PASS = _Position(0xFFFF, (), None)
"""The carry goes on."""

_FIRST = {1: 0xAAAA, 2: 0x66AA, 3: 0x96AA}
"""By number of operands: their parity. A is the carry if the parity is 0.

With three operands, B & C are the second carry: it is not in ``generate`` yet."""

_NEXT = {0: 0xF000, 1: 0x5AAA, 2: 0x9666}
"""By number of operands: the parity of C & D, which is the second carry, and the operands.

With two operands, A ^ B is the carry if the parity is 0, and A & B the second carry."""


def add_chains(m: Module, adders: Sequence[Adder], *, name: str) -> None:
    """Add in carry chains of CCU2C cells; combinational.

    Additions of n positions cost n + 1, as between two adders, a separator gives the lower one's
    carry to its sum and begins the upper one with its carry-in. The first carry-in and the last
    carry use the two cells that nextpnr leads into and out of every chain.

    A position with three operands has two carries. The first one is a unless the carry that
    arrives goes on, the second one b & c. Only the first one takes the carry chain; the next
    position makes the second one again in its own LUT, and adds two more operands (reconstructed).

    Parameters
    ----------
    m : Module
        Where the cells go.
    adders : sequence of Adder
    name : str
        Prefix of the cells' names: ``<name>_<chain>_<cell>``.
    """
    for number, chain in enumerate(_chains(adders)):
        positions: list[_Position] = []
        for below, adder in zip((None, *chain), chain, strict=False):
            if below is not None:
                positions.append(_Position(_SEPARATOR, (adder.carry_in,), below.total[-1]))
            positions += _positions(adder)
        if len(positions) % 2:
            positions.append(_PASS)
        carry = chain[0].carry_in
        for index, halves in enumerate(zip(positions[::2], positions[1::2], strict=True)):
            last = 2 * index + 2 == len(positions)
            carry_out = chain[-1].total[-1] if last else Signal(name=f"{name}_{number}_{index}_c")
            cell = Instance("CCU2C", i_CIN=carry, o_COUT=carry_out, **_halves(halves))
            m.submodules[f"{name}_{number}_{index}"] = cell
            carry = carry_out


def _chains(adders: Sequence[Adder]) -> list[list[Adder]]:
    """Distribute adders over chains of about the same length."""
    total = sum(len(adder.operands) + 1 for adder in adders)
    count = ceil_div(total, CHAIN_POSITIONS)
    if count <= FEW_CHAINS:
        count = ceil_div(count, 2)
    chains: list[list[Adder]] = [[] for _ in range(count)]
    before = 0
    for adder in adders:
        chains[before * count // total].append(adder)
        before += len(adder.operands) + 1
    return [chain for chain in chains if chain]


def _positions(adder: Adder) -> list[_Position]:
    """Return the positions of an adder."""
    positions = []
    second_carry: tuple[Value, ...] = ()
    for operands, total in zip(adder.operands, adder.total, strict=False):
        if second_carry:
            padding = [Const(1, 1)] * (2 - len(operands))
            inputs = (*operands, *padding, *second_carry)
            positions.append(_Position(_NEXT[len(operands)], inputs, total))
            second_carry = tuple(operands) if len(operands) == 2 else ()
        else:
            positions.append(_Position(_FIRST[len(operands)], tuple(operands), total))
            second_carry = tuple(operands[1:]) if len(operands) == 3 else ()
    return positions


def _halves(positions: Sequence[_Position]) -> dict[str, object]:
    """Return what a CCU2C is told about its two positions, its carries apart."""
    ports: dict[str, object] = {}
    for half, position in enumerate(positions):
        ports[f"p_INIT{half}"] = Const(position.table, 16)
        ports[f"p_INJECT1_{half}"] = "NO"
        for i, pin in enumerate("ABCD"):
            value = position.inputs[i] if i < len(position.inputs) else Const(1, 1)
            ports[f"i_{pin}{half}"] = value
        if position.total is not None:
            ports[f"o_S{half}"] = position.total
    return ports
