"""The registers of an SME unit by name, over any bus: needs Python, and nothing else.

On a Zynq board with PYNQ, for example::

    table = json.loads(Path("design.json").read_text())["axi"]["registers"]
    mmio = pynq.MMIO(base_address, 4096)
    registers = Registers(table, mmio.read, mmio.write)
    assert registers.read("fingerprint_low") == table[2]["fields"][0]["value"]
    registers.write("clip_select", plane=3)
    print(registers.read("clips"), registers.read("status")["busy"])
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

WRITABLE = ("read and write", "write 1")
"""Kinds of access of fields that can be written."""


class Registers:
    """Read and write registers by name.

    Parameters
    ----------
    table : sequence of mappings
        The entry ``axi.registers`` of ``design.json``, or ``registers`` of ``build.json``.
    read : callable (address) -> int
        Reads 32 bits at a byte address from the unit's first register on.
    write : callable (address, value)
        Writes 32 bits.
    """

    def __init__(
        self,
        table: Sequence[Mapping[str, Any]],
        read: Callable[[int], int],
        write: Callable[[int, int], object],
    ):
        self._table = {register["name"]: register for register in table}
        self._read, self._write = read, write

    def read(self, name: str) -> Any:
        """Return a register: an integer if it has a single field, else a dict of its fields.

        Raises
        ------
        KeyError
            There is no such register.
        """
        register = self._register(name)
        word = self._read(register["address"])
        fields = {
            field["name"]: word >> field["offset"] & (1 << field["bits"]) - 1
            for field in register["fields"]
        }
        return fields if len(fields) > 1 else next(iter(fields.values()))

    def write(self, name: str, **values: int) -> None:
        """Set fields of a register; its other fields keep their values.

        Raises
        ------
        KeyError
            There is no such register, or no such field that can be written.
        ValueError
            A value has more bits than its field.
        """
        register = self._register(name)
        fields = {f["name"]: f for f in register["fields"] if f["access"] in WRITABLE}
        unknown = [key for key in values if key not in fields]
        if unknown or not fields:
            raise KeyError(f"{name}: {unknown} cannot be written, only {sorted(fields)} can")
        word = 0
        if any(f["access"] == WRITABLE[0] and key not in values for key, f in fields.items()):
            word = self._read(register["address"])
        for key, value in values.items():
            field = fields[key]
            mask = (1 << field["bits"]) - 1
            if not 0 <= value <= mask:
                raise ValueError(f"{name}.{key} = {value}: 0..{mask} is needed")
            word = word & ~(mask << field["offset"]) | value << field["offset"]
        self._write(register["address"], word)

    def _register(self, name: str) -> Mapping[str, Any]:
        if name not in self._table:
            raise KeyError(f"there is no register {name!r}, but {sorted(self._table)}")
        return self._table[name]
