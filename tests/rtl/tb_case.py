"""cocotb testbench of any module: plays the case in ``case.json`` of the working directory."""

from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from tests.cases.case import from_json
from tests.cases.player import players

SEED, STALLS, PORTS, PHASES = from_json(Path("case.json").read_text())

HALF_PERIOD_NS = 5


async def half_period() -> None:
    """Let signals settle."""
    await Timer(HALF_PERIOD_NS, "ns")


async def reset(dut: Any) -> None:
    """Put all inputs to 0, and registers to their initial values if they have any."""
    for name, port in PORTS.items():
        if port.is_input:
            getattr(dut, name).value = 0
    # A module without registers that need it has no reset.
    resets = [dut.rst] if hasattr(dut, "rst") else []
    for level in (1, 0):
        for signal in resets:
            signal.value = level
        for clock in (0, 1, 0):
            dut.clk.value = clock
            await half_period()


@cocotb.test()
@cocotb.parametrize(stall=STALLS)
async def matches_golden(dut: Any, stall: float) -> None:
    """Every output is as expected, in the clock in which it is expected."""
    await reset(dut)
    handles = {name: getattr(dut, name) for name in PORTS}

    def read(name: str) -> int:
        return int(handles[name].value)

    driven: dict[str, int] = {}

    def write(changes: dict[str, int]) -> None:
        for name, value in changes.items():
            # A change takes long, even to the same value.
            if driven.get(name) != value:
                driven[name] = handles[name].value = value

    # The clock is driven here: inputs change at its falling edge, outputs are read just before
    # the rising one, so that no simulator's order of events at an edge matters.
    for player in players(PHASES, PORTS, seed=SEED, stall=stall):
        while not player.done:
            write(player.drive())
            await half_period()
            if player.reacts:
                write(player.react(read))
                await half_period()
            player.check(read)
            dut.clk.value = 1
            await half_period()
            dut.clk.value = 0
