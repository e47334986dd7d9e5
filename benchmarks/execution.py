"""Measure the execution of mapped layers: ``python -m benchmarks.execution``.

A tile of 128 x 128 random 8-bit codes, 8-bit inputs, 1024 vectors, one thread. Next to each figure
stand references measured in the same run: a float32 matrix product, the same computation slice by
slice in numpy, the golden model, and other simulators where they are installed. These compute with
other number formats, so their results are not compared, only the time that as many slices take.
"""

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.speed import SEED, best
from rtl_gen.files import staged_file, write_json
from sim.execution import LayerEngine
from sim.golden.compute_unit import compute_unit_bit_serial
from sim.mapping import LayerMapping, load_parameters, map_matrix

ROWS, VECTORS, BITS = 128, 1024, 8

CASES: dict[str, dict[str, Any]] = {
    "lossless": {"adc_bits": "lossless"},
    "half of the sums can clip": {"adc_bits": 5},
    "all sums can clip": {"adc_bits": 4},
    "all sums can clip, squeezed by 1": {"adc_bits": 3, "squeeze": 1, "policy": "minimal"},
    "groups of 16 rows, few sums can clip": {"adc_bits": 3, "rows_active": 16},
}
"""What differs from ``paper``, without squeeze-out."""


def numpy_slices(codes: np.ndarray, inputs: np.ndarray, adc_bits: int) -> Callable[[], Any]:
    """Return the computation of a tile with every sum limited, all slices side by side."""
    planes = [
        (np.abs(codes) >> p & 1) * (np.sign(codes) == s) for p in range(BITS) for s in (1, -1)
    ]
    cells = np.hstack(planes).astype(np.float32)
    weights = np.array([s << p for p in range(BITS) for s in (1, -1)], np.float32)
    bit_weights = 2 ** np.arange(BITS, dtype=np.float32)
    batch = 64

    def run() -> np.ndarray:
        results = np.empty((len(inputs), codes.shape[1]))
        for start in range(0, len(inputs), batch):
            bits = inputs[start : start + batch, None] >> np.arange(BITS)[:, None] & 1
            sums = bits.reshape(-1, len(codes)).astype(np.float32) @ cells
            np.minimum(sums, 2**adc_bits - 1, out=sums)
            samples = weights @ sums.reshape(-1, len(weights), codes.shape[1])
            results[start : start + batch] = np.tensordot(
                samples.reshape(-1, BITS, codes.shape[1]), bit_weights, axes=(1, 0)
            )
        return results

    return run


def cross_sim(codes: np.ndarray, inputs: np.ndarray, adc_bits: int) -> Callable[[], Any]:
    """Return the product in Sandia's CrossSim 3: as many slices of weights and inputs."""
    from simulator import AnalogCore, CrossSimParameters

    params = CrossSimParameters()
    params.core.style = "BITSLICED"
    params.core.bit_sliced.style = "BALANCED"
    params.core.bit_sliced.num_slices = BITS
    params.core.weight_bits = BITS + 1
    params.core.rows_max = params.core.cols_max = ROWS
    params.core.balanced.style = "ONE_SIDED"
    params.core.balanced.subtract_current_in_xbar = False
    params.core.mapping.inputs.mvm.min, params.core.mapping.inputs.mvm.max = 0.0, 255.0
    params.xbar.device.cell_bits = 1
    params.xbar.device.infinite_on_off_ratio = True
    params.xbar.array.parasitics.disable_slices = [False] * BITS
    params.xbar.dac.mvm.model = "QuantizerDAC"
    params.xbar.dac.mvm.bits = BITS
    params.xbar.dac.mvm.signed = False
    params.xbar.dac.mvm.input_bitslicing = True
    params.xbar.dac.mvm.slice_size = 1
    params.xbar.adc.mvm.model = "QuantizerADC"
    params.xbar.adc.mvm.bits = adc_bits
    params.xbar.adc.mvm.signed = False
    params.xbar.adc.mvm.adc_per_ibit = True
    params.xbar.adc.mvm.adc_range_option = "CALIBRATED"
    params.xbar.adc.mvm.calibrated_range = [[0, 2**adc_bits - 1]] * BITS
    core = AnalogCore(codes.T.astype(np.float64), params)
    vectors = inputs.T.astype(np.float64)
    return lambda: core @ vectors


def aihwkit(codes: np.ndarray, inputs: np.ndarray, adc_bits: int) -> Callable[[], Any]:
    """Return the product in IBM's aihwkit, which has no slices: one conversion per result."""
    import torch
    from aihwkit.nn import AnalogLinear
    from aihwkit.simulator.configs import InferenceRPUConfig

    torch.set_num_threads(1)
    config = InferenceRPUConfig()
    config.forward.inp_res = 1 / 2**BITS
    config.forward.out_res = 1 / 2**adc_bits
    config.forward.out_noise = 0.0
    layer = AnalogLinear(codes.shape[0], codes.shape[1], bias=False, rpu_config=config).eval()
    layer.set_weights(torch.tensor(codes.T / 255, dtype=torch.float32), None)
    vectors = torch.tensor(inputs / 255, dtype=torch.float32)

    def run() -> Any:
        with torch.no_grad():
            return layer(vectors)

    return run


OTHERS = {"CrossSim": cross_sim, "aihwkit (no slices)": aihwkit}


def golden(layer: LayerMapping, inputs: np.ndarray) -> np.ndarray:
    """Return what the golden model computes for the only tile."""
    hardware = layer.parameters.hardware
    (matrix,) = layer.matrices
    (tile,) = matrix.tiles(hardware)
    return compute_unit_bit_serial(matrix.image(tile, hardware), hardware, inputs)[0]


def main() -> None:
    """Run all measurements and print them, in microseconds per vector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    codes = rng.integers(-255, 256, size=(ROWS, ROWS))
    inputs = rng.integers(0, 256, size=(VECTORS, ROWS))
    floats, weights = inputs.astype(np.float32), codes.astype(np.float32)

    def per_vector(function: Callable[[], Any], repeats: int = 7) -> float:
        return best(function, repeats) / VECTORS * 1e6

    report: dict[str, Any] = {"load_average": os.getloadavg()[0]}
    with threadpool_limits(1):
        matmul = per_vector(lambda: floats @ weights)
        slices = per_vector(numpy_slices(codes, inputs, 4), 2)
        report |= {"float32 matrix product": matmul, "slices in numpy, 4-bit ADC": slices}
        for name, other in OTHERS.items():
            try:
                report[name] = per_vector(other(codes, inputs, 4), 2)
            except ImportError:
                report[name] = "not installed"
            except Exception as error:  # their interfaces change; ours is still to be measured
                report[name] = f"failed: {error}"
        for name, changes in CASES.items():
            parameters = load_parameters("paper", **{"squeeze": 0} | changes)
            layer = map_matrix(codes, parameters)
            engine = LayerEngine(layer)
            results, clips = engine.run(floats)  # compiles
            equal = np.array_equal(results, golden(layer, inputs))
            micro = per_vector(partial(engine.run, floats))
            sums = engine.paths
            report[name] = {
                "us_per_vector": micro,
                "times_float32_matrix_product": micro / matmul,
                "numpy_slices_times_this": slices / micro,
                "sums_converted": f"{sums.converted_sums} of {sums.sums}",
                "clips": int(clips.sum()),
                "equals_golden_model": equal,
            }
    print(json.dumps(report, indent=2))
    if options.json:
        with staged_file(options.json) as temporary:
            write_json(temporary, report)


if __name__ == "__main__":
    main()
