"""Cases of :class:`sme_hw.bus.frame_receiver.FrameReceiver`."""

import zlib
from collections.abc import Iterator

import numpy as np

from sim.golden.frame_receiver import frame_receiver
from sme_hw.bus.frame_receiver import FrameReceiver
from sme_hw.bus.link_format import CHECK_BYTES, HEADER_BYTES

from .case import SEED, Case, Clocked, Expected, Values

__all__ = ["cases"]

FRAME_BYTES = 32

GAP = 9
"""Clocks between bytes."""

Meaning = tuple[int | None, bool, bool]
"""A byte, an end, an error."""

Clocks = list[tuple[Values, Expected]]

IDLE = {"i_valid": 0, "i_end": 0, "i_error": 0, "release": 0, "keep": 0, "drained": 0}


def _bytes(content: bytes) -> list[Meaning]:
    return [(byte, False, False) for byte in content]


def _checked(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(CHECK_BYTES, "little")


def _send(meanings: list[Meaning], after: Expected) -> Clocks:
    """Drive what a decoder would; nothing is corrupt before the last, ``after`` which this shows.

    A frame that comes later than that is seen by the clocks that follow.
    """
    clocks: Clocks = []
    for byte, end, error in meanings:
        # The data stay.
        data = {} if byte is None else {"i_data": byte}
        flags = {"i_valid": int(byte is not None), "i_end": int(end), "i_error": int(error)}
        clocks += [(IDLE | flags | data, {"corrupt": 0}), *[(IDLE, {})] * GAP]
    clocks[-GAP] = (IDLE, after)
    clocks[-GAP + 1] = (IDLE, {"corrupt": 0})
    return clocks


def _read(content: bytes, kept: int) -> Clocks:
    """Look at the bytes of a frame."""
    reads: Clocks = []
    for k, byte in enumerate((*content, 0, 0)):
        expected = {"data": content[k - 2]} if k >= 2 else {}
        reads.append((IDLE | {"read_kept": kept, "read_address": k % FRAME_BYTES}, expected))
        del byte
    return reads


def _frame(content: bytes) -> Clocks:
    """Send a good frame and read it."""
    after = {"frame": 1, "length": len(content), "corrupt": 0}
    return [*_send([*_bytes(_checked(content)), (None, True, False)], after), *_read(content, 0)]


def _pulse(**ports: int) -> Clocks:
    return [(IDLE | ports, {}), (IDLE, {})]


def _streams(rng: np.random.Generator) -> Iterator[list[Meaning]]:
    """Yield what ends in no frame, or in a good or corrupt one."""
    body = rng.bytes(9)
    good = _checked(body)
    end = (None, True, False)
    noise = (None, False, True)
    yield [end]
    yield [*_bytes(good), end]
    yield [*_bytes(_checked(rng.bytes(HEADER_BYTES))), end]
    yield [*_bytes(_checked(rng.bytes(HEADER_BYTES - 1))), end]
    yield [*_bytes(_checked(b"")), end]
    yield [*_bytes(_checked(rng.bytes(FRAME_BYTES - CHECK_BYTES))), end]
    yield [*_bytes(_checked(rng.bytes(FRAME_BYTES - CHECK_BYTES + 1))), end]
    yield [*_bytes(_checked(rng.bytes(3 * FRAME_BYTES))), end]
    yield [noise, end]
    yield [end]
    yield [*_bytes(good), (None, True, True)]
    yield [(None, True, True)]
    yield [*_bytes(good[:3]), noise, *_bytes(good[3:]), end]
    for bit in rng.permutation(8 * len(good))[:8].tolist():
        spoilt = bytearray(good)
        spoilt[bit // 8] ^= 1 << bit % 8
        yield [*_bytes(bytes(spoilt)), end]
    yield [*_bytes(good[1:]), end]
    yield [*_bytes(good + good[-1:]), end]
    yield [*_bytes(b"\0" + good), end]
    yield [*_bytes(good), end]


def _checks(rng: np.random.Generator) -> Clocks:
    """Return good and bad frames, each on its own."""
    clocks: Clocks = []
    for meanings in _streams(rng):
        frames = frame_receiver(meanings, FRAME_BYTES)
        if not frames or frames[0] is None:
            clocks += _send(meanings, {"frame": 0, "corrupt": len(frames)})
            continue
        content = frames[0]
        clocks += _send(meanings, {"frame": 1, "length": len(content), "corrupt": 0})
        clocks += [*_read(content, 0), *_pulse(release=1), (IDLE, {"frame": 0})]
    return clocks


def _buffers(rng: np.random.Generator) -> Clocks:
    """Return frames that are kept, and others meanwhile."""
    first, second, third, fourth = (rng.bytes(n) for n in (20, 12, 9, 11))
    lost = _send([*_bytes(_checked(rng.bytes(10))), (None, True, False)], {"corrupt": 1})
    return [
        *_frame(first),
        # Another one, while this is not released.
        *lost,
        *_read(first, 0),
        *(*_pulse(release=1, keep=1), (IDLE, {"frame": 0, "kept": 1})),
        *(*_read(first, 1), *_frame(second), *_read(first, 1)),
        # Both buffers are in use; the beginning of a frame is lost, so all of it is.
        *lost,
        *_send(_bytes(_checked(third)[:5]), {"corrupt": 0}),
        *(*_read(second, 0), *_pulse(release=1), (IDLE, {"frame": 0, "kept": 1})),
        *_send([*_bytes(_checked(third)[5:]), (None, True, False)], {"corrupt": 1, "frame": 0}),
        *(*_read(first, 1), *_frame(third), *_read(first, 1)),
        *(*_pulse(drained=1), (IDLE, {"frame": 1, "kept": 0}), *_read(third, 0)),
        *lost,
        *(*_pulse(release=1, keep=1), *_read(third, 1), *_frame(fourth), *_read(third, 1)),
        *(*_pulse(release=1), *_pulse(drained=1), (IDLE, {"frame": 0, "kept": 0})),
        *_frame(first),
    ]


def cases() -> Iterator[Case]:
    """Yield one case."""
    rng = np.random.default_rng(SEED)
    phases = [Clocked("checks", _checks(rng)), Clocked("fresh", _pulse(release=1))]
    phases.append(Clocked("buffers", _buffers(rng)))
    yield Case("frame_receiver", lambda: FrameReceiver(frame_bytes=FRAME_BYTES), phases)
