"""What the command may take of the machine."""

import os

__all__ = ["limit_memory"]


def limit_memory(part: float = 0.9) -> None:
    """Let requests for more than a part of the machine's memory fail, instead of the machine.

    Files that are mapped into the memory do not count.
    """
    try:
        import resource
    except ImportError:  # not a Unix
        return
    most = int(part * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or soft > most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
