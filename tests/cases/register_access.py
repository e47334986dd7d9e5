# amaranth: UnusedElaboratable=no
"""Cases of :class:`sme_hw.bus.register_access.RegisterAccess`."""

from collections.abc import Iterator

import numpy as np
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from sim.golden.register_access import register_access
from sme_hw.bus.link_params import LinkParams
from sme_hw.bus.register_access import RegisterAccess
from sme_hw.bus.register_bus import WORD_BITS
from sme_hw.sharing import shared

from .bridge_bench import BenchRegisters, Registers
from .case import SEED, Case, Streams

__all__ = ["cases"]

LINK = LinkParams(
    frame_bytes=64, input_beat_bytes=1, dest_bits=0, result_beat_bytes=1, address_bits=4
)

ACCESSES = (
    # First register, number of them, and whether they are written.
    *((4, 4, False), (0, 1, True), (1, 3, True), (0, 8, False), (11, 1, False)),
    # A register that cannot be written, and some that are not there.
    *((6, 4, True), (8, 1, True), (10, 4, False), (13, 1, False), (14, 1, True)),
    # A number that is too large in the upper byte, the lower, or at last.
    *((256, 1, False), (16, 2, True), (0xFFFF, 2, False), (2, 2, False)),
)


class AccessBench(wiring.Component):
    """Count words, and connect registers.

    Members
    -------
    start, write, i, o_valid, o_data, done, error
        As of the component.
    words : In(4)
        How many there are, while ``start`` is set.
    wrote, written_address, written_word
        As of the registers.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "write": In(1),
                "words": In(4),
                "i": In(stream.Signature(8)),
                "o_valid": Out(1),
                "o_data": Out(8),
                "done": Out(1),
                "error": Out(1),
                "wrote": Out(1),
                "written_address": Out(LINK.address_bits),
                "written_word": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect all."""
        m = Module()
        access = RegisterAccess(link=LINK)
        registers = BenchRegisters(address_bits=LINK.address_bits)
        m.submodules.access = shared(access, platform)
        m.submodules.registers = shared(registers, platform)
        wiring.connect(m, access.registers, registers.bus)
        wiring.connect(m, wiring.flipped(self.i), access.i)
        left = Signal(4)
        m.d.comb += [access.start.eq(self.start), access.write.eq(self.write)]
        m.d.comb += access.last.eq(left == 1)
        for name in ("o_valid", "o_data", "done", "error"):
            m.d.comb += getattr(self, name).eq(getattr(access, name))
        for name in ("wrote", "written_address", "written_word"):
            m.d.comb += getattr(self, name).eq(getattr(registers, name))
        with m.If(self.start):
            m.d.sync += left.eq(self.words)
        with m.If(access.accessed):
            m.d.sync += left.eq(left - 1)
        return m


def _access(
    rng: np.random.Generator, model: Registers, first: int, count: int, write: bool
) -> Streams:
    """Return an access, which takes no more bytes than it needs."""
    before = len(model.writes)
    address = first.to_bytes(2, "little")
    words = [int(word) if write else None for word in rng.integers(2**32, size=count)]
    read, failed = register_access(model, LINK.address_bits, address, words)
    wrote = model.writes[before:]
    content = address
    if write and first >> LINK.address_bits == 0:
        # What was written, and what could not be.
        content += b"".join(word.to_bytes(4, "little") for word in words[: len(wrote) + failed])
    elif write:
        content += words[0].to_bytes(4, "little")
    return Streams(
        f"{'write' if write else 'read'} {count} from {first}",
        sends={"i": list(content)},
        flows={
            "o_valid": [{"o_data": byte} for byte in read],
            "done": [{"error": int(failed)}],
            "wrote": [{"written_address": a, "written_word": w} for a, w in wrote],
        },
        levels={"write": int(write), "words": count},
        waves={"start": [1, 0]},
    )


def cases() -> Iterator[Case]:
    """Yield accesses that succeed, and some that fail at first or later."""
    rng = np.random.default_rng(SEED)
    model = Registers()
    yield Case(
        "register_access", AccessBench, [_access(rng, model, *access) for access in ACCESSES]
    )
