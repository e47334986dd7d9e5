"""The registers' description, and what is made of it: JSON, C, Markdown, Python."""

import re
import shutil
import subprocess

import pytest

from rtl_gen.host.sme_registers import Registers
from rtl_gen.registers import c_header, markdown_table
from sim.mapping import load_parameters
from sme_hw.bus.registers import Access, as_json, fingerprint, register_map
from tests.cases.hardware import HARDWARE


def hardware_sets():
    """Return parameter sets with their number of units."""
    return [(HARDWARE["slc"], 1), (HARDWARE["sets-reordered"], 3)]


@pytest.mark.parametrize(("hardware", "units"), hardware_sets())
def test_fields_do_not_overlap(hardware, units):
    """Every bit belongs to one field; constants fit into theirs."""
    names = [register.name for register in register_map(hardware, units)]
    assert len(set(names)) == len(names)
    for register in register_map(hardware, units):
        taken = 0
        for field in register.fields:
            mask = (1 << field.bits) - 1 << field.offset
            assert not taken & mask
            assert mask < 1 << 32
            assert 0 <= field.value < 1 << field.bits
            taken |= mask


def test_fingerprint_differs_with_every_parameter():
    """Whatever is built differently has another fingerprint; the same has the same."""
    base = load_parameters("tiny").hardware
    marks = {fingerprint(base, 1), fingerprint(base, 2)}
    for options in ({"rows": 7}, {"adc_bits": 2}, {"weight_sets": 2}, {"zero_skip": True}):
        marks.add(fingerprint(load_parameters("tiny", **options).hardware, 1))
    assert len(marks) == 6
    assert fingerprint(base, 1) == fingerprint(load_parameters("tiny").hardware, 1)
    assert max(marks) < 1 << 64


@pytest.mark.parametrize(("hardware", "units"), hardware_sets())
def test_c_header(tmp_path, hardware, units):
    """A C program finds every field at its place, and takes words apart as it should."""
    registers = register_map(hardware, units)
    (tmp_path / "registers.h").write_text(c_header(registers, "sme_axi_unit"))
    lines, expected = [], []
    for number, register in enumerate(registers):
        lines.append(f'printf("%u\\n", (unsigned)SME_{register.name.upper()});')
        expected.append(4 * number)
        for field in register.fields:
            own = f"SME_{register.name}_{field.name}".upper()
            lines.append(f'printf("%u\\n", (unsigned)SME_GET(0xdeadbeefu, {own}));')
            expected.append(0xDEADBEEF >> field.offset & (1 << field.bits) - 1)
            lines.append(f'printf("%u\\n", (unsigned)SME_SET({own}, 1));')
            expected.append(1 << field.offset)
            if field.access is Access.CONSTANT:
                lines.append(f'printf("%u\\n", (unsigned){own}_VALUE);')
                expected.append(field.value)
    program = '#include <stdio.h>\n#include "registers.h"\nint main(void) {\n'
    (tmp_path / "main.c").write_text(program + "\n".join(lines) + "\nreturn 0;\n}\n")
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("g++")
    executable = tmp_path / "main"
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([compiler, *flags, tmp_path / "main.c", "-o", executable], check=True)
    found = subprocess.run([executable], capture_output=True, text=True, check=True).stdout
    assert [int(line) for line in found.split()] == expected


def test_markdown_has_every_field():
    """One line for each field, with address and bits."""
    registers = register_map(HARDWARE["slc"], 1)
    text = markdown_table(registers)
    rows = [line for line in text.splitlines() if line.startswith("| 0x")]
    assert len(rows) == sum(len(register.fields) for register in registers)
    assert all(len(re.split(r"(?<!\\)\|", row)) == 8 for row in rows)
    assert f"| 0x20 | `{registers[8].name}` | 0 | `reset` | write 1 |" in text


class Memory:
    """Registers that keep whatever is written."""

    def __init__(self):
        self.words = {}
        self.log = []

    def read(self, address):
        """Return a word."""
        return self.words.get(address, 0)

    def write(self, address, value):
        """Keep a word."""
        self.log.append((address, value))
        self.words[address] = value


def test_python_class():
    """Fields are read and written by name, others are kept, and mistakes are told."""
    hardware = HARDWARE["slc"]
    table = as_json(register_map(hardware, 3))
    memory = Memory()
    registers = Registers(table, memory.read, memory.write)
    address = {register["name"]: register["address"] for register in table}
    memory.words[address["status"]] = 0b1001
    assert registers.read("status") == {
        "busy": 1,
        "program_error": 0,
        "range_error": 0,
        "result_waits": 1,
    }
    memory.words[address["clips"]] = 77
    assert registers.read("clips") == 77
    registers.write("clip_select", plane=2)
    registers.write("clip_select", unit=1)
    assert memory.words[address["clip_select"]] == 0x102
    registers.write("control", clear=1)
    assert memory.log[-1] == (address["control"], 2)
    with pytest.raises(KeyError, match="no register 'statsu'"):
        registers.read("statsu")
    with pytest.raises(KeyError, match="cannot be written"):
        registers.write("status", busy=1)
    with pytest.raises(KeyError, match=r"only \['plane', 'unit'\]"):
        registers.write("clip_select", planes=1)
    with pytest.raises(ValueError, match=r"clip_select\.plane = 4: 0\.\.3 is needed"):
        registers.write("clip_select", plane=4)
