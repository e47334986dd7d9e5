"""Reference of :class:`sme_hw.bus.register_file.RegisterFile`."""

from collections.abc import Iterable, Mapping, Sequence

from sme_hw.bus.registers import Access, Register

__all__ = ["RegisterModel"]


class RegisterModel:
    """Registers that answer accesses one after the other.

    Parameters
    ----------
    registers : sequence of Register
    """

    def __init__(self, registers: Sequence[Register]):
        self._registers = registers
        self.written = {
            f"{register.name}_{field.name}": field.value
            for register in registers
            for field in register.fields
            if field.access is Access.WRITE
        }
        """Fields that keep what is written, by the names of the module's ports."""

    def read(self, number: int, inputs: Mapping[str, int]) -> tuple[int, bool]:
        """Return the word that is read, and whether that is an error.

        ``inputs`` are the fields that the hardware sets, by the names of the module's ports.
        """
        if number >= len(self._registers):
            return 0, True
        register, word = self._registers[number], 0
        for field in register.fields:
            name = f"{register.name}_{field.name}"
            value = {
                Access.CONSTANT: field.value,
                Access.READ: inputs.get(name, 0),
                Access.WRITE: self.written.get(name, 0),
                Access.PULSE: 0,
            }[field.access]
            word |= value << field.offset
        return word, False

    def write(self, number: int, data: int, strobe: Iterable[int]) -> tuple[set[str], bool]:
        """Write bytes whose strobe is 1; return the pulses of that, and whether it is an error."""
        if number >= len(self._registers) or not self._registers[number].writable:
            return set(), True
        mask = sum(0xFF << 8 * byte for byte, on in enumerate(strobe) if on)
        pulses = set()
        register = self._registers[number]
        for field in register.fields:
            name = f"{register.name}_{field.name}"
            own = (1 << field.bits) - 1
            value, changed = data >> field.offset & own, mask >> field.offset & own
            if field.access is Access.WRITE:
                self.written[name] = self.written[name] & ~changed | value & changed
            elif field.access is Access.PULSE and value & changed:
                pulses.add(name)
        return pulses, False
