"""All cases of the hardware modules, in Amaranth's simulator."""

from typing import Any

import pytest

from tests.cases.case import SEED
from tests.cases.catalogue import CASES
from tests.support import play, simulate


@pytest.mark.parametrize(
    ("name", "stall"), [(case.name, stall) for case in CASES.values() for stall in case.stalls]
)
def test_matches_golden(name: str, stall: float) -> None:
    """Every output is as expected, in the clock in which it is expected."""
    case = CASES[name]
    component = case.component()
    print(f"seed {SEED}, stall {stall}")

    async def testbench(ctx: Any) -> None:
        await play(ctx, component, case.phases, stall=stall)

    simulate(component, testbench)
