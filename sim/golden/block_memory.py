"""Reference of :class:`sme_hw.block_memory.BlockMemory`."""

from collections.abc import Iterator, Sequence

__all__ = ["block_memory"]


def block_memory(
    depth: int,
    writes: Sequence[tuple[int, int] | None],
    reads: Sequence[int | None],
    outputs: Sequence[bool],
) -> Iterator[int | None]:
    """Yield what the output shows in every clock; None while that is not known.

    Parameters
    ----------
    depth : int
        Number of words.
    writes : sequence of (address, word) or None
    reads : sequence of int or None
        Addresses to read; None: the memory takes no address.
    outputs : sequence of bool
        Whether the output register takes what was read before.
    """
    words: list[int | None] = [None] * depth
    fetched = shown = None
    for write, read, output in zip(writes, reads, outputs, strict=True):
        yield shown
        if output:
            shown = fetched
        if read is not None:
            fetched = words[read]
        if write is not None:
            address, word = write
            words[address] = word
            if address == read:
                fetched = None
