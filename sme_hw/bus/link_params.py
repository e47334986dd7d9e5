"""What one UART bridge is built for."""

from dataclasses import dataclass, fields

from ..errors import ParameterError
from ..params import check_choice, check_int
from .link_format import (
    ADDRESS_BYTES,
    BYTE_BITS,
    FRAME_BYTES,
    WORD_BYTES,
    payload_bytes,
)

__all__ = ["LinkParams"]

_FRAME_BYTES = (32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, kw_only=True)
class LinkParams:
    """Sizes of frames and of what travels in them.

    Parameters
    ----------
    input_beat_bytes : int
        Bytes of an input beat.
    dest_bits : int
        Bits of a weight set's number.
    result_beat_bytes : int
        Bytes of a result beat.
    address_bits : int
        Bits of a register's number.
    frame_bytes : int
        Most bytes of a frame with its CRC; a power of two.

    Raises
    ------
    ParameterError
        If something is out of range, or a beat is too long for a frame.
    """

    input_beat_bytes: int
    dest_bits: int
    result_beat_bytes: int
    address_bits: int
    frame_bytes: int = FRAME_BYTES

    def __post_init__(self) -> None:
        for field in fields(self):
            check_int(field.name, getattr(self, field.name), 0, 1 << 16)
        check_choice("frame_bytes", self.frame_bytes, _FRAME_BYTES)
        check_int("dest_bits", self.dest_bits, 0, BYTE_BITS)
        check_int("address_bits", self.address_bits, 1, ADDRESS_BYTES * BYTE_BITS)
        for key in ("input_beat_bytes", "result_beat_bytes"):
            beat = getattr(self, key)
            if not 1 <= beat <= self.payload_max:
                allowed = f"1..{self.payload_max} fit into frames of {self.frame_bytes} bytes"
                raise ParameterError(key, beat, allowed)

    @property
    def payload_max(self) -> int:
        """Most bytes of a payload."""
        return payload_bytes(self.frame_bytes)

    @property
    def read_max(self) -> int:
        """Most words of a READ."""
        return self.payload_max // WORD_BYTES

    @property
    def results_max(self) -> int:
        """Most beats of a response to RESULTS."""
        return self.payload_max // self.result_beat_bytes
