"""Serial ports of this machine."""

from typing import Any

from sme_hw.errors import InputError

__all__ = ["open_port"]

_TIMEOUT = 0.01
"""Seconds that a read waits for a first byte."""


def open_port(name: str, baud: int) -> Any:
    """Open a serial port: a ``serial.Serial``.

    Parameters
    ----------
    name : str
        Such as ``/dev/ttyUSB1``, or a URL that pyserial knows.
    baud : int
        Bits a second.

    Raises
    ------
    InputError
        There is no such port, or it cannot be opened; those that there are, are named. Or pyserial
        is not installed.
    """
    try:
        import serial
        from serial.tools.list_ports import comports
    except ImportError:
        raise InputError("serial ports need: pip install sme[host]") from None
    try:
        return serial.serial_for_url(name, baudrate=baud, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:
        there = ", ".join(sorted(port.device for port in comports())) or "none"
        raise InputError(f"{name} cannot be opened ({error}); serial ports: {there}") from None
