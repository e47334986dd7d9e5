"""What tests share: ports by their Verilog names, and Amaranth's simulator."""

from collections.abc import Callable, Coroutine
from typing import Any

from amaranth import Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from tests.cases.case import Port

__all__ = ["CLOCK_PERIOD", "flat_ports", "flat_values", "simulate"]

CLOCK_PERIOD = 1e-6
"""Seconds, in Amaranth's simulator."""


def flat_values(component: wiring.Component) -> dict[str, Value]:
    """Return the ports of a component as bit patterns, by the names of the emitted Verilog."""
    return {
        "__".join(map(str, path)): Value.cast(value).as_unsigned()
        for path, _, value in component.signature.flatten(component)
    }


def flat_ports(component: wiring.Component) -> dict[str, Port]:
    """Return width and direction of a component's ports."""
    return {
        "__".join(map(str, path)): Port(len(Value.cast(value)), member.flow is wiring.In)
        for path, member, value in component.signature.flatten(component)
    }


def simulate(
    component: wiring.Component, testbench: Callable[[Any], Coroutine[Any, Any, None]]
) -> None:
    """Run an asynchronous testbench to its end in Amaranth's simulator."""
    simulator = Simulator(component)
    simulator.add_clock(CLOCK_PERIOD)
    simulator.add_testbench(testbench)
    simulator.run()
