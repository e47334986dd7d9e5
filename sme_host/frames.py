"""Frames as bytes of a serial line, and back (:mod:`sme_hw.bus.link_format`)."""

import zlib
from collections.abc import Iterator

from sme_hw.bus.link_format import (
    CHECK_BYTES,
    END,
    ESCAPE,
    ESCAPED_END,
    ESCAPED_ESCAPE,
    HEADER_BYTES,
    Frame,
)

__all__ = ["decode_frame", "encode_frame", "split_frames"]

_END = bytes([END])
_ESCAPE = bytes([ESCAPE])
_HIDDEN_END = bytes([ESCAPE, ESCAPED_END])
_HIDDEN_ESCAPE = bytes([ESCAPE, ESCAPED_ESCAPE])


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a line for a frame, from END to END.

    Examples
    --------
    >>> encode_frame(Frame(1, 0xC0)).hex(" ")
    'c0 01 db dc 00 6b 64 79 35 c0'
    """
    content = bytes([frame.kind, frame.sequence, frame.argument]) + frame.payload
    content += zlib.crc32(content).to_bytes(CHECK_BYTES, "little")
    # What hides an end contains an escape, so escapes come first.
    hidden = content.replace(_ESCAPE, _HIDDEN_ESCAPE).replace(_END, _HIDDEN_END)
    return _END + hidden + _END


def split_frames(received: bytes) -> tuple[list[bytes], bytes]:
    r"""Return what stands between ENDs, without what is empty, and what is not ended yet.

    Examples
    --------
    >>> split_frames(bytes.fromhex("c0 c0 01 02 c0 c0 03"))
    ([b'\x01\x02'], b'\x03')
    """
    *ended, rest = received.split(_END)
    return [text for text in ended if text], rest


def _shown(hidden: bytes) -> Iterator[bytes]:
    """Yield the parts of a frame between escapes; raises ValueError for what is no escape."""
    first, *others = hidden.split(_ESCAPE)
    yield first
    for text in others:
        if not text or text[0] not in (ESCAPED_END, ESCAPED_ESCAPE):
            raise ValueError("no escape")
        yield _END if text[0] == ESCAPED_END else _ESCAPE
        yield text[1:]


def decode_frame(hidden: bytes) -> Frame | None:
    """Return the frame that was between two ENDs, or None if it is corrupt.

    Examples
    --------
    >>> decode_frame(encode_frame(Frame(1, 0xC0, 2, b"abc"))[1:-1])
    Frame(kind=1, sequence=192, argument=2, payload=b'abc')
    >>> decode_frame(b"abc") is None
    True
    """
    try:
        content = b"".join(_shown(hidden))
    except ValueError:
        return None
    body, check = content[:-CHECK_BYTES], content[-CHECK_BYTES:]
    if len(body) < HEADER_BYTES or zlib.crc32(body).to_bytes(CHECK_BYTES, "little") != check:
        return None
    return Frame(body[0], body[1], body[2], body[HEADER_BYTES:])
