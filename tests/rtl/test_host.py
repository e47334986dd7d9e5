"""The host, through a pseudo-terminal, with the tops of boards in Verilator, pins and all."""

import random
import shutil
import time
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from pathlib import Path

import pytest
import serial

from rtl_gen.boards.board import Board, load_board
from rtl_gen.boards.top import RESET_SECONDS
from rtl_gen.serial_board import SerialBoard, build_serial_board
from rtl_gen.tb.run import SimulatorError
from sim.execution import LayerEngine
from sim.mapping import load_parameters, map_matrix
from sme_host.device import Device
from sme_host.errors import DeviceError, LinkError
from sme_host.link import Link, patience
from sme_host.run import run_layers
from sme_hw.bus.link_format import FRAME_BYTES, Kind
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams
from tests.board_jobs import BadPort, compute, random_job
from tests.cases.hardware import HARDWARE, random_inputs
from tests.command_line import report, run
from tests.random_cases import seeded

pytestmark = pytest.mark.rtl

NETWORKS = Path(__file__).parents[1] / "networks"

TIMEOUT = 0.02
"""Seconds that a read of the port waits."""

LOCK_CLOCKS = 64
"""After which the loops of rtl_gen/tb/cells_loop.v lock."""

TINY = load_parameters("tiny", weight_sets=2).hardware
SETS = HARDWARE["sets-reordered"]


@dataclass(frozen=True)
class Built:
    """A board that was built for a simulation."""

    board: Board
    hardware: HardwareParams
    executable: Path

    @property
    def clocks_per_bit(self):
        """Return what the board's file says, or what it was changed to."""
        return self.board.clock_hz / self.board.baud


CLOCKS_PER_BIT = 4
"""As few as there may be, so that time is spent on computing."""

BOARDS = {
    # A loop; its LED is on while the pin is 0.
    "icebreaker": (SETS, CLOCKS_PER_BIT),
    # A loop, and primitives of that family within the unit.
    "ulx3s_85f": (TINY, None),
    # A reset button.
    "arty_a7_35": (TINY, CLOCKS_PER_BIT),
}
"""By board, parameters and clocks a bit; None for the rate that its file says."""

