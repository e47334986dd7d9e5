"""Measure the co-simulation of a whole network: ``python -m benchmarks.volume``.

All tiles of a network with the layers of MobileNet-v2 and random weights go through the generated
RTL, with random inputs; everything is compared.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator

import numpy as np

from sim.cosim import cosim_layers
from sim.mapping import LayerMapping, Parameters, load_parameters, map_layer

SEED = 2026

BLOCKS = [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)]
"""MobileNet-v2: expansion, output channels, and repetitions of each stage."""


def mobilenet_v2() -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Yield name, shape of the weights and groups of each layer."""
    yield "first", (32, 3, 3, 3), 1
    channels = 32
    for stage, (expansion, outputs, repetitions) in enumerate(BLOCKS):
        for block in range(repetitions):
            name, wide = f"stage {stage} block {block}", channels * expansion
            if expansion > 1:
                yield f"{name} expand", (wide, channels, 1, 1), 1
            yield f"{name} depthwise", (wide, 1, 3, 3), wide
            yield f"{name} project", (outputs, wide, 1, 1), 1
            channels = outputs
    yield "last", (1280, channels, 1, 1), 1
    yield "classifier", (1000, 1280), 1


def work(parameters: Parameters, vectors: int) -> list[tuple[LayerMapping, np.ndarray]]:
    """Return all layers, mapped, with random input vectors."""
    rng = np.random.default_rng(SEED)
    low, high = parameters.hardware.input_range
    result = []
    for name, shape, groups in mobilenet_v2():
        weights = rng.standard_t(5, size=shape).astype(np.float32)
        layer = map_layer(name, weights, parameters, groups=groups)
        result.append((layer, rng.integers(low, high + 1, size=(vectors, layer.inputs))))
    return result


def main() -> int:
    """Run and print; exits with 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--vectors", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--stalled-units", type=int, default=1)
    parser.add_argument("--directory", help="keep the build there")
    options = parser.parse_args()
    start = time.perf_counter()
    layers = work(load_parameters(options.preset), options.vectors)
    mapped = time.perf_counter() - start
    result = cosim_layers(
        layers,
        directory=options.directory,
        processes=options.processes,
        stalled_units=options.stalled_units,
        status=lambda text, done: print(f"\r{text} {done:6.1%}", end="", file=sys.stderr),
    ).as_dict()
    print(file=sys.stderr)
    layer_count = len(result.pop("layers"))
    load = round(os.getloadavg()[0], 2)
    print(json.dumps({"layers": layer_count, "map": mapped, **result, "load": load}, indent=2))
    return 0 if result["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
