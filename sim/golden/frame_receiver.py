"""Reference of :class:`sme_hw.bus.frame_receiver.FrameReceiver`."""

import zlib
from collections.abc import Iterable

from sme_hw.bus.link_format import CHECK_BYTES, HEADER_BYTES

__all__ = ["frame_receiver"]


def frame_receiver(
    meanings: Iterable[tuple[int | None, bool, bool]], frame_bytes: int
) -> list[bytes | None]:
    """Return the frames without their CRCs; None for a corrupt one.

    Parameters
    ----------
    meanings : iterable of (int or None, bool, bool)
        As :func:`sim.golden.slip_decoder.slip_decoder` returns them.
    frame_bytes : int
        Most bytes of a frame.
    """
    frames: list[bytes | None] = []
    content, bad = b"", False
    for byte, end, error in meanings:
        bad |= error
        content += b"" if byte is None else bytes([byte])
        if not end:
            continue
        body, check = content[:-CHECK_BYTES], content[-CHECK_BYTES:]
        sized = len(body) >= HEADER_BYTES and len(content) <= frame_bytes
        good = sized and not bad and zlib.crc32(body).to_bytes(CHECK_BYTES, "little") == check
        if content or bad:
            frames.append(body if good else None)
        content, bad = b"", False
    return frames
