"""All cases of the hardware modules, in Amaranth's simulator."""

from typing import Any

import pytest
from amaranth import Cat

from tests.cases.case import SEED
from tests.cases.catalogue import CASES
from tests.cases.player import players
from tests.support import flat_ports, flat_values, simulate


@pytest.mark.parametrize(
    ("name", "stall"), [(case.name, stall) for case in CASES.values() for stall in case.stalls]
)
def test_matches_golden(name: str, stall: float) -> None:
    """Every output is as expected, in the clock in which it is expected."""
    case = CASES[name]
    component = case.component()
    ports, values = flat_ports(component), flat_values(component)
    inputs = {port: 0 for port in ports if ports[port].is_input}
    all_inputs = Cat(values[port] for port in inputs)
    print(f"seed {SEED}, stall {stall}")

    async def testbench(ctx: Any) -> None:
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

        for player in players(case.phases, ports, seed=SEED, stall=stall):
            while not player.done:
                write(player.drive())
                if player.reacts:
                    write(player.react(read))
                player.check(read)
                await ctx.tick()

    simulate(component, testbench)
