"""The host, through a pseudo-terminal, with the generated unit and its UART in Verilator."""

import random
import time
from dataclasses import replace

import numpy as np
import pytest
import serial

from rtl_gen.serial_board import SerialBoard, build_serial_board
from sim.cosim.jobs import make_job
from sme_host.device import Device
from sme_host.errors import DeviceError, LinkError
from sme_host.link import Link
from sme_hw.bus.link_format import Kind
from tests.cases.hardware import HARDWARE, random_image, random_inputs
from tests.random_cases import seeded

pytestmark = pytest.mark.rtl

HARDWARE_PARAMS = HARDWARE["sets-reordered"]

TIMEOUT = 0.02
"""Seconds that a read of the port waits."""


@pytest.fixture(scope="module")
def executable(tmp_path_factory):
    """Build the unit once."""
    return build_serial_board(HARDWARE_PARAMS, tmp_path_factory.mktemp("board"), frame_bytes=64)


@pytest.fixture
def board(executable):
    """Return a board after reset."""
    with SerialBoard(executable) as running:
        yield running


@pytest.fixture
def port(board):
    """Return its port."""
    with serial.Serial(board.port, timeout=TIMEOUT) as opened:
        yield opened


class BadPort:
    """A port that loses, repeats and changes bytes, in both directions."""

    def __init__(self, port, rng, share):
        self._port, self._rng, self._share = port, rng, share
        self.faults = 0

    def _spoil(self, data):
        spoilt = bytearray()
        for byte in data:
            if self._rng.random() >= self._share:
                spoilt.append(byte)
                continue
            self.faults += 1
            kind = self._rng.randrange(3)
            spoilt += [b"", bytes([byte, byte]), bytes([byte ^ 1 << self._rng.randrange(8)])][kind]
        return bytes(spoilt)

    def read(self, size):
        """Return bytes, some of them spoilt."""
        return self._spoil(self._port.read(size))

    def write(self, data):
        """Send bytes, some of them spoilt."""
        self._port.write(self._spoil(data))


def random_job(rng, vectors):
    """Return random tiles for all sets, with vectors in any order."""
    hardware = HARDWARE_PARAMS
    sizes = [(hardware.rows, hardware.cols), (3, 2), (hardware.rows - 1, 1), (1, hardware.cols)]
    images = [random_image(rng, hardware, *sizes[s % 4]) for s in range(hardware.weight_sets)]
    inputs = [random_inputs(rng, hardware, vectors, image.inputs) for image in images]
    order = rng.permutation(np.repeat(np.arange(len(images)), vectors))
    return make_job("", images, hardware, inputs, order)


def run(device, job):
    """Load a job's tiles and run its vectors; every value and clip must be as expected."""
    device.load(job.images)
    told = []
    results = device.run(
        job.inputs, job.order, [image.columns for image in job.images], told.append
    )
    for found, expected in zip(results, job.results, strict=True):
        assert (found == expected).all()
    assert device.clips() == job.clips.tolist()
    assert device.counters()["vectors"] == len(job.order) == told[-1]
    assert told == sorted(told)


def test_results_and_counters(port):
    """Several programs one after the other: all results, clips and counts are exact."""
    rng = seeded(71)
    device = Device(Link(port), HARDWARE_PARAMS)
    device.open()
    for vectors in (1, 9):
        run(device, random_job(rng, vectors))
    device.open()  # starting anew leaves nothing behind
    run(device, random_job(rng, 2))


@pytest.mark.parametrize("share", [0.002, 0.01])
def test_bad_line(port, share):
    """Bytes are lost, repeated and changed: requests are repeated, results are exact."""
    rng = seeded(72)
    bad = BadPort(port, random.Random(int(share * 1e4)), share)
    link = Link(bad, patience=0.1, attempts=50)
    device = Device(link, HARDWARE_PARAMS)
    device.open()
    run(device, random_job(rng, 6))
    assert bad.faults > 5
    assert link.repeats > 0


def test_reset_in_the_middle(board, port):
    """The board loses power between frames, or within one: an error, and all is well after it."""
    rng = seeded(73)
    job = random_job(rng, 3)
    columns = [image.columns for image in job.images]
    device = Device(Link(port, patience=0.1), HARDWARE_PARAMS)
    device.open()
    device.load(job.images)
    board.reset()
    time.sleep(0.05)
    with pytest.raises(LinkError, match="the board was reset: connect and load it again"):
        device.run(job.inputs, job.order, columns)
    device.open()
    run(device, job)
    # Half a frame, then the reset.
    port.write(bytes([0xC0, Kind.PROGRAM, 3]))
    time.sleep(0.05)
    board.reset()
    time.sleep(0.05)
    with pytest.raises(LinkError, match="the board was reset"):
        device.clips() if not HARDWARE_PARAMS.merged else device.counters()
    device.open()
    run(device, job)


def test_another_design(port):
    """A board that was built for other parameters is not used."""
    link = Link(port)
    wanted = replace(HARDWARE_PARAMS, rows=HARDWARE_PARAMS.rows + 1)
    with pytest.raises(DeviceError, match="wrong bitstream: the board was built for other param"):
        Device(link, wanted).open()
    Device(link, HARDWARE_PARAMS).open()


def test_inputs_and_programs_that_are_wrong(port):
    """What the unit refuses is told of, and it works again afterwards."""
    job = random_job(seeded(74), 2)
    device = Device(Link(port), HARDWARE_PARAMS, patience=0.5)
    device.open()
    columns = [image.columns for image in job.images]
    # Without a program no vector is taken.
    with pytest.raises(DeviceError, match="the unit does not go on: 0 of "):
        device.run(job.inputs, job.order, columns)
    device.open()
    run(device, job)


def test_silence():
    """Nothing at the other end."""

    class Silent:
        def read(self, size):
            return b""

        def write(self, data):
            return len(data)

    with pytest.raises(LinkError, match="no answer to CONNECT after 3 attempts: wrong port"):
        Link(Silent(), patience=0.01, attempts=3).connect()
