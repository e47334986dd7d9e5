"""What the test of the AXI4 wrapper and its testbench agree upon: a file with the data."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["AxiRun", "read_runs", "write_runs"]

FILE = "axi.json"


@dataclass(frozen=True)
class AxiRun:
    """A program, inputs and results as bytes; what the registers must show then.

    Parameters
    ----------
    program, results : str
        Bytes in hexadecimal.
    inputs : sequence of (weight set, bytes in hexadecimal)
        One vector each.
    vectors : int
    cycles : int
        Clocks from the first input beat to the last result beat, both included, on the bus.
    clips : sequence of int
        Of every plane, unit after unit.
    """

    program: str
    inputs: Sequence[tuple[int, str]]
    results: str
    vectors: int
    cycles: int
    clips: Sequence[int]


def write_runs(folder: Path, runs: Sequence[AxiRun], **more: object) -> None:
    """Write the file that the testbench reads."""
    (folder / FILE).write_text(json.dumps({"runs": [asdict(run) for run in runs], **more}))


def read_runs() -> tuple[list[AxiRun], dict[str, object]]:
    """Return the runs of the working folder's file, and all else it holds."""
    content = json.loads(Path(FILE).read_text())
    return [AxiRun(**run) for run in content.pop("runs")], content
