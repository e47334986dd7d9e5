"""Names in the Verilog are those of the source, so that a designer can read it."""

import pytest

from rtl_gen.emit import emit_verilog
from sme_hw.bus.axi_unit import AxiUnit
from sme_hw.bus.link_format import FRAME_BYTES
from sme_hw.bus.uart_unit import UartUnit
from sme_hw.target import TARGETS
from tests.cases.hardware import HARDWARE


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["sets-reordered", "slc", "mlc-free-shifts"])
def test_every_signal_has_a_name(name: str, target: str) -> None:
    """Amaranth writes $signal where it sees no variable: of several in a line, for example."""
    hardware = HARDWARE[name]
    units = (
        UartUnit(hardware=hardware, units=2, divisor=4, frame_bytes=FRAME_BYTES),
        AxiUnit(hardware=hardware, units=1),
    )
    for unit in units:
        verilog = emit_verilog(unit, "top", target)
        assert "begun" in verilog
        assert "$signal" not in verilog
