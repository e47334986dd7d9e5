"""What tests share: ports by their Verilog names, and Amaranth's simulator."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from amaranth import Cat, Elaboratable, Module, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from tests.cases.case import SEED, Phase, Port
from tests.cases.player import players
from tests.cases.values import join

__all__ = ["CLOCK_PERIOD", "Packed", "flat_ports", "flat_values", "play", "simulate"]

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


class Packed(wiring.Component):
    """A component whose ports are two: the simulator takes long for each.

    All inputs and all outputs, from the lowest bits, as they are called in the emitted Verilog.

    Parameters
    ----------
    component : wiring.Component

    Members
    -------
    inputs : In
    outputs : Out
    """

    def __init__(self, component: wiring.Component):
        self.component = component
        self.ports = ports = flat_ports(component)
        self.widths = [
            {name: port.width for name, port in ports.items() if port.is_input == is_input}
            for is_input in (True, False)
        ]
        super().__init__(
            {
                "inputs": wiring.In(sum(self.widths[0].values())),
                "outputs": wiring.Out(sum(self.widths[1].values())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the ports."""
        m = Module()
        m.submodules.component = self.component
        values = flat_values(self.component)
        inputs, outputs = (Cat(values[name] for name in names) for names in self.widths)
        m.d.comb += [inputs.eq(self.inputs), self.outputs.eq(outputs)]
        return m

    def pattern(self, driven: dict[str, int]) -> int:
        """Return all inputs; those that are not named are 0."""
        for name, value in driven.items():
            assert value >> self.widths[0][name] == 0, f"{name} cannot be {value}"
        return join(*((driven.get(name, 0), width) for name, width in self.widths[0].items()))

    def shown(self, pattern: int) -> dict[str, int]:
        """Return the outputs."""
        values = {}
        for name, width in self.widths[1].items():
            values[name] = pattern & (1 << width) - 1
            pattern >>= width
        return values


async def play(
    ctx: Any,
    bench: Packed,
    phases: Sequence[Phase],
    *,
    stall: float,
    clocks: int | None = None,
) -> None:
    """Play phases, or no more than so many clocks of them."""
    driven = dict.fromkeys(bench.widths[0], 0)
    shown: dict[str, int] = {}

    def write(changes: dict[str, int]) -> None:
        driven.update(changes)
        ctx.set(bench.inputs, bench.pattern(driven))
        shown.update(bench.shown(ctx.get(bench.outputs)))

    played = 0
    for player in players(phases, bench.ports, seed=SEED, stall=stall):
        while not player.done:
            if played == clocks:
                return
            write(player.drive())
            if player.reacts:
                write(player.react(shown.__getitem__))
            player.check(shown.__getitem__)
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
