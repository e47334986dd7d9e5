"""Reference of :class:`sme_hw.configuration.Configuration`."""

from sme_hw.program import MODE_CLEAR, MODE_ENABLE, Control

__all__ = ["configuration"]


def configuration(writes: list[tuple[int, int]]) -> dict[str, int]:
    """Return the registers after writes of (entry, value), right after the last one.

    ``clear`` is 1 only if the last write asked for it.
    """
    registers = {register.name.lower(): 0 for register in list(Control)[1:]}
    registers |= {"enable": 0, "clear": 0}
    for entry, value in writes:
        registers["clear"] = 0
        if entry == Control.MODE:
            registers["enable"] = int(value & MODE_ENABLE != 0)
            registers["clear"] = int(value & MODE_CLEAR != 0)
        else:
            registers[Control(entry).name.lower()] = value
    return registers
