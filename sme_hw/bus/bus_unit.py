# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""A compute unit with registers and byte-wide streams: what stands behind every bus."""

from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from sme_hw.array_cycles import ARRAY_RESET_CLOCKS
from sme_hw.compute_unit import ComputeUnit
from sme_hw.params import PROGRAM_BITS, HardwareParams
from sme_hw.row_conversion import input_payload
from sme_hw.sharing import shared
from sme_hw.skid_buffer import SkidBuffer
from sme_hw.tile_array import TileArray

from .beats import InputBytes, ResultBytes
from .lanes import bus_lanes
from .link_format import COUNTER_BITS
from .register_bus import RegisterBus
from .register_file import RegisterFile
from .registers import address_bits, register_map

__all__ = ["BusUnit"]


class BusUnit(wiring.Component):
    """Put registers and byte-wide streams around a compute unit, or around several.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Compute units: one by itself, or as many in a TileArray.

    Members
    -------
    registers : In(RegisterBus)
        Accesses to the registers of :func:`sme_hw.bus.registers.register_map`.
    program : In(stream.Signature(32))
        Program words.
    i : In(stream.Signature(InputBytes))
        Input vectors.
    o : Out(stream.Signature(ResultBytes))
        Results; streams take a clock more than the unit's own at either end.
    resetting : Out(1)
        Software resets the unit: in this clock and the next, streams lose what they hold.
    corrupt_frames : In(16)
        For the register of that name.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        self.hardware = hardware
        self.units = units
        self.map = register_map(hardware, units)
        self.lanes = bus_lanes(hardware, units)
        self.input_beat = InputBytes(beat_bytes=self.lanes.input_beat, dest_bits=hardware.set_bits)
        self.result_beat = ResultBytes(beat_bytes=self.lanes.result_beat)
        super().__init__(
            {
                "registers": In(RegisterBus(address_bits=address_bits(self.map))),
                "program": In(stream.Signature(PROGRAM_BITS)),
                "i": In(stream.Signature(self.input_beat)),
                "o": Out(stream.Signature(self.result_beat)),
                "resetting": Out(1),
                "corrupt_frames": In(COUNTER_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the unit, its registers and its streams."""
        m = Module()
        unit: Any = ComputeUnit(hardware=self.hardware)
        if self.units > 1:
            unit = TileArray(hardware=self.hardware, units=self.units)
        file = RegisterFile(registers=self.map)
        reset = Signal(init=1)
        more = Signal(ARRAY_RESET_CLOCKS - 1, init=-1)
        m.submodules.unit = shared(unit, platform, reset)
        m.submodules.registers = shared(file, platform)
        wiring.connect(m, wiring.flipped(self.registers), file.bus)
        m.d.comb += self.resetting.eq(file.control_reset)
        m.d.sync += [
            reset.eq(file.control_reset | more.any()),
            more.eq(Cat(file.control_reset, more)),
        ]

        program = SkidBuffer(width=PROGRAM_BITS)
        inputs = SkidBuffer(width=self.input_beat.size)
        results = SkidBuffer(width=self.result_beat.size)
        for name, buffer in (("program", program), ("inputs", inputs), ("results", results)):
            m.submodules[f"{name}_buffer"] = shared(buffer, platform, reset)
        wiring.connect(m, program.o, unit.program)
        for source, buffer in ((self.program, program), (self.i, inputs)):
            # Nothing is taken that the reset would forget.
            m.d.comb += [
                buffer.i.payload.eq(source.payload),
                buffer.i.valid.eq(source.valid & ~reset),
                source.ready.eq(buffer.i.ready & ~reset),
            ]
        wiring.connect(m, results.o, wiring.flipped(self.o))
        out_of_range = self._inputs(m, inputs.o, unit)
        self._results(m, unit, results.i, file.result_packet_vectors, reset)

        if self.units > 1:
            m.d.comb += unit.clip_unit.eq(file.clip_select_unit)
        busy = Signal()
        gone = Signal()
        m.d.comb += [
            unit.clip_plane.eq(file.clip_select_plane),
            file.clips_count.eq(unit.clips),
            file.status_busy.eq(busy),
            file.status_program_error.eq(unit.error),
            file.corrupt_frames_count.eq(self.corrupt_frames),
            file.status_result_waits.eq(self.o.valid),
        ]
        m.d.sync += [
            # What waits before the unit is under way, too.
            busy.eq(unit.busy | program.o.valid | inputs.o.valid),
            gone.eq(unit.o.valid & unit.o.ready & unit.o.payload.last),
            file.status_range_error.eq(~reset & (file.status_range_error | out_of_range)),
        ]
        counted = {
            "cycles": busy,
            "vectors": gone,
            "input_waits": self.i.valid & ~self.i.ready,
            "result_waits": self.o.valid & ~self.o.ready,
        }
        for name, event in counted.items():
            self._count(m, getattr(file, f"{name}_count"), event, file.control_clear)
        return m

    def _inputs(self, m: Module, source: Any, unit: Any) -> Value:
        """Lead bytes to the unit's inputs; returns whether a beat with too large ones is taken."""
        hardware, lane = self.hardware, 8 * self.lanes.input_lane
        beat = self.input_beat(source.payload)
        values = [beat.data.word_select(k, lane) for k in range(self.lanes.inputs)]
        payload = Signal(input_payload(hardware))
        target = Value.cast(payload)
        bits = hardware.input_bits
        dest = beat.dest if hardware.set_bits else Const(0, 0)
        m.d.comb += [
            target.eq(Cat(*(value[:bits] for value in values), dest)),
            unit.i.payload.eq(payload),
            unit.i.valid.eq(source.valid),
            source.ready.eq(unit.i.ready),
        ]
        too_large = Signal()
        for value in values:
            sign = value[bits - 1] if hardware.signed_inputs else 0
            with m.If(value[bits:] != Cat(sign).replicate(lane - bits)):
                m.d.comb += too_large.eq(source.valid & source.ready)
        return too_large

    def _results(self, m: Module, unit: Any, target: Any, vectors: Value, reset: Signal) -> None:
        """Lead results to the bus, and mark the end of packets."""
        lane = 8 * self.lanes.result_lane
        left = Signal(len(vectors))  # vectors of this packet that follow the one under way
        begun = Signal()
        ends = Signal()
        payload, beat = unit.o.payload, self.result_beat(target.payload)
        extended = [Value.cast(result).as_signed() for result in payload.results]
        m.d.comb += [
            beat.data.eq(Cat(self._extended(m, value, lane) for value in extended)),
            ends.eq(Mux(begun, left == 0, vectors <= 1)),
            beat.last.eq(payload.last & ends),
            target.valid.eq(unit.o.valid),
            unit.o.ready.eq(target.ready),
        ]
        with m.If(unit.o.valid & unit.o.ready & payload.last):
            m.d.sync += [
                begun.eq(~ends),
                left.eq(Mux(begun, left, vectors - 1) - 1),
            ]
        with m.If(reset):
            m.d.sync += begun.eq(0)

    def _extended(self, m: Module, value: Value, bits: int) -> Value:
        """Return a signed value with so many bits."""
        result = Signal(signed(bits))
        m.d.comb += result.eq(value)
        return result.as_unsigned()

    def _count(self, m: Module, count: Signal, event: Value, clear: Value) -> None:
        """Count clocks with an event, up to the largest number."""
        with m.If(clear):
            m.d.sync += count.eq(0)
        with m.Elif(event & ~count.all()):
            m.d.sync += count.eq(count + 1)
