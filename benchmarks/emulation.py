"""Cell operations a second, on a board and on a CPU: ``python -m benchmarks.emulation BUILD``.

BUILD is a folder that ``sme build`` made. The layer has as many row tiles, full of random weights,
as the board has compute units. A cell operation is what a cell of the chip does in one bit-cycle; a
vector takes as many on the board as on the CPU, so the ratio is that of vectors a second. Clocks a
vector on the board are the cycle contract's, in steady state, at the clock that its bitstream was
built for; no board is needed. Its serial line is far slower than that: what is compared is the
computing. The CPU runs the fast exact execution of layers (:mod:`sim.execution`) in one thread.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.speed import SEED, best
from rtl_gen.boards.build import PRESET, SUMMARY
from rtl_gen.files import check_writable, staged_file, write_json
from sim.cosim.array_layer import array_layers
from sim.execution import LayerEngine
from sim.mapping import load_parameters, map_matrix
from sme_hw.array_run_cycles import array_steady_cycles
from sme_hw.errors import InputError

from .command import run_command

__all__ = ["measure"]

VECTORS, REPEATS = 1024, 7


def measure(build: Path) -> dict[str, Any]:
    """Return the figures of one build and of the CPU.

    Raises
    ------
    InputError
        The folder has no build, or no bitstream that is fast enough.
    """
    try:
        summary = json.loads((build / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{build} is no folder of sme build: {error}") from None
    if not summary.get("timing_met"):
        raise InputError(f"{build} has no bitstream that is fast enough")
    parameters = load_parameters(str(build / PRESET))
    hardware, units = parameters.hardware, summary["units"]
    rng = np.random.default_rng(SEED)
    layer = map_matrix(rng.normal(size=(units * hardware.rows, hardware.cols)), parameters)
    (placed,) = array_layers(layer, units)
    blocks = [tile.bit_blocks(hardware) for tile in placed.image.tiles]
    clocks = array_steady_cycles(hardware, placed.image, blocks)
    cells = 2 * hardware.planes * hardware.group_rows * hardware.cols
    operations = cells * sum(sum(tile.bit_cycles) for tile in placed.image.tiles)
    low, high = hardware.input_range
    inputs = rng.integers(low, high + 1, size=(VECTORS, layer.inputs)).astype(np.float32)
    engine = LayerEngine(layer)
    with threadpool_limits(1):
        engine.run(inputs)  # compiles
        cpu = VECTORS / best(lambda: engine.run(inputs), REPEATS)
    board = summary["target_MHz"] * 1e6 / clocks
    return {
        "build": str(build),
        "units": units,
        "emulation_lanes": hardware.emulation_lanes,
        "clock_MHz": summary["target_MHz"],
        "clocks_per_vector": clocks,
        "cell_operations_per_vector": operations,
        "board_operations_per_second": board * operations,
        "cpu_operations_per_second": cpu * operations,
        "board_per_cpu": board / cpu,
        "load_average": os.getloadavg()[0],
    }


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    check_writable(arguments.json)
    report = [measure(build) for build in arguments.builds]
    print(json.dumps(report, indent=2))
    if arguments.json:
        with staged_file(arguments.json) as temporary:
            write_json(temporary, report)
    return 0


def main() -> int:
    """Run the command; exit codes are 0, and 2 for bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="+", type=Path, help="folders of sme build")
    parser.add_argument("--json", help="write the figures to this file")
    return run_command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
