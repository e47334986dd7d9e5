"""Reference of :class:`sme_hw.skid_buffer.SkidBuffer`."""

from collections.abc import Sequence

__all__ = ["skid_buffer"]


def skid_buffer(payloads: Sequence[int]) -> list[int]:
    """Return what comes out: all payloads in order."""
    return list(payloads)
