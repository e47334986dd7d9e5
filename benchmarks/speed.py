"""Measure mapper, golden model, generator and co-simulation: ``python -m benchmarks.speed``.

Everything runs on one thread. Next to each figure stands a reference measured in the same run,
because machines differ: compare ratios.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from rtl_gen.files import staged_file, write_json
from rtl_gen.generate import generate
from sim.cosim import cosim, tile_jobs
from sim.golden.compute_unit import compute_unit, compute_unit_bit_serial
from sim.mapping import load_parameters, map_matrix

SEED = 2026


def best(function: Callable[[], Any], repeats: int) -> float:
    """Return the shortest time of several calls, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def mapping(rng: np.random.Generator) -> dict[str, Any]:
    """Map 25 million weights."""
    weights = rng.standard_normal((5000, 5000), np.float32)
    parameters = load_parameters("paper")
    seconds = best(lambda: map_matrix(weights, parameters), 2)
    reference = best(lambda: np.round(weights * 127).astype(np.int8), 2)
    return {
        "million_weights_per_second": weights.size / seconds / 1e6,
        "times_a_bare_rounding": seconds / reference,
        "peak_memory_GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def golden(rng: np.random.Generator) -> dict[str, Any]:
    """Multiply 1024 vectors by a 128 x 128 tile, lossless and with clipping ADCs."""
    weights = rng.normal(size=(128, 128))
    inputs = rng.integers(0, 256, size=(1024, 128))
    result = {}
    for name, preset, bits, function in (
        ("lossless", "lossless", "lossless", compute_unit),
        ("clipping", "paper", 4, compute_unit_bit_serial),
    ):
        parameters = load_parameters(preset, adc_bits=bits)
        hardware = parameters.hardware
        matrix = map_matrix(weights, parameters).matrices[0]
        image = matrix.image(matrix.tiles(hardware)[0], hardware)

        def run(function: Any = function, image: Any = image, hardware: Any = hardware) -> None:
            function(image, hardware, inputs)

        result[f"{name}_us_per_vector"] = best(run, 5) / len(inputs) * 1e6
    floats = inputs.astype(np.float32)
    matmul = best(lambda: floats @ weights.astype(np.float32), 5) / len(inputs) * 1e6
    result["float32_matmul_us_per_vector"] = matmul
    result["lossless_times_float32_matmul"] = result["lossless_us_per_vector"] / matmul
    return result


def rtl(rng: np.random.Generator, vectors: int) -> dict[str, Any]:
    """Generate ``paper``, and co-simulate ``lossless`` in Verilator."""
    parameters = load_parameters("paper")
    layer = map_matrix(rng.normal(size=(128, 128)), parameters)
    jobs = tile_jobs(layer, rng.integers(0, 256, size=(8, 128)))
    with tempfile.TemporaryDirectory() as folder:
        seconds = best(lambda: generate(parameters.hardware, folder, jobs), 1)
    lossless = load_parameters("lossless")
    inputs = rng.integers(0, 256, size=(vectors, 128))
    with tempfile.TemporaryDirectory() as folder:
        # The log tells the time of the run itself, without building.
        result = cosim(rng.normal(size=(128, 128)), inputs, lossless, directory=folder)
        log = (Path(folder) / "tb" / "sim.log").read_text()
    line = next(line for line in log.splitlines() if "matches_golden" in line and "PASS" in line)
    simulated = float(line.split()[-3])
    clocks = sum(tile.cycles for tile in result.tiles)
    return {
        "generate_paper_seconds": seconds,
        "cosim_equal": result.equal,
        "cosim_build_and_run_seconds": result.seconds["simulate"],
        "cosim_vectors_per_second": vectors / simulated,
        "cosim_clocks_per_second": clocks / simulated,
        "measured_over_predicted_clocks": result.tiles[0].cycles / result.tiles[0].predicted_cycles,
    }


def main() -> None:
    """Run all measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=int, default=500, help="vectors to co-simulate")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    report: dict[str, Any] = {"load_average": os.getloadavg()[0]}
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "mapping": lambda: mapping(rng),
        "golden model, 128 x 128, batch 1024": lambda: golden(rng),
        "rtl": lambda: rtl(rng, options.vectors),
    }
    for name, measure in measures.items():
        with threadpool_limits(1):
            report[name] = measure()
        print(name, json.dumps(report[name], indent=2), flush=True)
    if options.json:
        with staged_file(options.json) as temporary:
            write_json(temporary, report)


if __name__ == "__main__":
    main()
