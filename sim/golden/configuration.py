"""Reference of :class:`sme_hw.configuration.Configuration`."""

from sme_hw.program import MODE_CLEAR, MODE_ENABLE, Control

__all__ = ["configuration"]


def configuration(writes: list[tuple[int, int, int]], sets: int = 1) -> dict[str, list[int]]:
    """Return the registers after writes of (set, entry, value), right after the last one.

    Each has a value per weight set, but ``enable`` and ``clear`` are common and have one. ``clear``
    is 1 only if the last write asked for it.
    """
    registers = {register.name.lower(): [0] * sets for register in list(Control)[1:]}
    registers |= {"enable": [0], "clear": [0]}
    for weight_set, entry, value in writes:
        registers["clear"] = [0]
        if entry == Control.MODE:
            registers["enable"] = [int(value & MODE_ENABLE != 0)]
            registers["clear"] = [int(value & MODE_CLEAR != 0)]
        else:
            registers[Control(entry).name.lower()][weight_set] = value
    return registers
