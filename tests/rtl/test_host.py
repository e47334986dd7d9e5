"""The host, through a pseudo-terminal, with the generated unit and its UART in Verilator."""

import random
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
import serial

from rtl_gen.serial_board import SerialBoard, build_serial_board
from sim.execution import LayerEngine
from sim.golden.tile_array import tile_array_sets
from sim.mapping import load_parameters, map_matrix
from sme_host.device import Device
from sme_host.errors import DeviceError, LinkError
from sme_host.link import Link
from sme_host.run import run_layers
from sme_hw.array_image import ArrayImage
from sme_hw.bus.link_format import Kind
from tests.cases.array_run import random_array, random_packets
from tests.cases.hardware import HARDWARE, random_inputs
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


@dataclass(frozen=True, eq=False)
class Job:
    """What a board is to do, and what must come of it.

    Parameters
    ----------
    images : list of ArrayImage
    packets : list of list of numpy.ndarray
    order : numpy.ndarray
    columns : list of list of int
        As for :class:`Device`.
    results : list of tuple of numpy.ndarray
        For each set, its result packets.
    clips : numpy.ndarray of int64, shape (units, planes)
    """

    images: list[ArrayImage]
    packets: list[list[np.ndarray]]
    order: np.ndarray
    columns: list[list[int]]
    results: list[tuple[np.ndarray, ...]]
    clips: np.ndarray


def random_job(rng, hardware, vectors, units=1):
    """Return random tiles for all units and sets, with vectors in any order."""
    sets = hardware.weight_sets
    images = [random_array(rng, hardware, units if s == 0 else 1) for s in range(sets)]
    packets = [random_packets(rng, hardware, image, vectors) for image in images]
    order = rng.permutation(np.repeat(np.arange(sets), vectors))
    results, clips = tile_array_sets(images, hardware, units, packets)
    return Job(images, packets, order, [image.packet_columns for image in images], results, clips)


def run(device, job):
    """Load a job's tiles and run its vectors; every value and clip must be as expected."""
    device.load(job.images)
    told = []
    results = device.run(job.packets, job.order, job.columns, told.append)
    for found, expected in zip(results, job.results, strict=True):
        for values, golden in zip(found, expected, strict=True):
            assert values.tolist() == golden.tolist()
    assert device.clips().tolist() == job.clips.tolist()
    assert device.counters()["vectors"] == len(job.order) == told[-1]
    assert told == sorted(told)


def test_results_and_counters(port):
    """Several programs one after the other: all results, clips and counts are exact."""
    rng = seeded(71)
    device = Device(Link(port), HARDWARE_PARAMS)
    device.open()
    for vectors in (1, 9):
        run(device, random_job(rng, HARDWARE_PARAMS, vectors))
    device.open()  # starting anew leaves nothing behind
    run(device, random_job(rng, HARDWARE_PARAMS, 2))


def test_several_units(tmp_path):
    """A board of three units: the host learns of them, and runs a layer larger than all of them."""
    rng = seeded(75)
    parameters = load_parameters("tiny", rows=6, cols=5, adc_bits=2, weight_sets=2)
    hardware = parameters.hardware
    executable = build_serial_board(hardware, tmp_path, units=3)
    layer = map_matrix(rng.normal(size=(20, 13)), parameters)
    inputs = random_inputs(rng, hardware, 5, layer.inputs)
    with SerialBoard(executable) as board, serial.Serial(board.port, timeout=TIMEOUT) as port:
        device = Device(Link(port), hardware)
        device.open()
        assert device.units == 3
        for vectors in (1, 6):
            run(device, random_job(rng, hardware, vectors, units=3))
        told = []
        (found,) = run_layers(device, [(layer, inputs)], lambda name, more: told.append(more))
    expected, clips = LayerEngine(layer).run(inputs)
    assert found.equal
    assert found.outputs.tolist() == expected.tolist()
    assert found.clips == clips.sum() > 0
    # 4 x 3 tiles, three at a time.
    assert (found.tiles, found.vectors) == (12, 4 * len(inputs))
    assert sum(told) == found.vectors


@pytest.mark.parametrize("share", [0.002, 0.01])
def test_bad_line(port, share):
    """Bytes are lost, repeated and changed: requests are repeated, results are exact."""
    rng = seeded(72)
    bad = BadPort(port, random.Random(int(share * 1e4)), share)
    link = Link(bad, patience=0.1, attempts=50)
    device = Device(link, HARDWARE_PARAMS)
    device.open()
    run(device, random_job(rng, HARDWARE_PARAMS, 6))
    assert bad.faults > 5
    assert link.repeats > 0


def test_reset_in_the_middle(board, port):
    """The board loses power between frames, or within one: an error, and all is well after it."""
    rng = seeded(73)
    job = random_job(rng, HARDWARE_PARAMS, 3)
    device = Device(Link(port, patience=0.1), HARDWARE_PARAMS)
    device.open()
    device.load(job.images)
    board.reset()
    time.sleep(0.05)
    with pytest.raises(LinkError, match="the board was reset: connect and load it again"):
        device.run(job.packets, job.order, job.columns)
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
    job = random_job(seeded(74), HARDWARE_PARAMS, 2)
    device = Device(Link(port), HARDWARE_PARAMS, patience=0.5)
    device.open()
    # Without a program no vector is taken.
    with pytest.raises(DeviceError, match="the unit does not go on: 0 of "):
        device.run(job.packets, job.order, job.columns)
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
