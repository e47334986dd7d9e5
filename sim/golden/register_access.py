"""Reference of :class:`sme_hw.bus.register_access.RegisterAccess`."""

from collections.abc import Callable, Sequence

from sme_hw.bus.link_format import ADDRESS_BYTES, WORD_BYTES

__all__ = ["Access", "register_access"]

Access = Callable[[int, int | None], int | None]
"""Reads a register, or writes it if there is a word; returns None for an error."""


def register_access(
    access: Access, address_bits: int, first: bytes, words: Sequence[int | None]
) -> tuple[bytes, bool]:
    """Read or write registers that follow one another, until one fails.

    Parameters
    ----------
    access : callable
    address_bits : int
        Bits of a register's number.
    first : bytes
        Number of the first one.
    words : sequence of int or None
        What to write to each, or None to read it.

    Returns
    -------
    bytes
        The words that were read.
    bool
        Whether one has failed.
    """
    read = b""
    for number, word in enumerate(words, int.from_bytes(first, "little")):
        address = number % (1 << 8 * ADDRESS_BYTES)
        answer = access(address, word) if address >> address_bits == 0 else None
        if answer is None:
            return read, True
        read += b"" if word is not None else answer.to_bytes(WORD_BYTES, "little")
    return read, False
