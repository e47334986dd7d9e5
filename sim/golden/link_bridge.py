"""Reference of :class:`sme_hw.bus.link_bridge.LinkBridge`, of whole frames."""

from dataclasses import dataclass, field

from sme_hw.bus.link_format import (
    ADDRESS_BYTES,
    HEADER_BYTES,
    LINK_VERSION,
    RESPONSE,
    WORD_BYTES,
    Frame,
    Kind,
    Status,
)
from sme_hw.bus.link_params import LinkParams

from .register_access import Access, register_access
from .request_check import request_check

__all__ = ["LinkBridge"]

_APPLIED = (Status.OK, Status.ENDED, Status.BUS_ERROR)


def _pieces(content: bytes, size: int) -> list[bytes]:
    return [content[k : k + size] for k in range(0, len(content), size)]


@dataclass
class LinkBridge:
    """A bridge, what it did, and what it waits for.

    Parameters
    ----------
    link : LinkParams
    access : callable (int, int or None) -> int or None
        Reads a register, or writes it if there is a word; returns None for an error.
    results : list of (bytes, bool)
        Beats of results that are there, and whether they are the last of a vector; the bridge
        takes them away.
    busy : bool
        Words or beats of a frame have not all been taken from their stream.
    program : list of int
        Words that were sent.
    inputs : list of (bytes, int)
        Beats that were sent, and their weight set.
    """

    link: LinkParams
    access: Access
    results: list[tuple[bytes, bool]] = field(default_factory=list)
    busy: bool = False
    program: list[int] = field(default_factory=list)
    inputs: list[tuple[bytes, int]] = field(default_factory=list)
    last: Frame | None = None
    """The last response to a request that was applied."""

    def respond(self, content: bytes | None) -> Frame:
        """Return the response to a frame without its CRC, or to a corrupt one."""
        if content is None:
            return Frame(RESPONSE, 0, Status.CORRUPT)
        frame = Frame(content[0], content[1], content[2], content[HEADER_BYTES:])
        last = self.last.sequence if self.last else None
        repeated, refused = request_check(self.link, frame, last, self.busy)
        if repeated and self.last:
            return self.last
        if refused is not None:
            return self._answer(frame, refused)
        status, payload = self._apply(frame)
        response = self._answer(frame, status, payload)
        if status in _APPLIED:
            self.last = response
        return response

    @staticmethod
    def _answer(frame: Frame, status: Status, payload: bytes = b"") -> Frame:
        return Frame(frame.kind | RESPONSE, frame.sequence, status, payload)

    def _apply(self, frame: Frame) -> tuple[Status, bytes]:
        """Return status and payload of the response to a frame whose header is right."""
        _, _, argument, payload = frame
        match frame.kind:
            case Kind.CONNECT:
                numbers = LINK_VERSION, self.link.frame_bytes
                return Status.OK, b"".join(n.to_bytes(2, "little") for n in numbers)
            case Kind.READ:
                return self._access(payload, [None] * argument)
            case Kind.WRITE:
                words = self._units(payload[ADDRESS_BYTES:], WORD_BYTES)
                if words:
                    return self._access(
                        payload[:ADDRESS_BYTES], [int.from_bytes(w, "little") for w in words]
                    )
            case Kind.PROGRAM:
                words = self._units(payload, WORD_BYTES)
                self.program += [int.from_bytes(w, "little") for w in words]
                if words:
                    return Status.OK, b""
            case Kind.INPUT:
                beats = self._units(payload, self.link.input_beat_bytes)
                if beats:
                    self.inputs += [(beat, argument) for beat in beats]
                    return Status.OK, b""
            case Kind.RESULTS:
                count = min(argument, self.link.results_max)
                taken, self.results[:] = self.results[:count], self.results[count:]
                ended = bool(taken) and taken[-1][1]
                return Status.ENDED if ended else Status.OK, b"".join(beat for beat, _ in taken)
        return Status.BAD_REQUEST, b""

    @staticmethod
    def _units(payload: bytes, size: int) -> list[bytes]:
        """Return words or beats; none if there is a rest."""
        return [] if len(payload) % size else _pieces(payload, size)

    def _access(self, first: bytes, words: list[int] | list[None]) -> tuple[Status, bytes]:
        """Read or write registers, until one refuses."""
        read, failed = register_access(self.access, self.link.address_bits, first, words)
        return Status.BUS_ERROR if failed else Status.OK, read
