"""Test cases as plain data: what to drive into a component and what must come out of it.

A port is named as in the emitted Verilog (``i__payload``); every value is the port's bit pattern,
so a negative number stands in two's complement. Only the standard library is needed here: the
simulator's Python reads cases, too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["SEED", "Case", "Clocked", "Credited", "Phase", "Port", "Span", "Streams", "from_json"]

SEED = 2026
"""Seed of all random data and stalls."""

Values = Mapping[str, int]
"""Ports and what is driven into them."""

Expected = Mapping[str, int | Sequence[int]]
"""Ports and what they must show: a value, or (value, bits) to compare that many low bits only."""


@dataclass(frozen=True)
class Port:
    """A port of a component.

    Parameters
    ----------
    width : int
    is_input : bool
    """

    width: int
    is_input: bool


@dataclass(frozen=True)
class Clocked:
    """Clocks one by one; for modules of fixed latency.

    Parameters
    ----------
    name : str
        For messages.
    clocks : sequence of (driven, expected)
        An input that is not named keeps its value, an output that is not named may be anything.
        Outputs are read just before the clock's rising edge.
    """

    name: str
    clocks: Sequence[tuple[Values, Expected]]


@dataclass(frozen=True)
class Span:
    """Clocks that must pass between two transfers when nothing stalls.

    Parameters
    ----------
    first, last : tuple of str and int
        Name of the stream or flow, and number of its transfer.
    clocks : int
        Difference of their clocks.
    """

    first: Sequence[str | int]
    last: Sequence[str | int]
    clocks: int


@dataclass(frozen=True)
class Credited:
    """Payloads that come a fixed time after room for them was reserved.

    Parameters
    ----------
    reserve, room, valid : str
        Ports.
    latency : int
        Clocks from ``reserve`` to ``valid``.
    payloads : sequence of Values
        Ports that are driven with each, the same for all.
    announced : sequence of Values
        Ports that are driven one clock before each, the same for all; empty without such ports.
    """

    reserve: str
    room: str
    valid: str
    latency: int
    payloads: Sequence[Values]
    announced: Sequence[Values] = ()


@dataclass(frozen=True)
class Streams:
    """Streams that run at the same time, each with stalls of its own.

    Parameters
    ----------
    name : str
        For messages.
    sends, receives : mapping of str to sequence of int
        Streams into and out of the component, and their payloads. The payloads of a stream
        without payload are not looked at.
    flows : mapping of str to sequence of Expected
        Outputs that mark a clock as valid, and what other ports show in these clocks, in order.
    credited : Credited, optional
    levels : mapping of str to int
        Inputs that keep a value.
    random : sequence of str
        Inputs that fall to 0 as often as streams stall, and end at 0.
    holds : mapping of str to int
        Output streams that are not ready for this many clocks; they must offer a payload by then.
    after : mapping of str to str
        Streams into the component that start when another one was sent completely.
    unfinished : sequence of str
        Output streams that may offer more than is taken in this phase.
    spans : sequence of Span
    waves : mapping of str to sequence of int
        Inputs that take a value in each clock, whatever streams do, and keep the last one.
    """

    name: str
    sends: Mapping[str, Sequence[int]] = field(default_factory=dict)
    receives: Mapping[str, Sequence[int]] = field(default_factory=dict)
    flows: Mapping[str, Sequence[Expected]] = field(default_factory=dict)
    credited: Credited | None = None
    levels: Values = field(default_factory=dict)
    random: Sequence[str] = ()
    holds: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    unfinished: Sequence[str] = ()
    spans: Sequence[Span] = ()
    waves: Mapping[str, Sequence[int]] = field(default_factory=dict)


Phase = Clocked | Streams


@dataclass(frozen=True)
class Case:
    """A component and the phases it goes through one after the other, starting from reset.

    Parameters
    ----------
    name : str
        Module and parameter set.
    component : callable () -> amaranth.lib.wiring.Component
    phases : sequence of Phase
        What memories hold before is not known: a phase must have written what is read.
    """

    name: str
    component: Callable[[], Any]
    phases: Sequence[Phase]

    @property
    def stalls(self) -> list[float]:
        """Probabilities with which a stream pauses in a clock; one run for each."""
        return [0.0, 0.5] if any(isinstance(p, Streams) for p in self.phases) else [0.0]

    def to_json(self, ports: Mapping[str, Port]) -> str:
        """Return what :func:`from_json` reads."""
        return json.dumps(
            {
                "seed": SEED,
                "stalls": self.stalls,
                "ports": {name: asdict(port) for name, port in ports.items()},
                "phases": [[type(phase).__name__, asdict(phase)] for phase in self.phases],
            }
        )


def from_json(text: str) -> tuple[int, list[float], dict[str, Port], list[Phase]]:
    """Return seed, stalls, ports and phases of a case."""
    content = json.loads(text)
    phases: list[Phase] = []
    for kind, fields in content["phases"]:
        if kind == "Clocked":
            phases.append(Clocked(**fields))
            continue
        fields["spans"] = [Span(**span) for span in fields["spans"]]
        if fields["credited"]:
            fields["credited"] = Credited(**fields["credited"])
        phases.append(Streams(**fields))
    ports = {name: Port(**port) for name, port in content["ports"].items()}
    return content["seed"], content["stalls"], ports, phases
