"""What tests share: ports by their Verilog names, and Amaranth's simulator."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from amaranth import Cat, Elaboratable, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from tests.cases.case import SEED, Phase, Port
from tests.cases.player import players

__all__ = ["CLOCK_PERIOD", "flat_ports", "flat_values", "play", "simulate"]

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


async def play(
    ctx: Any,
    component: wiring.Component,
    phases: Sequence[Phase],
    *,
    stall: float,
    clocks: int | None = None,
) -> None:
    """Play phases, or no more than so many clocks of them."""
    ports, values = flat_ports(component), flat_values(component)
    inputs = {port: 0 for port in ports if ports[port].is_input}
    all_inputs = Cat(values[port] for port in inputs)

    def read(port: str) -> int:
        return ctx.get(values[port])

    def write(changes: dict[str, int]) -> None:
        # Settling takes long, so all inputs change at once.
        inputs.update(changes)
        pattern, offset = 0, 0
        for port, value in inputs.items():
            assert value >> ports[port].width == 0, f"{port} cannot be {value}"
            pattern |= value << offset
            offset += ports[port].width
        ctx.set(all_inputs, pattern)

    played = 0
    for player in players(phases, ports, seed=SEED, stall=stall):
        while not player.done:
            if played == clocks:
                return
            write(player.drive())
            if player.reacts:
                write(player.react(read))
            player.check(read)
            await ctx.tick()
            played += 1


def simulate(
    component: Elaboratable, testbench: Callable[[Any], Coroutine[Any, Any, None]]
) -> None:
    """Run an asynchronous testbench to its end in Amaranth's simulator."""
    simulator = Simulator(component)
    simulator.add_clock(CLOCK_PERIOD)
    simulator.add_testbench(testbench)
    simulator.run()
