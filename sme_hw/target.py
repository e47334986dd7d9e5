"""Which body a component gets: portable code, or primitives of an FPGA family."""

from amaranth import Const, Value

__all__ = ["TARGETS", "pins", "target_of"]

TARGETS = ("portable", "ecp5")
"""``portable`` is read by every tool; ``ecp5`` has cells of the Lattice ECP5.

These are carry chains, block RAMs with their output registers, and the multiplier. Ports, latencies
and results are the same."""


def target_of(platform: object) -> str:
    """Return what a platform builds for: its ``target``, or portable code if it has none.

    :class:`rtl_gen.emit.ModuleLibrary` has one; simulation and other platforms do not.
    """
    return getattr(platform, "target", TARGETS[0])


def pins(prefix: str, value: Value, count: int) -> dict[str, Value]:
    """Return the bits of a value, zeros above, by the names of a primitive's single pins."""
    return {f"{prefix}{i}": value[i] if i < len(value) else Const(0, 1) for i in range(count)}
