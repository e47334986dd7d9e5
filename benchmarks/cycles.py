"""Measure clocks per vector of the RTL against the prediction: ``python -m benchmarks.cycles``.

Steady state is what more vectors add: the difference of two runs of different length.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from rtl_gen.files import staged_file, write_json
from sim.cosim import Session
from sim.mapping import load_parameters, map_matrix
from sme_hw.run_cycles import steady_cycles

SEED = 2026
SHORT, LONG = 4, 12


def measure(preset: str, options: dict[str, Any]) -> dict[str, Any]:
    """Run one full tile; returns measured and predicted clocks per vector."""
    parameters = load_parameters(preset, **options)
    hardware = parameters.hardware
    rng = np.random.default_rng(SEED)
    layer = map_matrix(rng.laplace(size=(hardware.rows, hardware.cols)), parameters)
    inputs = rng.integers(0, 2**hardware.input_bits, size=(LONG, hardware.rows))
    (matrix,) = layer.matrices
    image = matrix.image(matrix.tiles(hardware)[0], hardware)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(parameters, Path(folder))
        runs = [session.run(layer, inputs[:count]) for count in (SHORT, LONG)]
    clocks = (runs[1].tiles[0].cycles - runs[0].tiles[0].cycles) / (LONG - SHORT)
    predicted = steady_cycles(hardware, image.bit_blocks(hardware), image.size)
    return {
        "preset": preset,
        "options": options,
        "equal": all(run.equal for run in runs),
        "measured": clocks,
        "predicted": predicted,
        "ratio": clocks / predicted,
    }


def main() -> None:
    """Run all configurations and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file")
    arguments = parser.parse_args()
    # Enough inputs a beat that computing, not loading, sets the pace.
    sets = [
        (preset, {"adcs_per_crossbar": adcs, "inputs_per_beat": 4, "results_per_beat": adcs} | rows)
        for preset in ("paper", "lossless")
        for adcs in (1, 4, 16)
        for rows in ({}, {"rows_active": 16, "grouping": "balanced"})
    ]
    report = []
    for preset, options in track(sets, description="configurations"):
        report.append(measure(preset, options))
        print(json.dumps(report[-1]), flush=True)
    if arguments.json:
        with staged_file(arguments.json) as temporary:
            write_json(temporary, report)


if __name__ == "__main__":
    main()
