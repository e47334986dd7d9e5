"""A board with compute units: load tiles, send vectors, read results and counters."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rtl_gen.host.sme_registers import Registers
from sim.golden.bus_unit import input_bytes, result_sizes, results_of_bytes
from sme_hw.array_image import ArrayImage
from sme_hw.array_program import UNITS_MAX
from sme_hw.bus.bus_pack import bus_program
from sme_hw.bus.lanes import bus_lanes
from sme_hw.bus.link_format import ADDRESS_BYTES, WORD_BYTES, Kind, Status, payload_bytes
from sme_hw.bus.registers import ID, as_json, fingerprint, register_map
from sme_hw.pack import in_order
from sme_hw.params import HardwareParams

from .errors import DeviceError
from .link import Link

__all__ = ["Device"]


class Device:
    """Compute units behind a link, as many as the board was built with.

    Parameters
    ----------
    link : Link
    hardware : HardwareParams
        What the board should have been built for.
    patience : float
        Seconds without any progress after which a run is given up.

    Attributes
    ----------
    units : int
        Compute units; 1 until the board was opened.
    """

    def __init__(self, link: Link, hardware: HardwareParams, patience: float = 10.0):
        self._link = link
        self._hardware = hardware
        self._patience = patience
        self._set_units(1)

    def _set_units(self, units: int) -> None:
        self.units = units
        self._lanes = bus_lanes(self._hardware, units)
        table = as_json(register_map(self._hardware, units))
        self._registers = Registers(table, self._read_word, self._write_word)

    def open(self) -> None:
        """Connect, reset the units, and make sure that they are the ones that are meant.

        Raises
        ------
        LinkError
            Nothing answers.
        DeviceError
            Something else answers, or units that were built for other parameters.
        """
        self._link.connect()
        found = self._registers.read("id")
        if found != ID:
            raise DeviceError(f"the board has no SME unit: its first register reads {found:#010x}")
        mark = self._registers.read("fingerprint_high") << 32
        mark |= self._registers.read("fingerprint_low")
        # Where constants stand does not depend on the number of units.
        units = self._registers.read("build")["units"]
        wanted = fingerprint(self._hardware, units)
        if mark != wanted or not 1 <= units <= UNITS_MAX:
            size = self._registers.read("size")
            raise DeviceError(
                f"wrong bitstream: the board was built for other parameters (fingerprint "
                f"{mark:016x} with {size['rows']} x {size['columns']} crossbars) than the design "
                f"({wanted:016x} with {self._hardware.rows} x {self._hardware.cols})"
            )
        self._set_units(units)
        self._registers.write("control", reset=1, clear=1)

    def load(self, images: Sequence[ArrayImage]) -> None:
        """Load tiles into all units.

        Parameters
        ----------
        images : sequence of ArrayImage
            One for each weight set.

        Raises
        ------
        InputError
            They do not fit the units.
        DeviceError
            The board takes the program for an error.
        """
        data = bus_program(images, self._hardware, self.units).astype("<u4").tobytes()
        step = payload_bytes(self._link.frame_bytes) // WORD_BYTES * WORD_BYTES
        for first in range(0, len(data), step):
            self._program(data[first : first + step])
        self._idle("a program")
        self._registers.write("control", clear=1)

    def run(
        self,
        packets: Sequence[Sequence[np.ndarray]],
        order: np.ndarray,
        columns: Sequence[Sequence[int]],
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[list[np.ndarray]]:
        """Return the results of vectors.

        Parameters
        ----------
        packets : sequence of sequence of numpy.ndarray of integers, shape (vectors, inputs)
            For each weight set, the input packets of its vectors.
        order : numpy.ndarray of integers, shape (all vectors,)
            Set of every vector, in the order in which they are sent.
        columns : sequence of sequence of int
            For each set, columns of its result packets.
        progress : callable
            Told how many vectors are done.

        Returns
        -------
        list of list of numpy.ndarray of int64, shape (vectors, columns)
            For each set, its result packets.

        Raises
        ------
        LinkError
            The link is lost.
        DeviceError
            The unit does not go on, or says that something is wrong.
        """
        of_set = [sum(result_sizes(counts, self._hardware, self.units)) for counts in columns]
        sizes = [of_set[s] for s in order.tolist()]
        ends = np.cumsum(sizes)
        vectors = in_order(
            order, [input_bytes(part, self._hardware, self.units) for part in packets]
        )
        frames = self._input_frames(order.tolist(), vectors)
        received = bytearray()
        waits_since = time.monotonic()
        while len(received) < ends[-1]:
            moved = False
            if frames and self._link.request(Kind.INPUT, *frames[0]).argument != Status.BUSY:
                frames.pop(0)
                moved = True
            if not moved or not frames:
                part = self._results()
                received += part
                moved = moved or bool(part)
                progress(int(np.searchsorted(ends, len(received), side="right")))
            if moved:
                waits_since = time.monotonic()
            elif time.monotonic() - waits_since > self._patience:
                raise DeviceError(
                    f"the unit does not go on: {len(received)} of {ends[-1]} bytes of results "
                    f"after {self._patience:g} s ({self._state()})"
                )
        self._idle("a vector")
        if self._registers.read("status")["result_waits"]:
            raise DeviceError("there are more results than were asked for")
        starts = [0, *ends[:-1].tolist()]
        parts: list[list[bytes]] = [[] for _ in columns]
        for s, start, size in zip(order.tolist(), starts, sizes, strict=True):
            parts[s].append(bytes(received[start : start + size]))
        return [
            results_of_bytes(part, counts, self._hardware, self.units)
            for part, counts in zip(parts, columns, strict=True)
        ]

    def clips(self) -> np.ndarray:
        """Return the clip counters: int64, shape (units, planes), the highest plane first."""
        found = np.zeros((self.units, self._hardware.planes), np.int64)
        if not self._hardware.merged:
            for (unit, plane), _ in np.ndenumerate(found):
                selected = {"unit": unit} if self.units > 1 else {}
                self._registers.write("clip_select", plane=plane, **selected)
                found[unit, plane] = self._registers.read("clips")
        return found

    def counters(self) -> Mapping[str, int]:
        """Return the counters by name."""
        names = ("cycles", "vectors", "input_waits", "result_waits")
        return {name: self._registers.read(name) for name in names}

    def _input_frames(
        self, order: Sequence[int], vectors: Sequence[bytes]
    ) -> list[tuple[int, bytes]]:
        """Return frames of whole beats: weight set and bytes; vectors of one set share them."""
        beat = self._lanes.input_beat
        step = payload_bytes(self._link.frame_bytes) // beat * beat
        frames: list[tuple[int, bytes]] = []
        runs: list[tuple[int, bytearray]] = []
        for weight_set, vector in zip(order, vectors, strict=True):
            if not runs or runs[-1][0] != weight_set:
                runs.append((weight_set, bytearray()))
            runs[-1][1].extend(vector)
        for weight_set, data in runs:
            for first in range(0, len(data), step):
                frames.append((weight_set, bytes(data[first : first + step])))
        return frames

    def _results(self) -> bytes:
        """Return what results there are."""
        most = payload_bytes(self._link.frame_bytes) // self._lanes.result_beat
        return self._link.request(Kind.RESULTS, min(most, 255)).payload

    def _program(self, data: bytes) -> None:
        """Send words of a program when those before were taken."""
        deadline = time.monotonic() + self._patience
        while self._link.request(Kind.PROGRAM, 0, data).argument == Status.BUSY:
            if time.monotonic() > deadline:
                raise DeviceError(f"the unit takes no program ({self._state()})")

    def _idle(self, what: str) -> None:
        """Wait until the unit is done, and make sure that nothing is wrong."""
        deadline = time.monotonic() + self._patience
        while (status := self._registers.read("status"))["busy"]:
            if time.monotonic() > deadline:
                raise DeviceError(f"the unit is not done with {what} ({self._state()})")
        for name, text in (
            ("program_error", "the unit takes its program for an error"),
            ("range_error", "the unit was sent inputs beyond its input bits"),
        ):
            if status[name]:
                raise DeviceError(text)

    def _state(self) -> str:
        status = self._registers.read("status")
        return ", ".join(f"{name} {value}" for name, value in status.items())

    def _read_word(self, address: int) -> int:
        payload = (address // WORD_BYTES).to_bytes(ADDRESS_BYTES, "little")
        answer = self._link.request(Kind.READ, 1, payload)
        if answer.argument == Status.BUS_ERROR or len(answer.payload) != WORD_BYTES:
            raise DeviceError(f"the board has no register at {address:#x}")
        return int.from_bytes(answer.payload, "little")

    def _write_word(self, address: int, value: int) -> None:
        payload = (address // WORD_BYTES).to_bytes(ADDRESS_BYTES, "little")
        payload += value.to_bytes(WORD_BYTES, "little")
        if self._link.request(Kind.WRITE, 0, payload).argument == Status.BUS_ERROR:
            raise DeviceError(f"the board has no register to write at {address:#x}")
