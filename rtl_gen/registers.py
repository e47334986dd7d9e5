"""Registers for software: a C header, a Python class, and a table for people."""

from collections.abc import Sequence
from importlib import resources

from sme_hw.bus.registers import Access, Register

__all__ = ["c_header", "markdown_table", "register_files"]

_HEADER, _TABLE, _CLASS = "sme_registers.h", "registers.md", "sme_registers.py"


def register_files(registers: Sequence[Register], top: str) -> dict[str, str]:
    """Return what software needs of registers, text by file name.

    Parameters
    ----------
    registers : sequence of Register
    top : str
        Name of the design.
    """
    return {
        _HEADER: c_header(registers, top),
        _TABLE: markdown_table(registers),
        _CLASS: resources.files("rtl_gen.host").joinpath(_CLASS).read_text(encoding="utf-8"),
    }


def c_header(registers: Sequence[Register], top: str) -> str:
    """Return a C header with addresses, fields and constants.

    Parameters
    ----------
    registers : sequence of Register
    top : str
        Name of the design.
    """
    guard = f"{top.upper()}_REGISTERS_H"
    lines = [
        f"/* Registers of {top}: byte addresses from its first one on, fields of 32-bit words. */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#include <stdint.h>",
        "",
        "/* A field of a word that was read, and a field's value in a word to be written. */",
        "#define SME_GET(word, field) (((uint32_t)(word) & field##_MASK) >> field##_SHIFT)",
        "#define SME_SET(field, value) ((uint32_t)(value) << field##_SHIFT & field##_MASK)",
    ]
    for number, register in enumerate(registers):
        name = f"SME_{register.name.upper()}"
        lines += ["", f"#define {name} 0x{4 * number:02x}"]
        for field in register.fields:
            own = f"{name}_{field.name.upper()}"
            mask = (1 << field.bits) - 1 << field.offset
            lines += [
                f"/* {field.text} ({field.access.value}) */",
                f"#define {own}_SHIFT {field.offset}",
                f"#define {own}_MASK 0x{mask:08x}u",
            ]
            if field.access is Access.CONSTANT:
                lines.append(f"#define {own}_VALUE 0x{field.value:x}u")
    return "\n".join([*lines, "", "#endif", ""])


def markdown_table(registers: Sequence[Register]) -> str:
    """Return a table of registers and their fields.

    Parameters
    ----------
    registers : sequence of Register
    """
    lines = [
        "| address | register | bits | field | access | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for number, register in enumerate(registers):
        for field in register.fields:
            last = field.offset + field.bits - 1
            bits = f"{last}:{field.offset}" if field.bits > 1 else f"{last}"
            text = field.text
            if field.access is Access.CONSTANT:
                text += f": {field.value:#x}" if field.value > 0xFFFF else f": {field.value}"
            lines.append(
                f"| 0x{4 * number:02x} | `{register.name}` | {bits} | `{field.name}` "
                f"| {field.access.value} | {text} |"
            )
    return "\n".join([*lines, ""])
