"""What weight sets add to modules; a unit that holds a single tile gets no trace of them."""

from typing import Any

from amaranth import Array, Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import data

from .params import HardwareParams

__all__ = ["delayed_set", "of_set", "per_set", "set_address", "set_field", "set_of"]


def set_field(hardware: HardwareParams, name: str = "set") -> dict[str, int]:
    """Return the field or port width that names a set, none where there is only one.

    A field of no width would be emitted as ``[-1:0]``.
    """
    return {name: hardware.set_bits} if hardware.set_bits else {}


def set_of(holder: Any) -> Value:
    """Return the set that a payload or an interface names; no bits where there is only one."""
    return getattr(holder, "set", Const(0, 0))


def per_set(hardware: HardwareParams, width: int) -> Any:
    """Return the shape of an unsigned value that every set has."""
    if not hardware.set_bits:
        return unsigned(width)
    return data.ArrayLayout(unsigned(width), hardware.weight_sets)


def of_set(values: Any, number: Value) -> Any:
    """Return the value of set ``number``, which can also be assigned to."""
    if not len(number):
        return values
    return Array(values[s] for s in range(values.shape().length))[number]


def set_address(entry: Value, entries: int, number: Value) -> Value:
    """Return where ``entry``, below ``entries``, of a set is in a memory of all sets.

    The set has the upper address bits: see :meth:`sme_hw.params.HardwareParams.in_sets`.
    """
    return Cat(entry[: (entries - 1).bit_length()], number) if len(number) else entry


def delayed_set(m: Module, number: Value, name: str, enable: Value | None = None) -> Value:
    """Return the number of a set one clock later; with ``enable``, that of the last such clock."""
    if not len(number):
        return number
    later = Signal(len(number), name=name, reset_less=True)
    with m.If(Const(1, 1) if enable is None else enable):
        m.d.sync += later.eq(number)
    return later
