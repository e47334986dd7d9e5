"""Cases of :class:`sme_hw.program_port.ProgramPort`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.program_port import program_port
from sme_hw.pack import pack
from sme_hw.params import PROGRAM_BITS, HardwareParams
from sme_hw.program import REGION_OFFSET, SET_OFFSET, Region, entry_bits, entry_words
from sme_hw.program_port import ProgramPort

from .case import SEED, Case, Clocked, Expected, Span, Streams, Values
from .hardware import HARDWARE, random_image

__all__ = ["cases"]

RECORDS = 30

SETS = ("slc", "mlc-free-shifts", "tall", "sets", "sets-quick", "sets-reordered")

WRITE_LATENCY = 1
"""Clocks from an entry's last word to its write, as the component's docstring says."""

EFFECT_LATENCY = 2
"""Clocks from a write until every table shows it, as the component's docstring says."""


def _writes(program: list[int], hardware: HardwareParams) -> list[Expected]:
    """Return what the write port shows; above an entry's own words it may show anything."""
    return [
        {
            "write__region": int(region),
            "write__entry": _entry(entry, hardware),
            "write__data": (value, entry_words(hardware, region) * PROGRAM_BITS),
            **({"write__set": weight_set} if hardware.weight_sets > 1 else {}),
        }
        for region, weight_set, entry, value in program_port(np.array(program, np.uint32), hardware)
    ]


def _entry(entry: int, hardware: HardwareParams) -> int:
    """Return what shows an entry's number."""
    bits = entry_bits(hardware)
    return entry if entry < 1 << bits else entry % (1 << bits) | 1 << bits


def _overlong(hardware: HardwareParams) -> Clocked:
    """Announce more entries than are counted: the record is taken for empty."""
    limit = 2 << entry_bits(hardware)
    clocks: list[tuple[Values, Expected]] = [({"idle": 1, "i__valid": 0}, {"overlong": 0})]
    for count in (limit, 2**31, limit | 1):
        header = {"i__valid": 1, "i__payload": int(Region.CONTROL) << REGION_OFFSET}
        clocks.append((header, {"overlong": 0, "i__ready": 1}))
        clocks.append(({"i__payload": count}, {"overlong": 1, "i__ready": 1, "busy": 1}))
        # Neither data nor a write follow.
        clocks.append(({"i__valid": 0}, {"overlong": 0, "busy": 0, "write__enable": 0}))
    return Clocked("overlong records", clocks)


def _random_program(rng: np.random.Generator, hardware: HardwareParams) -> list[int]:
    """Return records of random regions, entries and lengths, empty ones included."""
    program = []
    for _ in range(RECORDS):
        region = Region(int(rng.integers(len(Region))))
        count = int(rng.integers(4))
        words = count * entry_words(hardware, region)
        # Half of the numbers are those of existing entries, or just beyond.
        beyond = rng.choice([2**SET_OFFSET - count, 2 << entry_bits(hardware)])
        first = int(rng.integers(4)) << SET_OFFSET | int(rng.integers(beyond))
        program += [int(region) << REGION_OFFSET | first, count]
        program += rng.integers(2**PROGRAM_BITS, size=words).tolist()
    return program


def _stream(name: str, program: list[int], hardware: HardwareParams) -> Streams:
    return Streams(
        name,
        sends={"i": program},
        flows={"write__enable": _writes(program, hardware)},
        random=["idle"],
        spans=[
            Span(("i", 0), ("i", -1), len(program) - 1),
            Span(("i", -1), ("write__enable", -1), WRITE_LATENCY),
        ],
    )


def _idle(hardware: HardwareParams) -> Clocked:
    """Offer a record: it is refused unless idle, and then taken to its end."""
    words = 2 * entry_words(hardware, Region.CELLS)
    record = [int(Region.CELLS) << REGION_OFFSET | 5, 2, *range(100, 100 + words)]
    clocks: list[tuple[Values, Expected]] = []
    for _ in range(3):
        refused = {"i__ready": 0, "between": 1, "busy": 0, "write__enable": 0}
        clocks.append(({"idle": 0, "i__valid": 1, "i__payload": record[0]}, refused))
    clocks.append(({"idle": 1}, {"i__ready": 1, "between": 1, "busy": 0}))
    for word in record[1:]:
        taken = {"i__ready": 1, "between": 0, "busy": 1}
        clocks.append(({"idle": 0, "i__payload": word}, taken))
    # The last write is being done, and the next record is refused again.
    refused = {"i__ready": 0, "between": 1, "busy": 1, "write__enable": 1}
    clocks.append(({"i__payload": record[0]}, refused))
    for _ in range(EFFECT_LATENCY):
        clocks.append(({}, {"i__ready": 0, "busy": 1, "write__enable": 0}))
    clocks.append(({}, {"i__ready": 0, "busy": 0, "write__enable": 0}))
    clocks.append(({"i__valid": 0}, {"busy": 0}))
    return Clocked("refuse unless idle", clocks)


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name in SETS:
        hardware = HARDWARE[name]
        rng = np.random.default_rng(SEED)
        images = [
            random_image(rng, hardware, hardware.rows - 1, hardware.cols - 1 - s)
            for s in range(hardware.weight_sets)
        ]
        # A program of random records ends with one that has an entry, for its last write.
        last = [int(Region.CONTROL) << REGION_OFFSET, 1, 7]
        random_program = [*_random_program(rng, hardware), *last]
        # The longest record: as many entries as can be numbered.
        count = 1 << entry_bits(hardware)
        words = rng.integers(2**PROGRAM_BITS, size=count * entry_words(hardware, Region.CELLS))
        longest = [int(Region.CELLS) << REGION_OFFSET, count, *words.tolist()]
        yield Case(
            f"program_port-{name}",
            lambda hardware=hardware: ProgramPort(hardware=hardware),
            [
                _stream("program of tiles", pack(images, hardware).tolist(), hardware),
                _idle(hardware),
                _overlong(hardware),
                _stream("random records", random_program, hardware),
                _stream("longest record", longest, hardware),
            ],
        )
