"""The serial link between a host and :class:`sme_hw.bus.uart_bridge.UartBridge`, as plain facts.

A frame is a header (kind, sequence, argument: a byte each), a payload, and the CRC-32 of both (as
``zlib.crc32``), packed into bytes of a line by SLIP (RFC 1055); numbers are little endian. A
response is of its request's kind plus :data:`RESPONSE`, and has its sequence; its argument is a
:class:`Status`. The host sends a request when it has the response to the one before.

======== ================ ============================ ==========================================
kind     argument         payload                      payload of the response
======== ================ ============================ ==========================================
CONNECT  0                none                         version and most bytes of a frame, 2 each
READ     number of words  word address, 2 bytes        the words; those before it if one fails
WRITE    0                word address, 2 bytes; words none
PROGRAM  0                program words                none
INPUT    weight set       whole beats                  none
RESULTS  most beats       none                         whole beats: what is there, perhaps nothing
======== ================ ============================ ==========================================

The device applies the request whose sequence follows that of the last one it applied. When that
last one comes again, it sends the same response again and applies nothing.
"""

from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "ADDRESS_BYTES",
    "BYTE_BITS",
    "CHECK_BYTES",
    "COUNTER_BITS",
    "END",
    "ESCAPE",
    "ESCAPED_END",
    "ESCAPED_ESCAPE",
    "FRAME_BYTES",
    "HEADER_BYTES",
    "LINK_VERSION",
    "RESPONSE",
    "SEQUENCES",
    "WORD_BYTES",
    "Frame",
    "Kind",
    "Status",
    "payload_bytes",
]

LINK_VERSION = 1
"""Changes when an older host would misunderstand."""

FRAME_BYTES = 256
"""Most bytes of a frame, CRC included, unless a bridge was built for another number."""

BYTE_BITS = 8
HEADER_BYTES = 3
CHECK_BYTES = 4
WORD_BYTES = 4
ADDRESS_BYTES = 2
SEQUENCES = 256

COUNTER_BITS = 16
"""Of the count of what arrived that was no frame."""

END = 0xC0
"""Ends a frame, and begins one; nothing between two of them is no frame."""

ESCAPE = 0xDB
ESCAPED_END = 0xDC
ESCAPED_ESCAPE = 0xDD

RESPONSE = 0x80
"""Added to the kind of a request for that of its response."""


class Kind(IntEnum):
    """What a request asks for."""

    CONNECT = 1
    READ = 2
    WRITE = 3
    PROGRAM = 4
    INPUT = 5
    RESULTS = 6


class Status(IntEnum):
    """What became of a request; only the first three say that it was applied."""

    OK = 0
    ENDED = 1
    """As OK, and the last beat of the results ended a vector."""
    BUS_ERROR = 2
    """A register refused; words before it were read or written, none after it."""
    NOT_CONNECTED = 3
    """After a reset, CONNECT must come first."""
    BUSY = 4
    """Words of a PROGRAM or INPUT before are not all taken: to be sent again as it is."""
    BAD_REQUEST = 5
    """No such kind, or its argument or length makes no sense."""
    BAD_SEQUENCE = 6
    """The sequence neither is nor follows that of the last request that was applied."""
    CORRUPT = 7
    """Something arrived that was no frame; here kind and sequence of the response are 0."""


class Frame(NamedTuple):
    """A frame without its check.

    Parameters
    ----------
    kind : int
    sequence : int
    argument : int
    payload : bytes
    """

    kind: int
    sequence: int
    argument: int = 0
    payload: bytes = b""


def payload_bytes(frame_bytes: int) -> int:
    """Return the most bytes of a payload.

    Examples
    --------
    >>> payload_bytes(FRAME_BYTES)
    249
    """
    return frame_bytes - HEADER_BYTES - CHECK_BYTES
