"""Reference of :class:`sme_hw.clip_counters.ClipCounters`."""

__all__ = ["clip_counter"]


def clip_counter(clips: int, *, width: int) -> int:
    """Return what a saturating counter of ``width`` bits shows after ``clips`` clips."""
    return min(clips, 2**width - 1)
