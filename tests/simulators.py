"""Which simulators this machine has."""

import shutil

import pytest

__all__ = ["SIMULATORS", "SMALL"]

SIMULATORS = [
    "verilator",
    pytest.param(
        "icarus",
        marks=pytest.mark.skipif(
            shutil.which("iverilog") is None, reason="Icarus Verilog is not installed"
        ),
    ),
]
"""Verilator comes with the packages; Icarus is the second opinion where the machine has it."""

SMALL = "icarus" if shutil.which("iverilog") else "verilator"
"""Simulator of small designs, of which there are many: Icarus builds much faster."""
