"""Cases of :class:`sme_hw.bus.register_file.RegisterFile`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.register_file import RegisterModel
from sme_hw.bus.register_file import RegisterFile
from sme_hw.bus.registers import Access, Register, address_bits, register_map

from .case import SEED, Case, Clocked, Expected, Values
from .hardware import HARDWARE

__all__ = ["cases"]

ACCESSES = 300

SETS = {"slc": 1, "sets-reordered": 3}
"""Parameter sets, with compute units."""


def _fields(registers: tuple[Register, ...], access: Access) -> dict[str, int]:
    """Return ports of one kind, with their widths."""
    return {
        f"{register.name}_{field.name}": field.bits
        for register in registers
        for field in register.fields
        if field.access is access
    }


def _phase(registers: tuple[Register, ...]) -> Clocked:
    """Access registers at random, also those that are not there."""
    rng = np.random.default_rng(SEED)
    model = RegisterModel(registers)
    inputs, pulses = _fields(registers, Access.READ), _fields(registers, Access.PULSE)
    clocks: list[tuple[Values, Expected]] = []
    quiet = dict.fromkeys(pulses, 0)
    for _ in range(ACCESSES):
        shown = {name: int(rng.integers(1 << bits)) for name, bits in inputs.items()}
        number = int(rng.integers(1 << address_bits(registers)))
        write = int(rng.integers(2))
        data = int(rng.integers(1 << 32))
        strobe = rng.integers(2, size=4).tolist()
        request = {
            "bus__valid": 1,
            "bus__write": write,
            "bus__address": number,
            "bus__data": data,
            "bus__strobe": sum(bit << k for k, bit in enumerate(strobe)),
        }
        clocks.append((shown | request, {"bus__done": 0} | dict(model.written) | quiet))
        word, error = model.read(number, shown)
        made: set[str] = set()
        if write:
            made, error = model.write(number, data, strobe)
        answer: dict[str, int] = {"bus__done": 1, "bus__error": int(error)}
        if not write:
            answer["bus__read_data"] = word
        now = {name: int(name in made) for name in pulses}
        # The request stands in the clock of its answer, and must not be taken twice.
        clocks.append(({}, answer | dict(model.written) | now))
        if rng.integers(2):
            clocks.append(({"bus__valid": 0}, {"bus__done": 0} | quiet))
    return Clocked("random accesses", [({"bus__valid": 0}, {}), *clocks, ({"bus__valid": 0}, {})])


def cases() -> Iterator[Case]:
    """Yield one case per number of units."""
    for name, units in SETS.items():
        registers = register_map(HARDWARE[name], units)
        yield Case(
            f"register_file-{name}",
            lambda registers=registers: RegisterFile(registers=registers),
            [_phase(registers)],
        )
