"""The registers of a unit, as their description says."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .register_bus import WORD_BITS, RegisterBus
from .registers import Access, Field, Register, address_bits

__all__ = ["RegisterFile"]


class RegisterFile(wiring.Component):
    """Answer accesses one clock after they come.

    Parameters
    ----------
    registers : tuple of Register

    Members
    -------
    bus : In(RegisterBus)
        Accesses. A register that is not there, and a write to one without anything to write, are
        errors, and do nothing.
    ``*_*``
        ``<register>_<field>``: every field but constants, an input where it is only read, an output
        where it is written. One that does something once is 1 for one clock, that of the answer.
    """

    def __init__(self, *, registers: tuple[Register, ...]):
        self.registers = registers
        members: dict[str, object] = {"bus": In(RegisterBus(address_bits=address_bits(registers)))}
        for register in registers:
            for field in register.fields:
                name = f"{register.name}_{field.name}"
                if field.access is Access.READ:
                    members[name] = In(field.bits)
                elif field.access is not Access.CONSTANT:
                    members[name] = Out(field.bits, init=field.value)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the registers, and the choice of what is read."""
        m = Module()
        bus = self.bus
        taken = Signal()
        known = Signal()
        writable = Signal()
        word = Signal(WORD_BITS)
        mask = Signal(WORD_BITS)
        m.d.comb += [
            taken.eq(bus.valid & ~bus.done),
            mask.eq(Cat(bit.replicate(8) for bit in bus.strobe)),
        ]
        m.d.sync += [
            bus.done.eq(taken),
            bus.read_data.eq(word),
            bus.error.eq(~known | (bus.write & ~writable)),
        ]
        for register in self.registers:
            for field in register.fields:
                if field.access is Access.PULSE:
                    m.d.sync += self._member(register, field).eq(0)
        with m.Switch(bus.address):
            for number, register in enumerate(self.registers):
                with m.Case(number):
                    m.d.comb += [known.eq(1), writable.eq(register.writable)]
                    for field in register.fields:
                        place = slice(field.offset, field.offset + field.bits)
                        if field.access is Access.CONSTANT:
                            m.d.comb += word[place].eq(Const(field.value, field.bits))
                            continue
                        value = self._member(register, field)
                        if field.access is Access.PULSE:
                            with m.If(taken & bus.write):
                                m.d.sync += value.eq(bus.data[place] & mask[place])
                            continue
                        m.d.comb += word[place].eq(value)
                        if field.access is Access.WRITE:
                            with m.If(taken & bus.write):
                                m.d.sync += value.eq(
                                    (bus.data[place] & mask[place]) | (value & ~mask[place])
                                )
        return m

    def _member(self, register: Register, field: Field) -> Signal:
        return getattr(self, f"{register.name}_{field.name}")
