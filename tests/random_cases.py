"""Random parameters, weights and inputs for comparisons with the independent model."""

import math

import numpy as np

from tests.independent import Options

__all__ = [
    "CODEC_NAMES",
    "random_hardware",
    "random_inputs",
    "random_mapping",
    "random_weights",
    "seeded",
]

CODEC_NAMES = ["sme", "int8", "codes", "po2", "apot", "mixed"]


def seeded(seed):
    """Return a random generator and print its seed, which pytest shows with a failure."""
    print("seed", seed)
    return np.random.default_rng(seed)


def random_mapping(rng, **fixed):
    """Return random options that concern the mapping, those in ``fixed`` as given."""
    options = {"cell_bits": int(rng.integers(1, 3)), **fixed}
    bits = options.setdefault("weight_bits", int(rng.choice([2, 3, 4, 5, 6, 7, 8, 8, 8, 8])))
    cell_bits = options["cell_bits"]
    cells = math.ceil(bits / cell_bits)
    degrees = [*range(cells), *range(min(cells, 4))]  # small ones more often
    drawn = {
        "rows": int(rng.integers(4, 33)),
        "cols": int(rng.integers(4, 33)),
        "codec": str(rng.choice(CODEC_NAMES)),
        "window": int(rng.choice([min(3, bits), rng.integers(1, bits + 1)])),
        "scale": str(rng.choice(["layer-pow2", "column-pow2", "column"])),
        "policy": str(rng.choice(["paper", "minimal", "rounded", "rounded-window", "plain"])),
        "squeeze": cell_bits * int(rng.choice(degrees)),
    }
    options = drawn | options
    if options["codec"] == "mixed" and bits >= 5:
        several = [int(b) for b in rng.integers(5, bits + 1, size=rng.integers(1, 12))]
        options.setdefault("row_bits", ["all", several[0], several, several][rng.integers(4)])
    return Options(**options)


def random_hardware(rng, options):
    """Return ``options`` with everything random that concerns the hardware, but for its size."""
    planes, rows, cols = options.planes, options.rows, options.cols
    rows_active = ["all", 1, rows, int(rng.integers(1, rows + 1))][rng.integers(4)]
    active = rows if rows_active == "all" else rows_active
    largest_sum = active * (2**options.cell_bits - 1)
    # A larger LSB would leave nothing to compare, as a rule.
    lsb = int(rng.integers(9 if rng.random() < 0.05 else max(1, largest_sum.bit_length() - 2)))
    per_plane = [int(b) for b in rng.integers(1, 6, size=planes)]
    adc_bits = ["lossless", int(rng.integers(1, 4)), int(rng.integers(1, 9)), per_plane][
        rng.integers(4)
    ]
    adcs = int(rng.choice([1, cols, rng.integers(1, cols + 1)]))
    beats = [b for b in range(1, cols + 1) if adcs % b == 0 or b % adcs == 0]
    changed = {
        "input_bits": int(rng.choice([1, 2, 3, 5, 8, 8, 16])),
        "signed_inputs": bool(rng.integers(2)),
        "adc_bits": adc_bits,
        "adc_lsb": lsb * (adc_bits != "lossless" and rng.random() < 0.5),
        "adcs_per_crossbar": adcs,
        "rows_active": rows_active,
        "inputs_per_beat": int(rng.choice([1, active, rng.integers(1, active + 1)])),
        "emulation_lanes": int(rng.choice([1, 1, 2, 4])),
        "results_per_beat": int(rng.choice(beats)),
    }
    return Options(**options.as_dict() | changed)


def random_weights(rng, shape, options):
    """Return awkward weights: ties, powers of two, heavy tails, zero rows and columns."""
    bits = options.weight_bits
    if options.codec == "codes":
        kind = rng.choice([np.int16, np.int32, np.int64])
        weights = rng.integers(1 - 2**bits, 2**bits, size=shape).astype(kind)
        if rng.integers(2):
            weights = np.where(rng.random(shape) < 0.8, weights // 8, weights)
    else:
        signs = rng.choice([-1.0, 1.0], size=shape)
        steps = 2.0 ** rng.integers(-10, 1, size=shape)
        weights = [
            rng.normal(size=shape),
            rng.standard_t(2, size=shape) * 10.0 ** rng.integers(-3, 3),
            signs * steps,  # powers of two
            signs * steps * (rng.integers(16, size=shape) + 0.5),  # ties of window codes
            rng.integers(-511, 512, size=shape) / 512,  # ties of uniform codes
            rng.integers(-1000, 1001, size=shape).astype(np.int32),
        ][rng.integers(6)]
        if weights.dtype.kind == "f":
            precision = rng.choice([np.float16, np.float32, np.float64])
            weights = np.clip(weights, -60000, 60000).astype(precision)
    flat = weights.reshape(shape[0], -1)
    if rng.random() < 0.25:
        flat[rng.integers(shape[0])] = 0
    if rng.random() < 0.25:
        flat[:, rng.integers(flat.shape[1])] = 0
    if rng.random() < 0.1:
        flat[: rng.integers(shape[0] + 1)] = 0
    return weights


def random_inputs(rng, shape, options):
    """Return inputs (vectors, rows), extremes and zeros among them."""
    low, high = 0, 2**options.input_bits - 1
    if options.signed_inputs:
        low, high = -(2 ** (options.input_bits - 1)), 2 ** (options.input_bits - 1) - 1
    inputs = rng.integers(low, high + 1, size=shape)
    inputs[0] = rng.choice([low, high, inputs[0, 0]])
    return np.where(rng.random(shape) < rng.choice([0, 0.5]), 0, inputs)
