"""Reference of :class:`sme_hw.bus.request_check.RequestCheck`."""

from sme_hw.bus.link_format import ADDRESS_BYTES, SEQUENCES, Frame, Kind, Status
from sme_hw.bus.link_params import LinkParams

__all__ = ["request_check"]


def request_check(
    link: LinkParams, frame: Frame, last: int | None, kept: bool
) -> tuple[bool, Status | None]:
    """Return whether a request is the last one again, and why it is refused, if it is.

    Parameters
    ----------
    link : LinkParams
    frame : Frame
    last : int or None
        Sequence of the last request that was applied; None before the first CONNECT.
    kept : bool
        The frame of a PROGRAM or INPUT is still needed.
    """
    if frame.kind != Kind.CONNECT:
        if last is None:
            return False, Status.NOT_CONNECTED
        if frame.sequence == last:
            return True, None
        if frame.sequence != (last + 1) % SEQUENCES:
            return False, Status.BAD_SEQUENCE
    size = len(frame.payload)
    sensible: dict[int, bool] = {
        Kind.CONNECT: size == 0,
        Kind.READ: size == ADDRESS_BYTES and 1 <= frame.argument <= link.read_max,
        Kind.WRITE: True,
        Kind.PROGRAM: True,
        Kind.INPUT: frame.argument >> link.dest_bits == 0,
        Kind.RESULTS: size == 0,
    }
    if not sensible.get(frame.kind):
        return False, Status.BAD_REQUEST
    if kept and frame.kind in (Kind.PROGRAM, Kind.INPUT):
        return False, Status.BUSY
    return False, None
