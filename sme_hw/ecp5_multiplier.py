"""The ECP5's multiplier, with its own registers."""

from amaranth import ClockSignal, Const, Instance, Module, Signal, Value, signed

from .target import pins

__all__ = ["MULT18X18D_WIDTH", "multiply"]

MULT18X18D_WIDTH = 18
"""Bits of either operand, their sign included."""


def multiply(m: Module, a: Value, b: Value) -> Signal:
    """Return the product of two numbers two clocks later.

    The two clocks are the input registers and the output register of a MULT18X18D. Yosys does not
    infer them, and without, the multiplier alone takes 4 ns (nextpnr, speed grade 6;
    reconstructed).

    Parameters
    ----------
    m : Module
    a, b : Value
        Each fits into a signed number of :data:`MULT18X18D_WIDTH` bits.

    Returns
    -------
    Signal, shape signed(36)
    """
    product = Signal(signed(2 * MULT18X18D_WIDTH))
    operand_a, operand_b = (
        Signal(signed(MULT18X18D_WIDTH), name=name) for name in ("operand_a", "operand_b")
    )
    m.d.comb += [operand_a.eq(a), operand_b.eq(b)]
    m.submodules.multiplier = Instance(
        "MULT18X18D",
        p_REG_INPUTA_CLK="CLK0",
        p_REG_INPUTB_CLK="CLK0",
        p_REG_OUTPUT_CLK="CLK0",
        p_GSR="DISABLED",
        i_CLK0=ClockSignal(),
        i_CE0=Const(1, 1),
        i_RST0=Const(0, 1),
        i_SIGNEDA=Const(1, 1),
        i_SIGNEDB=Const(1, 1),
        i_SOURCEA=Const(0, 1),
        i_SOURCEB=Const(0, 1),
        **pins("i_A", operand_a, MULT18X18D_WIDTH),
        **pins("i_B", operand_b, MULT18X18D_WIDTH),
        **pins("o_P", product, 2 * MULT18X18D_WIDTH),
    )
    return product
