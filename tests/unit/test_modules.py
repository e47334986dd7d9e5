"""All cases of the hardware modules, in Amaranth's simulator."""

from typing import Any

import pytest

from tests.cases.case import SEED, Port, Streams
from tests.cases.catalogue import CASES
from tests.cases.player import players
from tests.support import Packed, play, simulate


@pytest.mark.parametrize(
    ("name", "stall"), [(case.name, stall) for case in CASES.values() for stall in case.stalls]
)
def test_matches_golden(name: str, stall: float) -> None:
    """Every output is as expected, in the clock in which it is expected."""
    case = CASES[name]
    bench = Packed(case.component())
    print(f"seed {SEED}, stall {stall}")

    async def testbench(ctx: Any) -> None:
        await play(ctx, bench, case.phases, stall=stall)

    simulate(bench, testbench)


@pytest.mark.parametrize(("stall", "least", "most"), [(0.0, 100, 100), (0.5, 30, 70)])
def test_streams_pause(stall: float, least: int, most: int) -> None:
    """Streams that stall neither offer nor accept in some of their clocks; others always do."""
    phase = Streams("both", sends={"i": [0] * 200}, receives={"o": [0]})
    ports = {name: Port(1, name in ("i__valid", "o__ready")) for name in ("i__valid", "o__ready")}
    (player,) = players([phase], ports, seed=SEED, stall=stall)
    counts = dict.fromkeys(ports, 0)
    for _ in range(100):
        driven = player.drive()
        counts = {name: counts[name] + driven[name] for name in ports}
        player.check(lambda port: int(port == "i__ready"))
    assert all(least <= count <= most for count in counts.values())
