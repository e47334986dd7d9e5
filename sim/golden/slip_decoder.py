"""Reference of :class:`sme_hw.bus.slip_decoder.SlipDecoder`."""

from collections.abc import Sequence

from sme_hw.bus.link_format import END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE

__all__ = ["slip_decoder"]


def slip_decoder(line: Sequence[int | None]) -> list[tuple[int | None, bool, bool]]:
    """Return what each byte of a line means: a byte of a frame, an end, an error.

    Parameters
    ----------
    line : sequence of int, or None
        Bytes; None for something that was none.
    """
    shown = {ESCAPED_END: END, ESCAPED_ESCAPE: ESCAPE}
    meanings: list[tuple[int | None, bool, bool]] = []
    escaped = False
    for byte in line:
        wrong = byte is None or (escaped and byte not in shown)
        end = byte == END
        special = byte in (None, END, ESCAPE)
        value = None if special or wrong or byte is None else shown[byte] if escaped else byte
        meanings.append((value, end, wrong))
        escaped = byte == ESCAPE
    return meanings
