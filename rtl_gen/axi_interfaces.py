"""Which ports of a module make up an AXI interface, and what tools are told of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "CLOCK",
    "MEMORY_MAPPED",
    "RESET",
    "STREAM",
    "Interface",
    "Ports",
    "Single",
    "clock_and_reset",
    "find_interface",
]

CLOCK, RESET = "clk", "rst"
"""Ports of every module of Amaranth; the reset is active high."""

STREAM = "axis"
MEMORY_MAPPED = "aximm"
"""AXI4-Lite: for Vivado, a protocol of its memory-mapped AXI."""

_DRIVEN_BY_MASTER = {
    STREAM: {"TVALID", "TDATA", "TSTRB", "TKEEP", "TLAST", "TID", "TDEST", "TUSER"},
    MEMORY_MAPPED: {
        *("AWADDR", "AWPROT", "AWVALID", "WDATA", "WSTRB", "WVALID", "BREADY"),
        *("ARADDR", "ARPROT", "ARVALID", "RREADY"),
    },
}
_DRIVEN_BY_SLAVE = {
    STREAM: {"TREADY"},
    MEMORY_MAPPED: {
        *("AWREADY", "WREADY", "BRESP", "BVALID", "ARREADY", "RDATA", "RRESP", "RVALID"),
    },
}
_NEEDED = {
    STREAM: {"TVALID", "TREADY", "TDATA"},
    MEMORY_MAPPED: _DRIVEN_BY_MASTER[MEMORY_MAPPED] - {"AWPROT", "ARPROT"}
    | _DRIVEN_BY_SLAVE[MEMORY_MAPPED],
}

Ports = Sequence[Mapping[str, Any]]
"""As :func:`rtl_gen.ports.describe_ports` returns them."""


@dataclass(frozen=True)
class Interface:
    """An AXI interface of a module.

    Parameters
    ----------
    name : str
    kind : str
        ``"axis"`` (AXI4-Stream) or ``"aximm"`` (AXI4-Lite).
    mode : str
        ``"slave"`` or ``"master"``.
    signals : mapping of str to str
        Ports by the names of AXI's signals, ``TDATA`` for example.
    address_bits : int
        Width of a byte address; 0 for a stream.
    """

    name: str
    kind: str
    mode: str
    signals: Mapping[str, str]
    address_bits: int


def find_interface(name: str, ports: Ports) -> Interface:
    """Return the interface whose ports are called ``name``, an underscore, and AXI's signal.

    Parameters
    ----------
    name : str
        For example ``s_axi`` or ``m_axis_result``.
    ports : sequence of mapping
        All ports of the module.

    Raises
    ------
    ValueError
        Signals are missing, unknown, or of the wrong direction.
    """
    found = {
        port["name"].removeprefix(f"{name}_").upper(): port
        for port in ports
        if port["name"].startswith(f"{name}_")
    }
    kind = STREAM if "TVALID" in found else MEMORY_MAPPED
    if missing := _NEEDED[kind] - set(found):
        raise ValueError(f"{name} lacks {', '.join(sorted(missing))}")
    if unknown := set(found) - _DRIVEN_BY_MASTER[kind] - _DRIVEN_BY_SLAVE[kind]:
        raise ValueError(f"{name} has {', '.join(sorted(unknown))}, which AXI does not")
    valid = found["TVALID" if kind == STREAM else "AWVALID"]
    mode = "slave" if valid["direction"] == "input" else "master"
    for signal, port in found.items():
        driven = (signal in _DRIVEN_BY_MASTER[kind]) == (mode == "master")
        if port["direction"] != ("output" if driven else "input"):
            raise ValueError(f"{port['name']} of a {mode} is an {port['direction']}")
    return Interface(
        name,
        kind,
        mode,
        {signal: port["name"] for signal, port in sorted(found.items())},
        found["AWADDR"]["width"] if kind == MEMORY_MAPPED else 0,
    )


@dataclass(frozen=True)
class Single:
    """A clock or a reset: for Vivado, an interface of one port.

    Parameters
    ----------
    port : str
    kind : str
        ``"clock"`` or ``"reset"``.
    signal : str
        What the port is called in an interface of that kind.
    parameters : mapping of str to str
        What Vivado has to know of it.
    """

    port: str
    kind: str
    signal: str
    parameters: Mapping[str, str]


def clock_and_reset(interfaces: Sequence[str]) -> tuple[Single, Single]:
    """Return the clock and the reset of a module that has no other.

    Parameters
    ----------
    interfaces : sequence of str
        Names of its interfaces, all of which belong to the clock.
    """
    of_clock = {"ASSOCIATED_BUSIF": ":".join(interfaces), "ASSOCIATED_RESET": RESET}
    return (
        Single(CLOCK, "clock", "CLK", of_clock),
        Single(RESET, "reset", "RST", {"POLARITY": "ACTIVE_HIGH"}),
    )
