"""A host that repeats a request until it has the response."""

import random
from collections.abc import Sequence

from sme_host.frames import decode_frame, encode_frame, split_frames
from sme_hw.bus.link_format import RESPONSE, Frame, Kind, Status

__all__ = ["Host", "LinkError", "Request"]

Request = tuple[Kind, int, bytes]
"""Kind, argument and payload."""


class LinkError(RuntimeError):
    """The device refused a request."""


class Host:
    """Ask one request after the other, after a CONNECT, each until it is answered.

    Parameters
    ----------
    requests : sequence of Request
        A RESULTS is repeated, with sequences of its own, until it has as many beats as it wants.
    beat_bytes : int
        Bytes of a result beat.
    patience : int
        Clocks to wait for a response after a request has been sent.
    generator : random.Random
    """

    def __init__(
        self,
        requests: Sequence[Request],
        *,
        beat_bytes: int,
        patience: int,
        generator: random.Random,
    ):
        self.requests = [(Kind.CONNECT, 0, b""), *requests]
        self.beat_bytes = beat_bytes
        self.patience = patience
        self.sequence = generator.randrange(256)
        self.responses: list[Frame] = []
        self.results: list[tuple[bytes, bool]] = []
        """Payloads of RESULTS, and whether they ended a vector."""
        self.repeated = 0
        self._wanted = self.requests[0][1]
        self._heard = b""
        self._silent: int | None = None

    @property
    def done(self) -> bool:
        """All requests were answered."""
        return not self.requests

    def ask(self, sending: bool) -> bytes:
        """Return bytes to send from this clock on; none while something is still being sent."""
        if sending or self.done:
            return b""
        if self._silent is not None:
            self._silent += 1
            if self._silent < self.patience:
                return b""
            self.repeated += 1
        self._silent = 0
        kind, _, payload = self.requests[0]
        return encode_frame(Frame(kind, self.sequence, self._wanted, payload))

    def hear(self, byte: int) -> None:
        """Take a byte of the line."""
        frames, self._heard = split_frames(self._heard + bytes([byte]))
        for text in frames:
            response = decode_frame(text)
            if response is not None and not self.done:
                self._take(response)

    def _take(self, response: Frame) -> None:
        kind = self.requests[0][0]
        status = Status(response.argument)
        if status == Status.CORRUPT:
            self._silent = self.patience
        # Another one may be a second answer to a request before.
        if (response.kind, response.sequence) != (kind | RESPONSE, self.sequence):
            return
        if status == Status.BUSY:
            self._silent = None
            return
        if status not in (Status.OK, Status.ENDED, Status.BUS_ERROR):
            raise LinkError(status.name)
        self.responses.append(response)
        self.sequence = (self.sequence + 1) % 256
        self._silent = None
        if kind == Kind.RESULTS:
            self.results.append((response.payload, status == Status.ENDED))
            self._wanted -= len(response.payload) // self.beat_bytes
            if self._wanted:
                return
        self.requests.pop(0)
        if self.requests:
            self._wanted = self.requests[0][1]
