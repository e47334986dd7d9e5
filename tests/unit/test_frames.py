"""Frames as the host and the references have them, and sizes that are refused."""

import random
from dataclasses import replace

import pytest

from sim.golden.frame_receiver import frame_receiver
from sim.golden.frame_sender import frame_sender
from sim.golden.slip_decoder import slip_decoder
from sim.golden.slip_encoder import slip_encoder
from sme_host.frames import decode_frame, encode_frame, split_frames
from sme_hw.bus.link_format import END, ESCAPE, Frame
from sme_hw.bus.link_params import LinkParams
from sme_hw.errors import ParameterError
from tests.cases.case import SEED
from tests.cases.link_bridge import header
from tests.serial_line import damaged

LINK = LinkParams(input_beat_bytes=8, dest_bits=1, result_beat_bytes=8, address_bits=8)


def test_encoding() -> None:
    """The host's bytes are those of the reference, and it reads them back."""
    generator = random.Random(SEED)
    for length in range(60):
        payload = bytes(generator.choice((END, ESCAPE, 0xDC, 0xDD, 7)) for _ in range(length))
        frame = Frame(*generator.randbytes(3), payload)
        line = encode_frame(frame)
        assert list(line) == slip_encoder(frame_sender(header(frame)))
        assert split_frames(line + line[:3]) == ([line[1:-1]], line[1:3])
        assert decode_frame(line[1:-1]) == frame


def test_damaged() -> None:
    """The host takes for corrupt what the reference does."""
    generator = random.Random(SEED)
    good = 0
    for _ in range(300):
        frame = Frame(*generator.randbytes(3), generator.randbytes(12))
        line = damaged(generator, encode_frame(frame), 0.05) + bytes([END])
        frames = [f and header(f) for f in map(decode_frame, split_frames(line)[0])]
        assert frames == frame_receiver(slip_decoder(line), 64)
        good += frames == [header(frame)]
    assert 50 < good < 250


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("frame_bytes", 100, "one of 32, 64"),
        ("dest_bits", 9, "0..8"),
        ("dest_bits", -1, "an integer"),
        ("address_bits", 0, "1..16"),
        ("address_bits", 17, "1..16"),
        ("input_beat_bytes", 250, "1..249 fit into frames of 256 bytes"),
        ("input_beat_bytes", 0, "1..249"),
        ("result_beat_bytes", 2.0, "an integer"),
    ],
)
def test_sizes_refused(key: str, value: object, message: str) -> None:
    """A bridge that would not work is not built."""
    with pytest.raises(ParameterError, match=f"{key} = {value} is not possible: .*{message}"):
        replace(LINK, **{key: value})
