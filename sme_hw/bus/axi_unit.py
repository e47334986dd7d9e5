# amaranth: UnusedElaboratable=no
# Equal modules are emitted once (see sharing.py), so most of them are never elaborated.
"""A compute unit with AXI4: registers on AXI4-Lite, program, inputs and results on AXI4-Stream."""

from typing import Any

from amaranth import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from sme_hw.params import PROGRAM_BITS, HardwareParams
from sme_hw.sharing import shared

from .axi_lite import AxiLite, AxiLiteSignature
from .bus_unit import BusUnit
from .lanes import bus_lanes
from .registers import address_bits, register_map

__all__ = ["INTERFACES", "AxiUnit"]

REGISTERS, PROGRAM, INPUTS, RESULTS = "s_axi", "s_axis_program", "s_axis_input", "m_axis_result"
INTERFACES = (REGISTERS, PROGRAM, INPUTS, RESULTS)
"""What the ports of each interface begin with."""


class AxiUnit(wiring.Component):
    """Put a compute unit, or several, on AXI4 buses (Arm IHI 0022 and 0051).

    Ports have the names that tools find interfaces by. All of them belong to the clock ``clk``.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        As of a :class:`sme_hw.bus.bus_unit.BusUnit`.

    Members
    -------
    ``s_axi_*``
        AXI4-Lite, 32 bits: the registers of :func:`sme_hw.bus.registers.register_map`. Accesses to
        others, and writes to those that can only be read, are answered with SLVERR.
    ``s_axis_program_*``
        AXI4-Stream, 32 bits: program words (:mod:`sme_hw.program`).
    ``s_axis_input_*``
        AXI4-Stream: input vectors. ``tdest`` is the weight set; only with several.
    ``m_axis_result_*``
        AXI4-Stream: results. ``tlast`` marks the end of a packet: ``result_packet`` vectors.
    """

    def __init__(self, *, hardware: HardwareParams, units: int):
        self.hardware = hardware
        self.units = units
        lanes = bus_lanes(hardware, units)
        self.address_bits = address_bits(register_map(hardware, units))
        lite = AxiLiteSignature(self.address_bits + 2)
        members: dict[str, Any] = {
            f"{REGISTERS}_{name}": member for name, member in lite.members.items()
        }
        dest = {"tdest": hardware.set_bits} if hardware.set_bits else {}
        streams = {
            PROGRAM: (In, {"tdata": PROGRAM_BITS}),
            INPUTS: (In, {"tdata": 8 * lanes.input_beat} | dest),
            RESULTS: (Out, {"tdata": 8 * lanes.result_beat, "tlast": 1}),
        }
        for prefix, (way, fields) in streams.items():
            back = Out if way is In else In
            members |= {f"{prefix}_{name}": way(bits) for name, bits in fields.items()}
            members |= {f"{prefix}_tvalid": way(1), f"{prefix}_tready": back(1)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Connect the buses."""
        m = Module()
        unit = BusUnit(hardware=self.hardware, units=self.units)
        lite = AxiLite(address_bits=self.address_bits)
        m.submodules.unit = shared(unit, platform)
        m.submodules.axi_lite = shared(lite, platform)
        wiring.connect(m, lite.registers, unit.registers)
        for name, member in lite.bus.signature.members.items():
            port, inner = self._port(REGISTERS, name), getattr(lite.bus, name)
            m.d.comb += inner.eq(port) if member.flow is In else port.eq(inner)
        self._into(m, PROGRAM, unit.program, {"tdata": unit.program.payload})
        fields = {"tdata": unit.i.payload.data}
        if self.hardware.set_bits:
            fields["tdest"] = unit.i.payload.dest
        self._into(m, INPUTS, unit.i, fields)
        m.d.comb += [
            self._port(RESULTS, "tdata").eq(unit.o.payload.data),
            self._port(RESULTS, "tlast").eq(unit.o.payload.last),
            self._port(RESULTS, "tvalid").eq(unit.o.valid),
            unit.o.ready.eq(self._port(RESULTS, "tready")),
        ]
        return m

    def _port(self, interface: str, name: str) -> Any:
        return getattr(self, f"{interface}_{name}")

    def _into(self, m: Module, interface: str, target: Any, fields: dict[str, Value]) -> None:
        """Lead a stream to the unit."""
        for name, value in fields.items():
            m.d.comb += value.eq(self._port(interface, name))
        m.d.comb += [
            target.valid.eq(self._port(interface, "tvalid")),
            self._port(interface, "tready").eq(target.ready),
        ]
