"""Requests over a serial line: each is applied once, however often bytes are lost or repeated."""

import time
from typing import Protocol

from sme_hw.bus.link_format import (
    FRAME_BYTES,
    LINK_VERSION,
    RESPONSE,
    SEQUENCES,
    Frame,
    Kind,
    Status,
)

from .errors import LinkError
from .frames import decode_frame, encode_frame, split_frames

__all__ = ["Link", "Port"]

APPLIED = (Status.OK, Status.ENDED, Status.BUS_ERROR)
"""Statuses that use a sequence number up."""


class Port(Protocol):
    """A serial port, as ``serial.Serial`` is one: reads return what came within its timeout."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes, at least one if some came in time."""

    def write(self, data: bytes, /) -> object:
        """Send bytes."""


_PATIENCE = 0.5
"""Seconds for the board, both adapters and both systems."""

_LONGEST = 2 * FRAME_BYTES * 10
"""Bits of the longest frame: every byte escaped, with its start and stop bits."""


def patience(baud: int) -> float:
    """Return the seconds after which there should have been a response.

    Parameters
    ----------
    baud : int
        Bits a second.
    """
    return _PATIENCE + 2 * _LONGEST / baud


class Link:
    """A connection to a UART bridge (:mod:`sme_hw.bus.link_format`).

    Parameters
    ----------
    port : Port
        With a short timeout.
    patience : float
        Seconds after which a request without a response is sent again.
    attempts : int
        Times that a request is sent before the link is given up.

    Notes
    -----
    :attr:`repeats` counts requests that were sent again, :attr:`corrupt` responses that could not
    be read.
    """

    def __init__(self, port: Port, patience: float = _PATIENCE, attempts: int = 8):
        self._port = port
        self._patience, self._attempts = patience, attempts
        self._sequence = 0
        self._rest = b""
        self.frame_bytes = 0
        self.repeats = self.corrupt = 0

    def connect(self) -> None:
        """Start anew: what was under way is forgotten by both sides.

        Raises
        ------
        LinkError
            Nothing answers, or something that speaks another version.
        """
        self._drain()
        self._sequence = time.time_ns() % SEQUENCES  # old responses are not taken for new ones
        answer = self._exchange(Frame(Kind.CONNECT, self._sequence))
        if answer.argument != Status.OK or len(answer.payload) != 4:
            raise LinkError(f"the board refuses to connect: {_status(answer)}")
        version, self.frame_bytes = (
            int.from_bytes(answer.payload[k : k + 2], "little") for k in (0, 2)
        )
        if version != LINK_VERSION:
            raise LinkError(
                f"the board speaks version {version} of the link, this program {LINK_VERSION}"
            )

    def request(self, kind: Kind, argument: int = 0, payload: bytes = b"") -> Frame:
        """Return the response to a request: applied once, or not at all if its status is BUSY.

        Raises
        ------
        LinkError
            There is no answer, or the board does not know what it was told before.
        """
        answer = self._exchange(Frame(kind, (self._sequence + 1) % SEQUENCES, argument, payload))
        if answer.argument in APPLIED:
            self._sequence = answer.sequence
        elif answer.argument == Status.NOT_CONNECTED:
            raise LinkError("the board was reset: connect and load it again")
        elif answer.argument != Status.BUSY:
            raise LinkError(f"the board refuses a request ({kind.name}): {_status(answer)}")
        return answer

    def _exchange(self, frame: Frame) -> Frame:
        """Send a frame until its response comes."""
        for attempt in range(self._attempts):
            self.repeats += attempt > 0
            try:
                self._port.write(encode_frame(frame))
            except OSError as error:
                raise _failed(error) from None
            answer = self._response(frame)
            if answer is not None:
                return answer
        raise LinkError(
            f"no answer to {Kind(frame.kind).name} after {self._attempts} attempts: wrong port or "
            "speed, or no bitstream with a UART bridge"
        )

    def _response(self, frame: Frame) -> Frame | None:
        """Wait for the response to a frame; None if it should be sent again."""
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            received = self._read()
            if received:
                deadline = time.monotonic() + self._patience
            texts, self._rest = split_frames(self._rest + received)
            for text in texts:
                answer = decode_frame(text)
                if answer is None:
                    self.corrupt += 1
                elif answer.kind == RESPONSE and answer.argument == Status.CORRUPT:
                    return None
                elif (answer.kind, answer.sequence) == (frame.kind + RESPONSE, frame.sequence):
                    return answer
                # Anything else answers a request that was sent twice.
        return None

    def _read(self) -> bytes:
        try:
            return self._port.read(4096)
        except OSError as error:
            raise _failed(error) from None

    def _drain(self) -> None:
        """Forget what came before."""
        while self._read():
            pass
        self._rest = b""


def _failed(error: OSError) -> LinkError:
    return LinkError(f"the serial port failed: {error}")


def _status(answer: Frame) -> str:
    known = {int(status): status.name for status in Status}
    return known.get(answer.argument, f"status {answer.argument}")
