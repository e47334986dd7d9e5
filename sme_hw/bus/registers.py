"""The registers of a unit on a bus: the one description of them, for RTL, hosts and documents."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sme_hw.params import HardwareParams, index_bits

from .lanes import bus_lanes

__all__ = [
    "ID",
    "Access",
    "Field",
    "Register",
    "address_bits",
    "as_json",
    "fingerprint",
    "register_map",
]

ID = int.from_bytes(b"SME1", "little")
"""Content of the first register."""

LAYOUT = 1
"""Version of the layout of registers; raised when one moves or changes its meaning."""


class Access(Enum):
    """What can be done with a field."""

    CONSTANT = "constant"
    """Reads as what the hardware was built for."""
    READ = "read"
    """Reads as the hardware says."""
    WRITE = "read and write"
    """Keeps what is written."""
    PULSE = "write 1"
    """A 1 does something once; reads 0."""


@dataclass(frozen=True)
class Field:
    """Some bits of a register.

    Parameters
    ----------
    name : str
    bits : int
    access : Access
    text : str
        What it means.
    offset : int
        Of the lowest bit.
    value : int
        Of a constant; of others, what a reset makes of them.
    """

    name: str
    bits: int
    access: Access
    text: str
    offset: int = 0
    value: int = 0


@dataclass(frozen=True)
class Register:
    """A 32-bit word.

    Parameters
    ----------
    name : str
    fields : tuple of Field
        Bits between them read 0.
    """

    name: str
    fields: tuple[Field, ...]

    @property
    def writable(self) -> bool:
        """Writes are no errors."""
        return any(field.access in (Access.WRITE, Access.PULSE) for field in self.fields)


def fingerprint(hardware: HardwareParams, units: int) -> int:
    """Return 64 bits that differ for hardware that was built for other parameters.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Compute units.
    """
    text = json.dumps([LAYOUT, units, hardware.as_dict()], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def _constants(name: str, *fields: tuple[str, int, int, str]) -> Register:
    """Return a register of constants, each (name, bits, value, text), from the lowest bit."""
    result, offset = [], 0
    for field, bits, value, text in fields:
        result.append(Field(field, bits, Access.CONSTANT, text, offset, value))
        offset += bits
    return Register(name, tuple(result))


def register_map(hardware: HardwareParams, units: int) -> tuple[Register, ...]:
    """Return all registers, each at four bytes after the one before.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Compute units behind the bus.
    """
    lanes = bus_lanes(hardware, units)
    mark = fingerprint(hardware, units)
    word = (1 << 32) - 1
    single = Access.READ

    def counter(name: str, text: str) -> Register:
        return Register(name, (Field("count", 32, single, f"{text}; stops at the largest count"),))

    planes = index_bits(hardware.planes)
    clip_fields = [Field("plane", planes, Access.WRITE, "built plane, the most significant first")]
    if units > 1:
        clip_fields.append(Field("unit", index_bits(units), Access.WRITE, "compute unit", 8))
    return (
        _constants("id", ("magic", 32, ID, '"SME1", the first letter in the lowest byte')),
        _constants("layout", ("version", 32, LAYOUT, "version of these registers")),
        _constants(
            "fingerprint_low",
            ("bits", 32, mark & word, "with the next one: what the hardware was built for"),
        ),
        _constants("fingerprint_high", ("bits", 32, mark >> 32, "the upper half")),
        _constants(
            "size",
            ("rows", 16, hardware.rows, "rows of a crossbar"),
            ("columns", 16, hardware.cols, "columns of a crossbar"),
        ),
        _constants(
            "build",
            ("units", 8, units, "compute units"),
            ("planes", 8, hardware.planes, "built bit planes"),
            ("weight_sets", 8, hardware.weight_sets, "tiles that a unit holds at once"),
        ),
        _constants(
            "beats",
            ("input_bytes", 16, lanes.input_beat, "bytes of a beat of inputs"),
            ("result_bytes", 16, lanes.result_beat, "bytes of a beat of results"),
        ),
        _constants(
            "lanes",
            ("input_bytes", 8, lanes.input_lane, "bytes of an input"),
            ("result_bytes", 8, lanes.result_lane, "bytes of a result"),
        ),
        Register(
            "control",
            (
                Field("reset", 1, Access.PULSE, "stop everything, and forget program and streams"),
                Field("clear", 1, Access.PULSE, "set all counters but clips to 0", 1),
            ),
        ),
        Register(
            "status",
            (
                Field("busy", 1, single, "a vector or a program is under way"),
                Field("program_error", 1, single, "the program made no sense", 1),
                Field(
                    "range_error",
                    1,
                    single,
                    "an input had bits beyond input_bits; until the next reset",
                    2,
                ),
                Field("result_waits", 1, single, "a beat of results can be taken", 3),
            ),
        ),
        Register("clip_select", tuple(clip_fields)),
        Register("clips", (Field("count", 32, single, "clipped conversions of that plane"),)),
        Register(
            "result_packet",
            (
                Field(
                    "vectors",
                    16,
                    Access.WRITE,
                    "result vectors in a packet, whose end is marked (tlast); 0 is taken for 1",
                    value=1,
                ),
            ),
        ),
        counter("cycles", "clocks in which the unit was busy"),
        counter("vectors", "result vectors that were taken"),
        counter("input_waits", "clocks in which an input was offered and not taken"),
        counter("result_waits", "clocks in which a result was offered and not taken"),
        Register(
            "corrupt_frames",
            (
                Field(
                    "count",
                    16,
                    single,
                    "what a serial link brought that was no frame, since power on; without one, 0",
                ),
            ),
        ),
    )


def address_bits(registers: Sequence[Register]) -> int:
    """Return the bits that number the registers."""
    return index_bits(len(registers))


def as_json(registers: Sequence[Register]) -> list[dict[str, object]]:
    """Return registers as plain JSON values, for the manifest."""
    return [
        {
            "name": register.name,
            "address": 4 * number,
            "fields": [
                {
                    "name": field.name,
                    "offset": field.offset,
                    "bits": field.bits,
                    "access": field.access.value,
                    "value": field.value,
                    "meaning": field.text,
                }
                for field in register.fields
            ],
        }
        for number, register in enumerate(registers)
    ]
