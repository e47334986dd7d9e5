"""Reference of :class:`sme_hw.bus.frame_sender.FrameSender`."""

import zlib

from sme_hw.bus.link_format import CHECK_BYTES

__all__ = ["frame_sender"]


def frame_sender(content: bytes) -> list[int | None]:
    """Return the bytes of a frame with its CRC; None before it and for its end."""
    return [None, *content, *zlib.crc32(content).to_bytes(CHECK_BYTES, "little"), None]
