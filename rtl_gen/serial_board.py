"""A unit on a serial line in simulation, behind a pseudo-terminal."""

import subprocess
from pathlib import Path
from types import TracebackType

from sme_hw.bus.link_format import FRAME_BYTES
from sme_hw.bus.uart_unit import UartUnit
from sme_hw.params import HardwareParams

from .emit import emit_verilog
from .tb.volume import build_main

__all__ = ["SerialBoard", "build_serial_board"]

TOP = "sme_uart_unit"
DIVISOR = 4
"""Clocks a bit: as few as there may be, so that time is spent on computing."""


def build_serial_board(
    hardware: HardwareParams, directory: Path, units: int = 1, frame_bytes: int = FRAME_BYTES
) -> Path:
    """Generate a unit with a UART and build it for Verilator; return the executable.

    Parameters
    ----------
    hardware : HardwareParams
    directory : Path
        Where to.
    units : int
        Compute units.
    frame_bytes : int
        Most bytes of a frame of the link.

    Raises
    ------
    SimulatorError
        Verilator is missing or cannot build the design.
    """
    directory.mkdir(parents=True, exist_ok=True)
    unit = UartUnit(hardware=hardware, units=units, divisor=DIVISOR, frame_bytes=frame_bytes)
    design = directory / "design.v"
    design.write_text(emit_verilog(unit, TOP), encoding="utf-8")
    main = Path(__file__).parent / "tb" / "serial.cpp"
    return build_main([design, main], TOP, directory / "sim_build_serial" / "serial")


class SerialBoard:
    """A running simulation; to be used in a with statement.

    Parameters
    ----------
    executable : Path
        From :func:`build_serial_board`.
    """

    def __init__(self, executable: Path):
        self._process = subprocess.Popen(
            [executable, str(DIVISOR)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = self._process.stdout.readline().strip()

    def __enter__(self) -> "SerialBoard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Without an input it ends by itself.
        self._process.communicate()

    def reset(self) -> None:
        """Reset the board, as power would."""
        assert self._process.stdin is not None
        self._process.stdin.write("reset\n")
        self._process.stdin.flush()