READY = {"icebreaker": ((1,), (0,)), "ulx3s_85f": ((0, 1), (1, 1)), "arty_a7_35": ((0,), (1,))}
"""Levels of the pins of a board's file, in its reset and after it.

The LED of iCEBreaker lies between its pin and the supply; ULX3S has a second pin, always 1."""


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Return a function that builds a board once."""

    @cache
    def build(name):
        hardware, clocks_per_bit = BOARDS[name]
        board = load_board(name)
        if clocks_per_bit is not None:
            board = replace(board, baud=round(board.clock_hz / clocks_per_bit))
        folder = tmp_path_factory.mktemp(name)
        return Built(board, hardware, build_serial_board(board, hardware, folder))

    return build


@pytest.fixture
def built(request, builds):
    """Return a board, built."""
    return builds(request.param)


@pytest.fixture
def board(built):
    """Return a board that got power."""
    with SerialBoard(built.board, built.executable) as running:
        yield running


@pytest.fixture
def port(board):
    """Return its port."""
    with serial.Serial(board.port, timeout=TIMEOUT) as opened:
        yield opened


def on(*names):
    """Run a test on some boards."""
    return pytest.mark.parametrize("built", names, indirect=True)


def settled(board, changes):
    """Return what the pins did, once there were so many changes."""
    deadline = time.monotonic() + 20
    while len((state := board.pins()).levels) <= changes:
        assert time.monotonic() < deadline, state
    return state


@on(*BOARDS)
def test_pins(built, board, port):
    """The unit starts so long after power came, and its pins say so; bits have their length."""
    in_reset, ready = READY[built.board.name]
    clocks = ceil(RESET_SECONDS * built.board.clock_hz)
    clocks += LOCK_CLOCKS if built.board.pll else 0
    for again in (True, False):
        (start, first), (change, second) = settled(board, 1).levels
        assert (start, first, second) == (0, in_reset, ready)
        assert clocks <= change <= clocks + 4
        Link(port).connect()
        state = board.pins()
        assert state.shortest_bit == built.clocks_per_bit
        assert len(state.levels) == 2
        if again:
            board.reset()


@pytest.mark.parametrize(
    ("built", "counts"),
    [("icebreaker", (1, 9)), ("ulx3s_85f", (2,)), ("arty_a7_35", (1, 9))],
    indirect=["built"],
)
def test_results_and_counters(built, port, counts):
    """Several programs one after the other: all results, clips and counts are exact."""
    rng = seeded(71)
    device = Device(Link(port), built.hardware)
    device.open()
    for vectors in counts:
        compute(device, random_job(rng, built.hardware, vectors))
    device.open()  # starting anew leaves nothing behind
    compute(device, random_job(rng, built.hardware, 2))


def test_several_units(tmp_path):
    """A board of three units: the host learns of them, and runs a layer larger than all of them."""
    rng = seeded(75)
    parameters = load_parameters("tiny", rows=6, cols=5, adc_bits=2, weight_sets=2)
    hardware = parameters.hardware
    board = load_board("icebreaker")
    board = replace(board, baud=round(board.clock_hz / 4))
    executable = build_serial_board(board, hardware, tmp_path, units=3)
    layer = map_matrix(rng.normal(size=(20, 13)), parameters)
    inputs = random_inputs(rng, hardware, 5, layer.inputs)
    with (
        SerialBoard(board, executable) as running,
        serial.Serial(running.port, timeout=TIMEOUT) as port,
    ):
        device = Device(Link(port), hardware)
        device.open()
        assert device.units == 3
        for vectors in (1, 6):
            compute(device, random_job(rng, hardware, vectors, units=3))
        told = []
        (found,) = run_layers(device, [(layer, inputs)], lambda name, more: told.append(more))
    expected, clips = LayerEngine(layer).run(inputs)
    assert found.equal
    assert found.outputs.tolist() == expected.tolist()
    assert found.clips == clips.sum() > 0
    # 4 x 3 tiles, three at a time.
    assert (found.tiles, found.vectors) == (12, 4 * len(inputs))
    assert sum(told) == found.vectors


@on("icebreaker")
@pytest.mark.parametrize("share", [0.002, 0.005])
def test_bad_line(built, port, share):
    """Bytes are lost, repeated and changed: requests are repeated, results are exact."""
    rng = seeded(72)
    bad = BadPort(port, random.Random(int(share * 1e4)), share)
    link = Link(bad, patience=0.1, attempts=50)
    device = Device(link, built.hardware)
    device.open()
    compute(device, random_job(rng, built.hardware, 6))
    assert bad.faults > 5
    assert link.repeats > 0


@on("icebreaker")
def test_reset_in_the_middle(built, board, port):
    """The board loses power between frames, or within one: an error, and all is well after it."""
    job = random_job(seeded(73), built.hardware, 3)
    device = Device(Link(port), built.hardware)
    device.open()
    device.load(job.images)
    board.reset()
    settled(board, 1)
    with pytest.raises(LinkError, match="the board was reset: connect and load it again"):
        device.run(job.packets, job.order, job.columns)
    device.open()
    compute(device, job)
    # Half a frame, then the reset.
    port.write(bytes([0xC0, Kind.PROGRAM, 3]))
    time.sleep(0.05)
    board.reset()
    settled(board, 1)
    with pytest.raises(LinkError, match="the board was reset"):
        device.counters()
    device.open()
    compute(device, job)


@on("arty_a7_35")
def test_reset_button(built, board, port):
    """While it is pressed, nothing answers; the unit starts anew some time after that."""
    job = random_job(seeded(75), built.hardware, 2)
    link = Link(port, patience=0.3, attempts=4)
    device = Device(link, built.hardware)
    device.open()
    compute(device, job)
    board.press(True)
    settled(board, 2)
    with pytest.raises(LinkError, match="no answer"):
        device.counters()
    board.press(False)
    pressed, released = settled(board, 3).levels[2:]
    assert (pressed[1], released[1]) == READY[built.board.name]
    assert released[0] - pressed[0] > RESET_SECONDS * built.board.clock_hz
    with pytest.raises(LinkError, match="the board was reset: connect and load it again"):
        device.counters()
    device.open()
    compute(device, job)


@on("icebreaker", "ulx3s_85f")
def test_another_design(built, port):
    """A board that was built for other parameters is not used."""
    link = Link(port)
    wanted = replace(built.hardware, rows=built.hardware.rows + 1)
    with pytest.raises(DeviceError, match="wrong bitstream: the board was built for other param"):
        Device(link, wanted).open()
    Device(link, built.hardware).open()


@on("icebreaker")
def test_inputs_and_programs_that_are_wrong(built, port):
    """What the unit refuses is told of, and it works again afterwards."""
    job = random_job(seeded(74), built.hardware, 2)
    device = Device(Link(port), built.hardware, patience=0.5)
    device.open()
    # Without a program no vector is taken.
    with pytest.raises(DeviceError, match="the unit does not go on: 0 of "):
        device.run(job.packets, job.order, job.columns)
    device.open()
    compute(device, job)


@on("ulx3s_85f")
def test_command_line(board, capsys, tmp_path, monkeypatch):
    """`sme host` runs a matrix and a network; another bitstream is an error of one line."""
    monkeypatch.chdir(tmp_path)
    arguments = ("host", board.port, "--preset", "tiny", "--weight-sets", 2)
    found = report(*arguments)
    assert found["equal"]
    assert found["layers"][0]["results"] == 8 * TINY.cols * TINY.weight_sets
    assert "EQUAL" in capsys.readouterr().out
    model, data = (NETWORKS / name for name in ("residual_dynamo.onnx", "residual.npz"))
    which = ("--layers", "classifier*", "--calibration-images", 8, "--normalise", "none")
    (layer,) = report(*arguments, model, "--data", data, *which)["layers"]
    assert (layer["name"], layer["mismatches"]) == ("classifier.weight", 0)
    assert layer["results"] == 5
    code, out, err = run(capsys, *arguments, "--rows", 9)
    assert (code, out) == (1, "")
    assert err.startswith("error: wrong bitstream: the board was built for other parameters")
    assert err.count("\n") == 1


def test_silence():
    """Nothing at the other end."""

    class Silent:
        def read(self, size):
            return b""

        def write(self, data):
            return len(data)

    with pytest.raises(LinkError, match="no answer to CONNECT after 3 attempts: wrong port"):
        Link(Silent(), patience=0.01, attempts=3).connect()


def test_simulation_that_ends():
    """A program that is no simulation is not waited for."""
    with pytest.raises(SimulatorError, match="the simulation of the board ended"):
        SerialBoard(load_board("icebreaker"), shutil.which("true"))


def test_port_that_fails():
    """An adapter that is unplugged is a lost link."""

    class Gone:
        def read(self, size):
            raise serial.SerialException("device disconnected")

    with pytest.raises(LinkError, match="the serial port failed: device disconnected"):
        Link(Gone()).connect()


def test_patience():
    """A slow line is waited for: a frame of each way, every byte of it escaped."""
    bits = 2 * 2 * FRAME_BYTES * 10
    assert patience(1200) > bits / 1200
    assert patience(1_000_000) < 1


def test_board_without_a_serial_line(tmp_path):
    """There is nothing that a host could talk to."""
    with pytest.raises(InputError, match="board arty_z7_20: kind = 'axi' is no serial line"):
        build_serial_board(load_board("arty_z7_20"), TINY, tmp_path)
