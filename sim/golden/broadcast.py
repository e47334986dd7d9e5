"""Reference of :class:`sme_hw.broadcast.Broadcast`."""

from collections.abc import Sequence

__all__ = ["broadcast"]


def broadcast(payloads: Sequence[tuple[int, int]], units: int) -> list[list[int]]:
    """Return what each of ``units`` receivers gets of payloads with their masks of receivers."""
    return [[payload for payload, mask in payloads if mask >> u & 1] for u in range(units)]
