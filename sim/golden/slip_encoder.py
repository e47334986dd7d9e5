"""Reference of :class:`sme_hw.bus.slip_encoder.SlipEncoder`."""

from collections.abc import Iterable

from sme_hw.bus.link_format import END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE

__all__ = ["slip_encoder"]


def slip_encoder(content: Iterable[int | None]) -> list[int]:
    """Return bytes of a line for bytes of frames, and None for their ends."""
    line = []
    for byte in content:
        if byte is None:
            line.append(END)
        elif byte == END:
            line += [ESCAPE, ESCAPED_END]
        elif byte == ESCAPE:
            line += [ESCAPE, ESCAPED_ESCAPE]
        else:
            line.append(byte)
    return line
